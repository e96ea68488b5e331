// ThrottleLane: at most one event of a key in an interval. Each key has an interval of its own, which begins with an
// event that goes out; the newest of those that come within is held until its end (the trailing edge) and begins the
// next. Owner, lifetime: lane.h. Bounds: the rule's keys and bytes.
#pragma once

#include <memory>
#include <string>

#include "flow/lane.h"

namespace kilat::flow {

class ThrottleLane final : public Lane {
 public:
  using Lane::Lane;

  Outcome take(const Event& event, uint8_t depth) override;
  void flush() override;
  bool idle() const override { return keys_.empty(); }
  Lane& on_due() override { return *this; }  // the keys have timers of their own

 private:
  struct Key final : DueNode {
    Key(Stage& on, ThrottleLane& of, std::string_view name) : DueNode(on), lane(of), key(name) {}
    Lane& on_due() override;

    ThrottleLane& lane;
    std::string key;
    Held held;
    bool waiting = false;  ///< `held` has an event
  };

  bool make_key(std::string_view name, const Event& event, uint8_t depth);
  void end_interval(Key& key);
  void send_waiting(Key& key);
  void forget(Key& key);

  KeyMap<std::unique_ptr<Key>> keys_;
};

}  // namespace kilat::flow
