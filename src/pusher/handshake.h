// Whether a Pusher connection may open (docs/protocol.md). Pure function; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/reason.h"
#include "hub/app_table.h"

namespace kilat::pusher {

/// What the HTTP request said. Absent query parameters are empty optionals.
struct HandshakeRequest {
  std::string_view app_key;
  std::optional<std::string_view> protocol;
  bool origin_allowed = true;
  bool tls = false;
};

inline constexpr int kProtocolMin = 4;
inline constexpr int kProtocolMax = 7;

struct HandshakeResult {
  Reason refused = Reason::kNone;
  hub::App* app = nullptr;
  int protocol = kProtocolMax;
};

/// `strict_protocol`: a missing protocol number is refused instead of taken as 7. Quotas are not judged here.
HandshakeResult check_handshake(const HandshakeRequest& request, const hub::AppTable& apps, bool strict_protocol);

}  // namespace kilat::pusher
