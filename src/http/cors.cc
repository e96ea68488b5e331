#include "http/cors.h"

#include <algorithm>
#include <cstddef>

#include "http/text.h"

namespace kilat::http {
namespace {

constexpr std::string_view kSchemeEnd = "://";

/// An origin or a pattern for one, in parts. `port` is empty when it is the scheme's default.
struct Parts {
  std::string_view scheme;  // empty when there is none
  std::string_view host;
  std::string_view port;
};

Parts split(std::string_view text) {
  Parts parts;
  const size_t scheme_end = text.find(kSchemeEnd);
  if (scheme_end != std::string_view::npos) {
    parts.scheme = text.substr(0, scheme_end);
    text.remove_prefix(scheme_end + kSchemeEnd.size());
  }
  const size_t colon = text.rfind(':');
  // The colons of an IPv6 address stand inside brackets.
  const bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  parts.host = has_port ? text.substr(0, colon) : text;
  if (has_port) parts.port = text.substr(colon + 1);
  const bool is_default =
      (iequals(parts.scheme, "https") && parts.port == "443") || (iequals(parts.scheme, "http") && parts.port == "80");
  if (is_default) parts.port = {};
  return parts;
}

/// Browsers send a serialised origin or `null`. Whatever else a client makes up must not reach a wildcard: it could
/// hide the true host in front of an allowed one.
bool looks_like_origin(std::string_view origin) {
  const size_t scheme_end = origin.find(kSchemeEnd);
  const size_t host = scheme_end == std::string_view::npos ? 0 : scheme_end + kSchemeEnd.size();
  return origin.find_first_of("/\\?#@ \t,", host) == std::string_view::npos && host < origin.size();
}

bool matches(std::string_view pattern, const Parts& origin) {
  const Parts wanted = split(pattern);
  if (!wildcard_match(wanted.host, origin.host)) return false;
  if (!wanted.scheme.empty()) {
    return wildcard_match(wanted.scheme, origin.scheme) && wildcard_match(wanted.port, origin.port);
  }
  return wanted.port.empty() || wildcard_match(wanted.port, origin.port);
}

bool is_any(const std::string& pattern) {
  return pattern == "*";
}

}  // namespace

bool wildcard_match(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // the last `*` met, and how much of the text it covers so far ends at `resume`
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && to_lower(pattern[p]) == to_lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool origin_matches(std::span<const std::string> patterns, std::string_view origin) {
  if (std::ranges::any_of(patterns, is_any)) return true;
  if (origin.empty() || !looks_like_origin(origin)) return false;
  const Parts parts = split(origin);
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, parts); });
}

CorsHeaders cors_headers(std::span<const std::string> allowed, const CorsRequest& request) {
  CorsHeaders headers;
  if (std::ranges::any_of(allowed, is_any)) {
    // Sent without an Origin too: a cache may hand the same answer to a page later.
    headers.allow_origin = "*";
  } else {
    headers.vary_origin = !allowed.empty();
    if (origin_matches(allowed, request.origin)) headers.allow_origin = request.origin;
  }
  headers.preflight =
      request.options && !headers.allow_origin.empty() && !(request.origin.empty() && request.request_method.empty());
  return headers;
}

}  // namespace kilat::http
