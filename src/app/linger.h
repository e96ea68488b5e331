// LingerController: decides how long a shard lets frames gather before it sends them.
// Under load the price of a delivery is nearly all system call, so waiting a few milliseconds puts several events into
// one call. A shard that has time to spare must not wait at all. The controller looks at how busy the loop was over
// the last kWindowUs: above kBusy it waits longer, below kSpare it waits less, between the two it stays, because
// waiting itself makes the loop less busy. From idle to the longest wait takes about seven windows, back about four.
// Owner: one shard. Bounds: 0 … the maximum given.
#pragma once

#include <algorithm>
#include <cstdint>

namespace kilat::app {

class LingerController {
 public:
  static constexpr uint64_t kWindowUs = 10'000;
  static constexpr double kBusy = 0.70;
  static constexpr double kSpare = 0.30;
  static constexpr uint32_t kFirstUs = 500;

  /// `max_us`: microseconds; 0 turns lingering off.
  explicit LingerController(uint32_t max_us) : max_us_(max_us) {}

  /// One turn of the loop: how long it worked, and how long it had waited before. Microseconds.
  void account(uint64_t worked_us, uint64_t waited_us) {
    worked_us_ += worked_us;
    total_us_ += worked_us + waited_us;
    if (total_us_ < kWindowUs) return;
    const double busy = static_cast<double>(worked_us_) / static_cast<double>(total_us_);
    worked_us_ = total_us_ = 0;
    if (busy > kBusy) {
      linger_us_ = std::min(max_us_, linger_us_ == 0 ? kFirstUs : linger_us_ + linger_us_ / 2);
    } else if (busy < kSpare) {
      linger_us_ = linger_us_ / 4 < kFirstUs / 4 ? 0 : linger_us_ / 4;
    }
  }

  /// From now on at most this. Microseconds.
  void set_max(uint32_t max_us) {
    max_us_ = max_us;
    linger_us_ = std::min(linger_us_, max_us);
  }

  uint32_t linger_us() const { return linger_us_; }

 private:
  uint32_t max_us_;
  uint32_t linger_us_ = 0;
  uint64_t worked_us_ = 0;
  uint64_t total_us_ = 0;
};

}  // namespace kilat::app
