// Credentials: what a client has shown when it connected, as far as somebody may want to see it later. Plain data.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kilat::auth {

struct Credentials {
  std::string token;  ///< from Authorization: Bearer, or from ?token= where the app allows that
  std::vector<std::pair<std::string, std::string>> headers;  ///< for the backend that rules may ask
};

/// Null where there is nothing: most connections show nothing.
using CredentialsPtr = std::shared_ptr<const Credentials>;

/// The headers of a client that a backend may be shown.
inline constexpr std::string_view kShownHeaders[] = {"Authorization", "Cookie", "X-CSRF-TOKEN", "X-XSRF-TOKEN"};

/// Those that an http::Request has.
template <typename Request>
std::vector<std::pair<std::string, std::string>> shown_headers(const Request& request) {
  std::vector<std::pair<std::string, std::string>> shown;
  for (const std::string_view name : kShownHeaders) {
    if (request.has_header(name)) shown.emplace_back(name, request.header(name));
  }
  return shown;
}

}  // namespace kilat::auth
