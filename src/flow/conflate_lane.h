// ConflateLane: the newest event of each key in a window, in the order in which the keys first came: one by one, or
// their data in one event.
// Owner, lifetime: window_lane.h. Bounds: the rule's keys and bytes.
#pragma once

#include <string>

#include "flow/window_lane.h"
#include "flow/window_table.h"

namespace kilat::flow {

class ConflateLane final : public WindowLane {
 public:
  using WindowLane::WindowLane;

  Outcome take(const Event& event, uint8_t depth) override;
  void flush() override;

 private:
  struct Entry {
    std::string key;
    Held held;
    uint64_t events = 0;  ///< that went into `held`; 0: sent already

    void reset();
  };

  bool add(std::string_view key, const Event& event, uint8_t depth);
  void forget(Entry& entry);
  void send_each();
  void send_batch();
  void clear();

  WindowTable<Entry> table_;
};

}  // namespace kilat::flow
