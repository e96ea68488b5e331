#include "cli/env_text.h"

#include <algorithm>

#include "base/json_text.h"
#include "config/listen.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/:+@%").find(c) != std::string_view::npos;
}

// As phpdotenv reads it: in double quotes, where only these three mean something, unless nothing in it could.
std::string dotenv_value(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, plain)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string line(std::string_view name, std::string_view value) {
  return std::string(name) + "=" + dotenv_value(value) + "\n";
}

std::string scheme(const Endpoint& endpoint) {
  return endpoint.tls ? "https" : "http";
}

// The longest silence of a live connection: until it is asked, and then until it must have answered.
uint64_t silence_s(const config::Settings& settings) {
  uint64_t out = 60;
  for (const hub::AppSettings& app : settings.apps)
    out = std::max<uint64_t>(out, app.activity_timeout_s * uint64_t{5} / 4 + app.pong_timeout_ms / 1000 + 1);
  return out;
}

std::string location(const std::string& path, const std::string& upstream, std::string_view lines) {
  return "location " + path + " {\n    proxy_pass " + upstream +
         ";\n    proxy_http_version 1.1;\n    proxy_set_header Host $host;\n"
         "    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
         "    proxy_set_header X-Forwarded-Proto $scheme;\n" +
         std::string(lines) + "}\n";
}

}  // namespace

Endpoint endpoint_of(const config::ServerSettings& server) {
  Endpoint out{server.host, server.port, false};
  for (const config::Listen& listen : config::listeners(server)) {
    if (listen.local() || listen.proxy_protocol) continue;
    out = {listen.host, listen.port, listen.tls};
    break;
  }
  if (out.host == "0.0.0.0") out.host = "127.0.0.1";
  if (out.host == "::") out.host = "::1";
  return out;
}

std::string laravel_lines(const Endpoint& endpoint, const hub::AppSettings& app) {
  return line("BROADCAST_CONNECTION", "pusher") + line("PUSHER_APP_ID", app.id) + line("PUSHER_APP_KEY", app.key) +
         line("PUSHER_APP_SECRET", app.secret) + line("PUSHER_HOST", endpoint.host) +
         line("PUSHER_PORT", std::to_string(endpoint.port)) + line("PUSHER_SCHEME", scheme(endpoint)) +
         line("PUSHER_APP_CLUSTER", "mt1") +
         "VITE_PUSHER_APP_KEY=\"${PUSHER_APP_KEY}\"\nVITE_PUSHER_HOST=\"${PUSHER_HOST}\"\n"
         "VITE_PUSHER_PORT=\"${PUSHER_PORT}\"\nVITE_PUSHER_SCHEME=\"${PUSHER_SCHEME}\"\n"
         "VITE_PUSHER_APP_CLUSTER=\"${PUSHER_APP_CLUSTER}\"\n";
}

std::string reverb_lines(const Endpoint& endpoint, const hub::AppSettings& app) {
  return line("BROADCAST_CONNECTION", "reverb") + line("REVERB_APP_ID", app.id) + line("REVERB_APP_KEY", app.key) +
         line("REVERB_APP_SECRET", app.secret) + line("REVERB_HOST", endpoint.host) +
         line("REVERB_PORT", std::to_string(endpoint.port)) + line("REVERB_SCHEME", scheme(endpoint)) +
         "VITE_REVERB_APP_KEY=\"${REVERB_APP_KEY}\"\nVITE_REVERB_HOST=\"${REVERB_HOST}\"\n"
         "VITE_REVERB_PORT=\"${REVERB_PORT}\"\nVITE_REVERB_SCHEME=\"${REVERB_SCHEME}\"\n";
}

std::string node_lines(const Endpoint& endpoint, const hub::AppSettings& app, std::string_view path_prefix) {
  const std::string tls = endpoint.tls ? "true" : "false";
  const std::string port = std::to_string(endpoint.port);
  std::string out =
      "// npm install pusher\nconst Pusher = require('pusher');\n\nconst pusher = new Pusher({\n  appId: " +
      json_string(app.id) + ",\n  key: " + json_string(app.key) + ",\n  secret: " + json_string(app.secret) +
      ",\n  host: " + json_string(endpoint.host) + ",\n  port: \"" + port + "\",\n  useTLS: " + tls +
      ",\n});\n\npusher.trigger('chat', 'hello', { text: 'hi' });\n\n";
  out += "// In the browser, npm install pusher-js:\n// new Pusher(" + json_string(app.key) +
         ", { wsHost: " + json_string(endpoint.host) + ", wsPort: " + port + ", wssPort: " + port +
         ", forceTLS: " + tls + ", cluster: ''";
  if (!path_prefix.empty()) out += ", wsPath: " + json_string(path_prefix);
  return out + ", enabledTransports: ['ws', 'wss'] });\n";
}

std::string nginx_lines(const Endpoint& endpoint, const config::Settings& settings) {
  const std::string upstream = scheme(endpoint) + "://" + config::join_listen(endpoint.host, endpoint.port);
  const std::string& prefix = settings.server.path_prefix;
  std::string out =
      "# Into the server block of the public name. In kilat.toml, so that addresses of clients are known:\n"
      "#   server.trusted_proxies = [\"127.0.0.1\"]\n";
  out += location(prefix + "/app/", upstream,
                  "    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection \"upgrade\";\n"
                  "    # A live connection is never silent for longer.\n"
                  "    proxy_read_timeout " +
                      std::to_string(silence_s(settings)) + "s;\n    proxy_send_timeout " +
                      std::to_string(silence_s(settings)) + "s;\n");
  out += location(prefix + "/apps/", upstream,
                  "    proxy_set_header Connection \"\";\n    client_max_body_size " +
                      std::to_string((settings.http.body_bytes_max + 1023) / 1024) + "k;\n");
  return out;
}

}  // namespace kilat::cli
