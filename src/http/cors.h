// Which pages may read our answers (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol), and which may connect
// (an app's allowed_origins). Pure decisions over views, nothing allocates; any thread. Bounds: those of the caller's
// pattern list.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kilat::http {

/// Headers to add to an answer. Views into the request, or constants.
struct CorsHeaders {
  std::string_view allow_origin{};  ///< Access-Control-Allow-Origin: `*` or the page's origin; empty = do not send
  bool vary_origin = false;         ///< send `Vary: Origin`, for the answer differs between origins
  bool preflight = false;           ///< send kCorsAllowMethods, kCorsAllowHeaders and kCorsMaxAge
};

inline constexpr std::string_view kCorsAllowMethods = "GET, POST, PUT, DELETE, OPTIONS";
inline constexpr std::string_view kCorsAllowHeaders =
    "Origin, Content-Type, X-Auth-Token, X-Requested-With, Accept, Authorization, X-CSRF-TOKEN, XSRF-TOKEN, "
    "X-XSRF-TOKEN, X-Socket-Id";
/// Seconds for which a browser may remember a preflight. Chromium takes no more than this.
inline constexpr std::string_view kCorsMaxAge = "7200";

/// What the decision needs of the request; empty when the header is missing.
struct CorsRequest {
  bool options = false;                ///< the method is OPTIONS
  std::string_view origin{};           ///< Origin
  std::string_view request_method{};   ///< Access-Control-Request-Method
  std::string_view request_headers{};  ///< Access-Control-Request-Headers
};

/// The headers for `request` where pages of `allowed` origins (see origin_matches) may read answers. An OPTIONS request
/// with an allowed Origin gets the preflight headers even without Access-Control-Request-Method: some probes send that.
/// What is asked for does not change the lists: the browser compares.
CorsHeaders cors_headers(std::span<const std::string> allowed, const CorsRequest& request);

/// Whether `origin` (the value of an Origin header, empty when missing) matches one of `patterns`. The pattern `*`
/// takes anything, also a missing origin; otherwise a missing origin never matches. A pattern is a host (`*.ok.com`), a
/// host with port (`localhost:3000`) or a full origin (`https://a.ok.com:8080`), in each of which `*` stands for any
/// characters, also none and also dots. Compared without case; the scheme's default port may be left out.
bool origin_matches(std::span<const std::string> patterns, std::string_view origin);

/// Whether `text` matches `pattern`, where `*` stands for any characters. Without case, ASCII.
bool wildcard_match(std::string_view pattern, std::string_view text);

}  // namespace kilat::http
