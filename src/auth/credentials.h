// Credentials: what a client has shown when it connected, as far as somebody may want to see it later. Plain data.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kilat::auth {

struct Credentials {
  std::string token;  ///< from Authorization: Bearer, or from ?token= where the app allows that
  std::vector<std::pair<std::string, std::string>> headers;  ///< for the backend that rules may ask
};

/// Null where there is nothing: most connections show nothing.
using CredentialsPtr = std::shared_ptr<const Credentials>;

}  // namespace kilat::auth
