// AppKey: what an app's signatures are checked with: its secret and, while that is being changed, the one before.
// Owner: one shard, one object for each app; not for two threads. Without a secret before, a check costs what
// HmacSha256 costs. The secret before is forgotten at the first check after its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "auth/hmac.h"

namespace kilat::auth {

class AppKey {
 public:
  explicit AppKey(std::string_view secret) : AppKey(secret, {}, 0) {}
  /// `previous` (empty: there is none) signs as well until `previous_until_s`, seconds since 1970; 0: without an end.
  AppKey(std::string_view secret, std::string_view previous, uint64_t previous_until_s);

  /// Whether `signature` is the lower-case hex of HMAC-SHA256(secret, message), by a secret that is valid at
  /// `now_unix_s`. Each comparison takes the same time wherever the two differ.
  bool verify(std::string_view message, std::string_view signature, uint64_t now_unix_s);

 private:
  HmacSha256 current_;
  std::unique_ptr<HmacSha256> previous_;
  uint64_t previous_until_s_;
};

}  // namespace kilat::auth
