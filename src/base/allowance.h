// Allowance: a token bucket that costs one subtraction as long as it holds tokens; only when it is empty the clock is
// looked at. Owner: one connection, on its shard. 16 bytes, no allocation.
// Tokens come in portions of half a second: an idle bucket lets through at once what is left of one portion and the
// next one, so no more than one second allows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace kilat {

class Allowance {
 public:
  /// A full bucket with `extra` tokens beside; for a rate that is decided at each refill().
  Allowance(uint32_t per_second, uint64_t extra, uint64_t now_ms)
      : left_(static_cast<int64_t>(per_second + extra)), filled_ms_(now_ms) {}

  /// Spends `cost` tokens; false when none is left. The last token pays for any cost, and what it does not cover is a
  /// debt: so something larger than the bucket passes too, but the rate holds on average.
  /// `per_second` 0: no limit. `now_ms`: monotonic, never going back.
  bool take(uint64_t cost, uint32_t per_second, uint64_t now_ms) {
    left_ -= static_cast<int64_t>(cost);
    return left_ >= 0 || refill(cost, per_second, now_ms);
  }

 private:
  static constexpr int64_t kUnlimited = 1024;  ///< tokens between two looks at a rate that a reload may change

  bool refill(uint64_t cost, uint32_t per_second, uint64_t now_ms) {
    if (per_second == 0) {
      left_ = kUnlimited;
      filled_ms_ = now_ms;
      return true;
    }
    const uint64_t portion = (uint64_t{per_second} + 1) / 2;
    const uint64_t elapsed_ms = now_ms - filled_ms_;
    // A whole second fills half a bucket in any case; before it the product cannot overflow.
    const uint64_t tokens = elapsed_ms >= 1000 ? portion : std::min(portion, elapsed_ms * per_second / 1000);
    // Fractions of a token stay in the clock.
    filled_ms_ = tokens == portion ? now_ms : filled_ms_ + tokens * 1000 / per_second;
    left_ += static_cast<int64_t>(tokens);
    if (left_ + static_cast<int64_t>(cost) > 0) return true;
    left_ += static_cast<int64_t>(cost);
    return false;
  }

  int64_t left_;  ///< below zero: owed
  uint64_t filled_ms_;
};

}  // namespace kilat
