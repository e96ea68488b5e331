#include "app/admission.h"

#include "base/log.h"

namespace kilat::app {

// A proxy that is not trusted looks like one client with all the connections: whoever runs into the limit that way has
// to see it without the level debug. One line a minute, because the flood itself must not fill the log.
void Admission::warn(const IpAddress& client, Reason reason, uint64_t now_ms) {
  uint64_t from_ms = warn_from_ms_.load(std::memory_order_relaxed);
  if (now_ms < from_ms ||
      !warn_from_ms_.compare_exchange_strong(from_ms, now_ms + kWarnEveryMs, std::memory_order_relaxed)) {
    return;
  }
  log::event(log::Level::kWarn, "address_limited",
             {{"client", client.text()},
              {"reason", reason_row(reason).id},
              {"remedy", "if it is a proxy, add it to server.trusted_proxies"}});
}

Lease::~Lease() {
  give_http();
  if (address_) admission_->addresses_.give(key_);
}

Reason Lease::take_http(uint32_t max) {
  const uint32_t count = admission_->http_connections_.fetch_add(1, std::memory_order_relaxed) + 1;
  http_ = true;
  if (max == 0 || count <= max) return Reason::kNone;
  give_http();
  return Reason::kHttpOverCapacity;
}

void Lease::give_http() {
  if (std::exchange(http_, false)) admission_->http_connections_.fetch_sub(1, std::memory_order_relaxed);
}

Reason Lease::take_address(const IpAddress& client, const AddressLimits& limits, uint64_t now_ms) {
  if (address_ || limits.none() || !client.known() || client.is_loopback()) return Reason::kNone;
  const IpAddress key = AddressTable::key_of(client);
  Reason reason = Reason::kNone;
  switch (admission_->addresses_.take(key, limits, now_ms)) {
    case AddressTable::Verdict::kUncounted: return Reason::kNone;
    case AddressTable::Verdict::kCounted:
      key_ = key;
      address_ = true;
      return Reason::kNone;
    case AddressTable::Verdict::kTooMany: reason = Reason::kAddressOverQuota; break;
    case AddressTable::Verdict::kTooFast: reason = Reason::kAddressTooFast; break;
  }
  admission_->warn(client, reason, now_ms);
  return reason;
}

}  // namespace kilat::app
