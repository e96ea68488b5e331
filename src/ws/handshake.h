// The WebSocket opening handshake, server side (RFC 6455 section 4.2): checks the request, writes the answer.
// Pure functions over header values that an HTTP parser found; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/reason.h"

namespace kilat::ws {

/// Header values as they came; a header that is absent is an empty view. Several lines of one header are joined by
/// commas.
struct UpgradeHeaders {
  std::string_view method;
  std::string_view upgrade;
  std::string_view connection;
  std::string_view key;
  std::string_view version;
  bool http_1_1 = false;  ///< HTTP/1.1 or a later 1.x
};

/// kNone when the request is a good upgrade; otherwise, in this order: kHttpMethodNotAllowed, kHttpVersionUnsupported,
/// kWsUpgradeRequired, kWsVersionUnsupported (the answer then carries Sec-WebSocket-Version: 13), kWsKeyInvalid.
Reason check_upgrade(const UpgradeHeaders& headers);

/// The value of Sec-WebSocket-Accept for a key: base64(SHA-1(key + GUID)), RFC 6455 section 4.2.2.
std::string accept_key(std::string_view key);

/// Appends the whole "101 Switching Protocols" answer to `out`. `protocol` (the chosen subprotocol) and `extensions`
/// are left out when empty, or when they hold a control character: no value can start a header line of its own.
void append_switching_protocols(std::string& out, std::string_view key, std::string_view protocol,
                                std::string_view extensions);

}  // namespace kilat::ws
