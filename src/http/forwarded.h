// Who a proxy says its client is: X-Forwarded-For with X-Forwarded-Proto, or Forwarded (RFC 7239).
// Only one of the two is believed, the one that the proxy is known to set: a header the proxy does not know reaches us
// as the client wrote it. Entries are read from the right, because every proxy adds its own on that side; the first
// address that is no trusted proxy is the client, and whatever stands further left anybody may have written.
// Pure functions; any thread. Bounds: those of the request header; kForwardedHopsMax entries are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_address.h"

namespace kilat::http {

enum class ForwardedHeader : uint8_t { kXForwardedFor, kForwarded };

inline constexpr size_t kForwardedHopsMax = 32;

struct Forwarded {
  std::optional<IpAddress> client;  ///< nothing when the header is missing or names no address
  std::optional<bool> tls;          ///< whether the client speaks TLS to its proxy; nothing when it is not said
};

/// The values of X-Forwarded-For and X-Forwarded-Proto, lines joined by commas. `trusted`: the proxies. When all
/// addresses are trusted the leftmost is the client. An entry that is no address ends the search: the client is then
/// the last address found. A protocol list as long as the address list belongs to it entry by entry; else its last
/// entry counts.
Forwarded read_x_forwarded(std::string_view forwarded_for, std::string_view proto, const NetworkList& trusted);

/// The value of Forwarded (RFC 7239 section 4), lines joined by commas. Obfuscated names ("_hidden", "unknown",
/// section 6) end the search like any text that is no address.
Forwarded read_forwarded(std::string_view value, const NetworkList& trusted);

/// An address as these headers write it: with or without port, IPv6 with or without brackets.
std::optional<IpAddress> parse_node(std::string_view text);

}  // namespace kilat::http
