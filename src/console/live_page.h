// What the server itself adds to the live page: its configuration, and the header that keeps the page to itself.
// Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace kilat::console {

/// Value of `Content-Security-Policy` for every asset under `/live/`: nothing from outside, no inline script or style.
inline constexpr std::string_view kLiveContentSecurityPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Body of `/live/config.json`: where the page's Echo connects and what it listens for. Host and port are left to the
/// page's own address, so that it works behind any proxy. `path_prefix` is "" or "/prefix". `app_id`, when given, goes
/// into the page's `kilat publish` example. All are valid UTF-8; the key is public, a secret must never come here.
std::string live_config_json(std::string_view app_key, std::string_view path_prefix, std::string_view app_id = {});

}  // namespace kilat::console
