// Signing a request to the HTTP API (Pusher HTTP API, "Generating authentication signatures"). Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace kilat::auth {

/// Query parameters by name, values as they are (not escaped). The order of a map is the order that gets signed.
using Parameters = std::map<std::string, std::string>;

struct ApiCredentials {
  std::string key;
  std::string secret;
};

/// The query of a signed request, without "?": `parameters`, auth_key, auth_timestamp, auth_version, body_md5 (only
/// with a body) and auth_signature, values escaped. `path` is signed as given; `unix_seconds` is now.
std::string signed_query(const ApiCredentials& credentials, std::string_view method, std::string_view path,
                         Parameters parameters, std::string_view body, uint64_t unix_seconds);

/// Everything but unreserved characters as %XX (RFC 3986 section 2.1).
std::string percent_encoded(std::string_view text);

}  // namespace kilat::auth
