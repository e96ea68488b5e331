// Admission: what all shards count of connections before they belong to an app: by client address, and those that speak
// plain HTTP. Lease: the share of one connection in it.
// Owner: Common owns the Admission, a Connection its Lease. Any thread; touched when a connection begins and ends only.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "app/address_table.h"
#include "base/reason.h"

namespace kilat::app {

class Admission {
 public:
  size_t tracked_addresses() const { return addresses_.size(); }
  uint32_t http_connections() const { return http_connections_.load(std::memory_order_relaxed); }

 private:
  friend class Lease;
  static constexpr uint64_t kWarnEveryMs = 60'000;

  void warn(const IpAddress& client, Reason reason, uint64_t now_ms);

  AddressTable addresses_;
  std::atomic<uint32_t> http_connections_{0};
  std::atomic<uint64_t> warn_from_ms_{0};
};

/// Counts one connection; gives back what it counts when it is destroyed.
class Lease {
 public:
  explicit Lease(Admission& admission) : admission_(&admission) {}
  ~Lease();
  Lease(Lease&& other) noexcept
      : admission_(other.admission_),
        key_(other.key_),
        http_(std::exchange(other.http_, false)),
        address_(std::exchange(other.address_, false)) {}
  Lease& operator=(Lease&&) = delete;

  /// Counts it as a connection that speaks plain HTTP. kNone, or kHttpOverCapacity; `max` 0: no limit.
  Reason take_http(uint32_t max);
  /// It speaks WebSocket now.
  void give_http();

  /// Counts it for `client`, once. kNone, kAddressOverQuota or kAddressTooFast. Loopback and unknown addresses (Unix
  /// sockets) are not counted. `now_ms`: monotonic. std::bad_alloc: it is not counted.
  Reason take_address(const IpAddress& client, const AddressLimits& limits, uint64_t now_ms);

 private:
  Admission* admission_;
  IpAddress key_;
  bool http_ = false;
  bool address_ = false;
};

}  // namespace kilat::app
