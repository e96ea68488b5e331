// Patience: how long to wait for the server. Counts at most a tenth of a second for each look at the clock, so that a
// machine on which everything is stopped for a while uses none up. Owner: whoever waits; one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace kilat::stress {

class Patience {
 public:
  static constexpr uint64_t kStepMaxMs = 100;

  /// Runs out after `ms` milliseconds of waiting.
  explicit Patience(uint64_t ms) : left_ms_(ms), last_ms_(monotonic_ms()) {}

  /// Whether nothing is left. To be asked at least ten times a second.
  bool over() {
    const uint64_t now = monotonic_ms();
    const uint64_t spent = std::min(now - last_ms_, kStepMaxMs);
    last_ms_ = now;
    left_ms_ -= std::min(left_ms_, spent);
    return left_ms_ == 0;
  }

 private:
  uint64_t left_ms_;
  uint64_t last_ms_;
};

/// For waits that end unless the server is broken: sanitizer builds on a busy machine are slow.
inline constexpr uint64_t kPatienceMs = 120'000;

}  // namespace kilat::stress
