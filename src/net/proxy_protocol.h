// ProxyParser: the header that a proxy sends before the client's bytes, PROXY protocol version 1 (text) and 2 (binary),
// https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt. Bytes in, outcome out; no I/O.
// Strict: a receiver must know that the header is there and must refuse everything else (section 2 of that document).
// Owner: the Transport of one connection, only until the header is complete. Bounds: kV1Max bytes of text; kV2Max bytes
// of a binary header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/ip_address.h"

namespace kilat::net {

class ProxyParser {
 public:
  static constexpr size_t kV1Max = 107;   ///< with its CRLF, section 2.1
  static constexpr size_t kV2Max = 4096;  ///< ours: addresses and any sensible set of TLVs

  enum class Status : uint8_t { kNeedMore, kDone, kError };

  /// Reads from the front of `in` and takes what belongs to the header off it, never more. After kDone or kError the
  /// parser is finished.
  Status feed(std::span<const char>& in);

  /// After kDone: the client. Nothing when the proxy speaks for itself (LOCAL, UNKNOWN) or of a kind of address other
  /// than IPv4 and IPv6.
  const std::optional<IpAddress>& source() const { return source_; }
  /// After kDone: whether the proxy says that the client speaks TLS to it (PP2_TYPE_SSL, section 2.2.5).
  bool tls() const { return tls_; }

 private:
  static constexpr size_t kV2Head = 16;

  Status feed_v1(std::span<const char>& in);
  Status feed_v2(std::span<const char>& in);
  Status finish_v1();
  Status finish_v2();
  bool read_tlvs(std::span<const uint8_t> bytes);

  std::string bytes_;
  std::optional<IpAddress> source_;
  bool tls_ = false;
};

}  // namespace kilat::net
