// LingerController: decides how long a shard lets frames gather before it sends them.
// Under load the price of a delivery is nearly all system call, so waiting a few milliseconds puts several events into
// one call. A shard that has time to spare must not wait at all, and neither one whose readers get so few events that
// nothing gathers. The controller looks at how busy the loop was over the last kWindowUs: above kBusy it waits longer,
// below kSpare it waits less, between the two it stays, because waiting itself makes the loop less busy. When the
// frames that gathered show that even the longest wait would put fewer than kWorth into a call, it stops, and does not
// begin again for kPauseWindows. From idle to the longest wait takes about seven windows, back about four. Owner: one
// shard. Bounds: 0 … the maximum given.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/stream.h"

namespace kilat::app {

class LingerController {
 public:
  static constexpr uint64_t kWindowUs = 10'000;
  static constexpr double kBusy = 0.70;
  static constexpr double kSpare = 0.30;
  static constexpr uint32_t kFirstUs = 500;
  static constexpr double kWorth = 1.25;
  static constexpr uint32_t kPauseWindows = 50;

  using Gathered = net::Reactor::Gathered;

  /// `max_us`: microseconds; 0 turns lingering off.
  explicit LingerController(uint32_t max_us) : max_us_(max_us) {}

  /// One turn of the loop: how long it worked, how long it had waited before, and what it sent. Microseconds.
  void account(uint64_t worked_us, uint64_t waited_us, Gathered gathered) {
    worked_us_ += worked_us;
    total_us_ += worked_us + waited_us;
    gathered_.frames += gathered.frames;
    gathered_.sends += gathered.sends;
    if (total_us_ < kWindowUs) return;
    adjust(static_cast<double>(worked_us_) / static_cast<double>(total_us_));
    worked_us_ = total_us_ = 0;
    gathered_ = {};
  }

  /// From now on at most this. Microseconds.
  void set_max(uint32_t max_us) {
    max_us_ = max_us;
    linger_us_ = std::min(linger_us_, max_us);
  }

  uint32_t linger_us() const { return linger_us_; }

 private:
  void adjust(double busy) {
    if (pause_ > 0) --pause_;
    if (linger_us_ > 0 && !worth_waiting()) {
      linger_us_ = 0;
      pause_ = kPauseWindows;
    } else if (busy > kBusy && pause_ == 0) {
      linger_us_ = std::min(max_us_, linger_us_ == 0 ? kFirstUs : linger_us_ + linger_us_ / 2);
    } else if (busy < kSpare) {
      linger_us_ = linger_us_ / 4 < kFirstUs / 4 ? 0 : linger_us_ / 4;
    }
  }

  /// Whether the longest wait would gather something, as far as the present one shows: what comes while frames wait
  /// grows with the wait.
  bool worth_waiting() const {
    if (gathered_.sends == 0) return true;
    const double more = static_cast<double>(gathered_.frames) / static_cast<double>(gathered_.sends) - 1;
    return 1 + more * max_us_ / linger_us_ >= kWorth;
  }

  uint32_t max_us_;
  uint32_t linger_us_ = 0;
  uint64_t worked_us_ = 0;
  uint64_t total_us_ = 0;
  Gathered gathered_;
  uint32_t pause_ = 0;  ///< windows
};

}  // namespace kilat::app
