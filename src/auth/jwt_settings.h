// What an app's tokens (JWT, RFC 7519) are checked by. Plain data, filled in by src/config.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kilat::auth {

struct JwtSettings {
  std::string secret;             ///< of HS256, HS384, HS512; empty: none
  std::vector<std::string> keys;  ///< files with a PEM public key or a JWKS, and https:// or http:// URLs of a JWKS
  std::vector<std::string> algorithms;   ///< those that are taken; empty: all that fit the keys
  std::string issuer;                    ///< `iss` must be this; empty: anything
  std::string audience;                  ///< `aud` must hold this; empty: anything
  std::string user_claim = "sub";        ///< dotted path of the claim with the user's id
  std::string roles_claim = "roles";     ///< dotted path: an array of texts, or one text with spaces between
  std::vector<std::string> info_claims;  ///< claims that others may see of a user
  uint32_t leeway_s = 30;                ///< for clocks that differ
  uint32_t refresh_s = 300;              ///< how often a JWKS is fetched again
  uint32_t warning_s = 60;               ///< how long before its expiry a client is told
  bool in_query = false;                 ///< take it from ?token= of a WebSocket or Engine.IO request

  /// Whether there is anything to check a token with.
  bool enabled() const { return !secret.empty() || !keys.empty(); }
  bool operator==(const JwtSettings&) const = default;
};

}  // namespace kilat::auth
