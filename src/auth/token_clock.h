// TokenClock: when a client has to be told that its token is about to expire, and when its time is over.
// Owner: one session; its thread. The wall clock may be set, so nobody waits longer than kWaitMaxMs without a look at
// it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "auth/identity.h"
#include "auth/jwt_settings.h"

namespace kilat::auth {

class TokenClock {
 public:
  static constexpr uint64_t kWaitMaxMs = 60'000;
  enum class Due : uint8_t { kNothing, kWarning, kEnd };

  TokenClock() = default;
  /// For a token that is taken now, or again.
  TokenClock(const Identity& who, const JwtSettings& settings) {
    if (who.expires_unix_s == 0) return;
    // What the clocks of issuer and server may differ counts for the token, as it did when it was looked at first.
    ends_unix_s_ = who.expires_unix_s + settings.leeway_s;
    warn_unix_s_ = who.expires_unix_s - std::min<uint64_t>(settings.warning_s, who.expires_unix_s);
    warned_ = settings.warning_s == 0;
  }

  bool runs() const { return ends_unix_s_ != 0; }
  /// kWarning is said once.
  Due check(uint64_t now_unix_s) {
    if (!runs()) return Due::kNothing;
    if (now_unix_s >= ends_unix_s_) return Due::kEnd;
    if (warned_ || now_unix_s < warn_unix_s_) return Due::kNothing;
    warned_ = true;
    return Due::kWarning;
  }
  /// Until check() is to be called again, in milliseconds; only while it runs.
  uint64_t wait_ms(uint64_t now_unix_s) const {
    const uint64_t next = warned_ ? ends_unix_s_ : warn_unix_s_;
    return next <= now_unix_s ? 0 : std::min(next - now_unix_s, kWaitMaxMs / 1'000) * 1'000;
  }
  /// Seconds that are left.
  uint64_t left_s(uint64_t now_unix_s) const { return ends_unix_s_ > now_unix_s ? ends_unix_s_ - now_unix_s : 0; }

 private:
  uint64_t ends_unix_s_ = 0;  ///< 0: never
  uint64_t warn_unix_s_ = 0;
  bool warned_ = false;
};

}  // namespace kilat::auth
