// Which addresses a user may have us connect to: those of loopback and of private networks. Anything else would make
// this program a scanner of other people's networks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace examples::noc {

/// The address in its usual form, "localhost" as 127.0.0.1; nothing for what is no IP address. Names are not looked up.
std::optional<std::string> normal_address(std::string_view text);
/// 127/8, 10/8, 172.16/12, 192.168/16 (RFC 1918), ::1 and fc00::/7 (RFC 4193).
bool is_private(const std::string& address);

}  // namespace examples::noc
