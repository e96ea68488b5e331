// What an application or a proxy must be told about this server, ready to paste. Pure functions; main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace kilat::cli {

/// How clients on this machine reach the server.
struct Endpoint {
  std::string host;  ///< without brackets
  uint16_t port = 0;
  bool tls = false;
};

/// The first TCP address that `server` listens on, wildcards as loopback.
Endpoint endpoint_of(const config::ServerSettings& server);

/// Lines for a Laravel .env: names of the "pusher" connection.
std::string laravel_lines(const Endpoint& endpoint, const hub::AppSettings& app);

/// Lines for a Laravel .env: names of the "reverb" connection.
std::string reverb_lines(const Endpoint& endpoint, const hub::AppSettings& app);

/// JavaScript for the npm package "pusher", and for pusher-js as a comment.
std::string node_lines(const Endpoint& endpoint, const hub::AppSettings& app, std::string_view path_prefix);

/// Location blocks for a server block of nginx. Holds no secret.
std::string nginx_lines(const Endpoint& endpoint, const config::Settings& settings);

}  // namespace kilat::cli
