// When each publish is due. Latency counts from that time and not from the time of sending, so a server (or a client)
// that stalls cannot hide the messages that should have gone out meanwhile (coordinated omission). Pure; any thread.
#pragma once

#include <cstdint>

namespace kilat::cli::bench {

inline constexpr uint64_t kNsPerSecond = 1'000'000'000;

class Schedule {
 public:
  Schedule() = default;
  /// From `start_ns` up to (not including) `end_ns`, `rate` publishes a second, evenly; 1 to 1'000'000'000.
  Schedule(uint64_t start_ns, uint64_t end_ns, uint64_t rate) : start_ns_(start_ns), end_ns_(end_ns), rate_(rate) {}

  /// When publish number `n` (from 0) is due, nanoseconds. Exact for any n: no rounding adds up.
  uint64_t due_ns(uint64_t n) const { return start_ns_ + n / rate_ * kNsPerSecond + n % rate_ * kNsPerSecond / rate_; }

  /// How many publishes are due at `now_ns` or before, and before the end.
  uint64_t due_count(uint64_t now_ns) const {
    if (now_ns < start_ns_ || end_ns_ <= start_ns_) return 0;
    if (now_ns >= end_ns_) now_ns = end_ns_ - 1;
    const uint64_t past_ns = now_ns - start_ns_;
    // Whole seconds hold `rate_` each; of the rest, number n counts when n / rate, rounded down to nanoseconds, has
    // come.
    const uint64_t of_rest = ((past_ns % kNsPerSecond + 1) * rate_ + kNsPerSecond - 1) / kNsPerSecond;
    return past_ns / kNsPerSecond * rate_ + of_rest;
  }

  /// Nothing is due any more after `end_ns`.
  void cut(uint64_t end_ns) {
    if (end_ns < end_ns_) end_ns_ = end_ns;
  }

 private:
  uint64_t start_ns_ = 0;
  uint64_t end_ns_ = 0;
  uint64_t rate_ = 1;
};

}  // namespace kilat::cli::bench
