#include "api/request_auth.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/quantity.h"
#include "http/text.h"

namespace kilat::api {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// "k1=v1&k2=v2…" of all parameters but the signature: keys in lower case and sorted, values as decoded.
std::string canonical_query(const http::Query& query) {
  struct Pair {
    std::string key;
    size_t index;  ///< equal keys keep their order
    std::string_view value;
  };
  std::vector<Pair> pairs;
  pairs.reserve(query.items().size());
  size_t size = 0;
  for (const http::Query::Item& item : query.items()) {
    std::string key = lower(item.name);
    if (key == "auth_signature") continue;
    size += key.size() + item.value.size() + 2;
    pairs.push_back({std::move(key), pairs.size(), item.value});
  }
  std::ranges::sort(pairs,
                    [](const Pair& a, const Pair& b) { return std::tie(a.key, a.index) < std::tie(b.key, b.index); });
  std::string out;
  out.reserve(size);
  for (const Pair& pair : pairs) {
    if (!out.empty()) out += '&';
    out += pair.key;
    out += '=';
    out += pair.value;
  }
  return out;
}

std::string_view parameter(const http::Query& query, std::string_view name) {
  for (const http::Query::Item& item : query.items()) {
    if (http::iequals(item.name, name)) return item.value;
  }
  return {};
}

Reason check_timestamp(std::string_view text, uint64_t now_unix_s) {
  const auto then = parse_whole(text);
  if (!then) return Reason::kApiTimestampInvalid;
  const uint64_t distance = *then > now_unix_s ? *then - now_unix_s : now_unix_s - *then;
  return distance <= kTimestampWindowS ? Reason::kNone : Reason::kApiTimestampExpired;
}

// The path as the SDK may have seen it: without or with the server's prefix, as sent or decoded (proxies re-encode).
std::vector<std::string> signed_paths(std::string_view path, std::string_view prefix) {
  std::vector<std::string> paths;
  const auto add = [&paths](std::string_view candidate) {
    if (std::ranges::find(paths, candidate) == paths.end()) paths.emplace_back(candidate);
  };
  const bool prefixed = !prefix.empty() && path.starts_with(prefix);
  const std::string_view bare = prefixed ? path.substr(prefix.size()) : path;
  add(bare);
  if (const auto decoded = http::percent_decode(bare)) add(*decoded);
  if (prefixed) {
    add(path);
    if (const auto decoded = http::percent_decode(path)) add(*decoded);
  }
  return paths;
}

bool signature_matches(const http::Request& request, const http::Query& query, std::string_view prefix,
                       auth::AppKey& key, std::string_view signature, uint64_t now_unix_s) {
  const std::string pairs = canonical_query(query);
  for (const std::string& path : signed_paths(request.path(), prefix)) {
    std::string text;
    text.reserve(request.method_text().size() + path.size() + pairs.size() + 2);
    text += request.method_text();
    text += '\n';
    text += path;
    text += '\n';
    text += pairs;
    if (key.verify(text, signature, now_unix_s)) return true;
  }
  return false;
}

}  // namespace

std::optional<Reason> authenticate_bearer(const http::Request& request, const hub::App& app) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view header = request.header("Authorization");
  if (app.settings.api_key.empty() || !header.starts_with(kBearer)) return std::nullopt;
  const bool equal = auth::equal_constant_time(header.substr(kBearer.size()), app.settings.api_key);
  return equal ? Reason::kNone : Reason::kApiKeyInvalid;
}

Reason authenticate(const http::Request& request, const http::Query& query, std::string_view prefix,
                    const hub::App& app, auth::AppKey& key, uint64_t now_unix_s) {
  if (const std::optional<Reason> reason = authenticate_bearer(request, app)) return *reason;
  if (query.malformed() || query.too_many()) return Reason::kApiParameterInvalid;
  if (!auth::equal_constant_time(parameter(query, "auth_key"), app.settings.key)) return Reason::kApiKeyInvalid;
  if (parameter(query, "auth_version") != "1.0") return Reason::kApiVersionInvalid;
  if (const Reason reason = check_timestamp(parameter(query, "auth_timestamp"), now_unix_s); reason != Reason::kNone) {
    return reason;
  }
  const std::string_view body_md5 = parameter(query, "body_md5");
  if ((!request.body().empty() || !body_md5.empty()) && body_md5 != auth::md5_hex(request.body())) {
    return Reason::kApiBodyMd5Invalid;
  }
  const std::string_view signature = parameter(query, "auth_signature");
  if (signature_matches(request, query, prefix, key, signature, now_unix_s)) return Reason::kNone;
  // No SDK sends spaces, but a form encoder on the way may have written them as '+'.
  if (request.query().find('+') != std::string_view::npos) {
    const http::Query spaced(request.query(), http::Plus::kSpace);
    if (signature_matches(request, spaced, prefix, key, signature, now_unix_s)) return Reason::kNone;
  }
  return Reason::kApiSignatureInvalid;
}

}  // namespace kilat::api
