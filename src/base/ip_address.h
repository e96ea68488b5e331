// IpAddress: an IPv4 or IPv6 address in 16 bytes, and NetworkList: the addresses that are trusted.
// Plain values; any thread. Bounds: a list has as many networks as the configuration allows (256).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace kilat {

/// IPv4 addresses are kept as IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2), so that 127.0.0.1 and
/// ::ffff:127.0.0.1, which a dual-stack socket reports, are one client. All zero: none is known (Unix sockets).
class IpAddress {
 public:
  IpAddress() = default;

  static IpAddress v4(const std::array<uint8_t, 4>& bytes);
  static IpAddress v6(const std::array<uint8_t, 16>& bytes) { return IpAddress(bytes); }
  /// Of an AF_INET or AF_INET6 socket; all zero for any other.
  static IpAddress of(const sockaddr& address);
  /// "192.0.2.1" or "2001:db8::1", without brackets, port, zone or white space.
  static std::optional<IpAddress> parse(std::string_view text);

  bool known() const { return *this != IpAddress(); }
  bool is_v4() const;
  /// 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  /// The shortest form; "" when none is known.
  std::string text() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  bool operator==(const IpAddress&) const = default;

 private:
  explicit IpAddress(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}

  std::array<uint8_t, 16> bytes_{};
};

/// Where the other end of an accepted connection is.
struct Peer {
  IpAddress address;   ///< unknown for Unix sockets
  bool local = false;  ///< came over a Unix socket
};

/// Addresses, networks ("10.0.0.0/8") and "unix" (everybody who may open the Unix socket).
class NetworkList {
 public:
  /// What is wrong with `entry`, or "".
  static std::string check(std::string_view entry);

  /// Adds an entry that check() accepts; others are left out.
  void add(std::string_view entry);

  bool empty() const { return networks_.empty() && !local_; }
  bool contains(const IpAddress& address) const;
  bool contains(const Peer& peer) const { return peer.local ? local_ : contains(peer.address); }

 private:
  struct Network {
    IpAddress address;
    unsigned bits = 128;  ///< of the mapped address
  };
  static std::optional<Network> parse(std::string_view entry);

  std::vector<Network> networks_;
  bool local_ = false;
};

}  // namespace kilat
