// The paths outside of the HTTP API: health, the live page, and where WebSockets connect. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "app/health.h"
#include "app/traffic.h"
#include "config/settings.h"
#include "http/request.h"
#include "http/response.h"

namespace kilat::app {

enum class Target : uint8_t { kApi, kSocket, kSocketIo, kStatus, kLocal, kUnknown };

struct Route {
  Target target = Target::kUnknown;
  std::string_view path;     ///< without the prefix
  std::string_view app_key;  ///< kSocket, not decoded
  bool echo = false;         ///< kSocketIo: the bare Engine.IO of the protocol tests
};

/// Health paths are found with and without server.path_prefix.
Route route_of(std::string_view path, const config::Settings& settings);

/// What a metric calls the request.
HttpRoute http_route_of(const http::Request& request, const Route& route);

/// Answers a kLocal route; 404 or 405 where there is nothing.
http::Response answer_local(const http::Request& request, std::string_view path, const config::Settings& settings,
                            const Health& health);

/// Whether there is anything at a kLocal path: the live page may be off.
bool serves_local(std::string_view path, const config::Settings& settings);

/// The same for a request to the listener for metrics, except for /metrics itself: health and /usage.
http::Response answer_admin_path(const http::Request& request, const Health& health);

}  // namespace kilat::app
