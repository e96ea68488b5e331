#include "pusher/handshake.h"

#include <charconv>

namespace kilat::pusher {

HandshakeResult check_handshake(const HandshakeRequest& request, const hub::AppTable& apps, bool strict_protocol) {
  HandshakeResult result;
  const auto refuse = [&result](Reason reason) {
    result.refused = reason;
    return result;
  };
  result.app = apps.by_key(request.app_key);
  if (result.app == nullptr) return refuse(Reason::kAppUnknown);
  if (!result.app->settings.enabled) return refuse(Reason::kAppDisabled);
  if (result.app->settings.tls_only && !request.tls) return refuse(Reason::kTlsRequired);

  if (!request.protocol || request.protocol->empty()) {
    if (strict_protocol) return refuse(Reason::kProtocolMissing);
  } else {
    const std::string_view text = *request.protocol;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result.protocol);
    if (error == std::errc::result_out_of_range) return refuse(Reason::kProtocolUnsupported);
    if (error != std::errc() || end != text.data() + text.size()) return refuse(Reason::kProtocolMalformed);
    if (result.protocol < kProtocolMin || result.protocol > kProtocolMax) return refuse(Reason::kProtocolUnsupported);
  }
  if (!request.origin_allowed) return refuse(Reason::kOriginRefused);
  return result;
}

}  // namespace kilat::pusher
