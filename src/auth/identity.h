// Identity: who a client is, as a token, a sign-in or the backend has said. Plain data, immutable once made; any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kilat::auth {

struct Identity {
  std::string user_id;             ///< never empty
  std::string info;                ///< what others may see of the user: JSON text, an object; empty: nothing
  std::vector<std::string> roles;  ///< as the token has them
  /// All of the token's claims that are texts, numbers or truth values, by their dotted path; of an array its elements,
  /// each under the array's path: {"realm":{"roles":["a","b"]}} is realm.roles=a and realm.roles=b.
  std::vector<std::pair<std::string, std::string>> claims;
  uint64_t expires_unix_s = 0;  ///< 0: never
};

using IdentityPtr = std::shared_ptr<const Identity>;

}  // namespace kilat::auth
