// SampleLane: one event of a key in so many, beginning with the first. A key that was silent for a minute or two begins
// anew, so that keys that never come again do not stay.
// Owner, lifetime: lane.h. Bounds: the rule's keys and bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flow/lane.h"

namespace kilat::flow {

class SampleLane final : public Lane {
 public:
  static constexpr uint64_t kForgetMs = 60'000;

  using Lane::Lane;

  Outcome take(const Event& event, uint8_t depth) override;
  void flush() override {}
  bool idle() const override { return keys_.empty(); }
  Lane& on_due() override;

 private:
  struct Key {
    std::string key;
    uint32_t left_out = 0;  ///< since the last that went out
    bool fresh = true;      ///< came since the last sweep
  };

  KeyMap<std::unique_ptr<Key>> keys_;
};

}  // namespace kilat::flow
