// What one makes of many looks at a device: it is online or offline, quick or slow, and does not change its mind at
// every hiccup. A value; no clock, no threads.
#pragma once

#include <cstdint>
#include <string_view>

namespace examples::noc {

enum class Status { kUnknown, kOnline, kOffline };

inline std::string_view name_of(Status status) {
  if (status == Status::kUnknown) return "unknown";
  return status == Status::kOnline ? "online" : "offline";
}

class Health {
 public:
  /// So many looks in a row must agree before it changes.
  static constexpr std::uint32_t kLooks = 2;
  /// A slow device is quick again below this share of its threshold.
  static constexpr double kQuickShare = 0.8;

  struct Change {
    bool status = false;
    bool slow = false;
  };

  Change observe(bool answered, double latency_ms, double latency_ms_max) {
    const Health before = *this;
    const Status seen = answered ? Status::kOnline : Status::kOffline;
    same_ = seen == seen_ ? same_ + 1 : 1;
    seen_ = seen;
    if (same_ >= kLooks) status_ = seen;
    observe_latency(answered, latency_ms, latency_ms_max);
    return {.status = status_ != before.status_, .slow = slow_ != before.slow_};
  }
  Status status() const { return status_; }
  bool slow() const { return slow_; }

 private:
  void observe_latency(bool answered, double latency_ms, double latency_ms_max) {
    // What does not answer has no latency, and what is offline has another alert.
    if (status_ == Status::kOffline) slow_ = false;
    if (!answered) return;
    const bool against = slow_ ? latency_ms < latency_ms_max * kQuickShare : latency_ms > latency_ms_max;
    against_ = against ? against_ + 1 : 0;
    if (against_ < kLooks) return;
    slow_ = !slow_;
    against_ = 0;
  }

  Status status_ = Status::kUnknown;
  Status seen_ = Status::kUnknown;
  bool slow_ = false;
  std::uint32_t same_ = 0;
  std::uint32_t against_ = 0;
};

}  // namespace examples::noc
