// AddressTable: how many connections each client address has, and how fast it opens them, over all shards.
// Owner: Admission, which all shards share. Any thread: a table is cut into stripes with a short lock each, taken when
// a connection begins and when it ends, never for a message. Bound: kAddressesMax entries (about 25 MB). Idle ones go
// as new ones come; where all are in use, a new address is not counted, because refusing strangers would let one client
// lock out all others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/ip_address.h"

namespace kilat::app {

/// 0: no limit.
struct AddressLimits {
  uint32_t connections_max = 0;
  uint32_t connects_per_second = 0;

  bool none() const { return connections_max == 0 && connects_per_second == 0; }
};

class AddressTable {
 public:
  static constexpr size_t kAddressesMax = 262'144;
  /// Connections at once for each one a second: whole offices come back together after a restart.
  static constexpr uint32_t kBurst = 10;

  enum class Verdict : uint8_t {
    kCounted,    ///< give() must follow
    kUncounted,  ///< allowed, but not tracked
    kTooMany,
    kTooFast,
  };

  /// What is counted together: an IPv4 address, or the /64 of an IPv6 address, which one client has for itself
  /// (RFC 6177 section 2).
  static IpAddress key_of(const IpAddress& address);

  /// A connection from `key` begins. `now_ms`: monotonic. std::bad_alloc: nothing is counted.
  Verdict take(const IpAddress& key, const AddressLimits& limits, uint64_t now_ms);
  /// A counted connection has ended.
  void give(const IpAddress& key) noexcept;

  /// Addresses that are tracked.
  size_t size() const;

 private:
  static constexpr size_t kStripes = 64;
  static constexpr size_t kSweptPerInsert = 4;  ///< places looked at for idle entries

  struct Hash {
    size_t operator()(const IpAddress& key) const noexcept;
  };
  struct Entry {
    uint32_t connections = 0;
    float tokens = 0;  ///< of the rate, as of `at_ms`
    uint64_t at_ms = 0;
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<IpAddress, Entry, Hash> entries;
    size_t swept = 0;  ///< the place to be looked at next
  };

  static bool idle(const Entry& entry, const AddressLimits& limits, uint64_t now_ms);
  static float tokens_at(const Entry& entry, const AddressLimits& limits, uint64_t now_ms);
  static void sweep(Stripe& stripe, const AddressLimits& limits, uint64_t now_ms);
  Stripe& stripe_of(const IpAddress& key) { return stripes_[Hash()(key) % kStripes]; }

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace kilat::app
