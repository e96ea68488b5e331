// The target of a signed API request, written a second time from docs/http-api.md, so that tests do not check the
// server's rules with its own code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/hmac.h"

namespace kilat::testing {

/// `path` with `query` (further parameters, as sent and as signed alike) and all that signing adds.
inline std::string signed_target(std::string_view method, std::string_view path, std::string_view query,
                                 std::string_view body, std::string_view key, std::string_view secret, uint64_t now_s) {
  std::vector<std::string> pairs{"auth_key=" + std::string(key), "auth_timestamp=" + std::to_string(now_s),
                                 "auth_version=1.0"};
  if (!body.empty()) pairs.push_back("body_md5=" + auth::md5_hex(body));
  while (!query.empty()) {
    const size_t end = query.find('&');
    pairs.emplace_back(query.substr(0, end));
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  std::ranges::sort(pairs);
  std::string joined;
  for (const std::string& pair : pairs) joined += (joined.empty() ? "" : "&") + pair;
  const std::string text = std::string(method) + "\n" + std::string(path) + "\n" + joined;
  return std::string(path) + "?" + joined + "&auth_signature=" + auth::hmac_sha256_hex(secret, text);
}

}  // namespace kilat::testing
