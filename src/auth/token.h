// Checking one token: a JWT (RFC 7519) as a JWS in its compact form (RFC 7515), signature first, then the claims.
// Pure but for a parser of each thread; any thread. Bounds: kTokenBytesMax; those of auth/claims.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/identity.h"
#include "auth/jwt_settings.h"
#include "auth/key_set.h"
#include "base/result.h"

namespace kilat::auth {

inline constexpr size_t kTokenBytesMax = 16 * 1024;

/// Who the bearer is. Refused with kTokenInvalid, kTokenExpired or kTokenKeyUnknown; the detail says for people which
/// check failed, such as `aud is not "shop"`, and holds nothing of the token. Refused besides what the settings say:
/// text that is not the one way to write a token (padding, bits that count for nothing, members that occur twice),
/// numbers that fit into no 64-bit value and half surrogate pairs, `crit` (RFC 7515 section 4.1.11: no extension is
/// known here), `iat` in the future. An `exp` beyond the year 9999 counts as its end. `expires_unix_s` of the answer is
/// `exp`, rounded up, without the leeway.
Result<IdentityPtr> check_token(std::string_view token, const JwtSettings& settings, const KeySet& keys,
                                uint64_t now_unix_s);

/// Whom `claims`, the JSON of a token's payload, stand for: without a signature, and whatever its dates and parties
/// are. For explanations. Refused with kTokenInvalid.
Result<IdentityPtr> read_claims(std::string_view claims, const JwtSettings& settings);

}  // namespace kilat::auth
