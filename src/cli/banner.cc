#include "cli/banner.h"

#include <string_view>

#include "cli/target.h"
#include "cli/version.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

std::string line(std::string_view label, std::string_view text) {
  std::string out = "  " + std::string(label);
  out.append(label.size() < 12 ? 12 - label.size() : 1, ' ');
  return out.append(text).append("\n");
}

std::string masked(std::string_view secret) {
  return (secret.starts_with("ks_") ? "ks_" : "") + std::string("••••••••");
}

std::string origin(const config::Loaded& loaded) {
  switch (loaded.source) {
    case config::Source::kFile: return "configuration: " + loaded.path;
    case config::Source::kEnvironment: {
      const std::string place = loaded.path.empty() ? "environment" : loaded.path;
      const std::string_view whose = config::dialect_name(loaded.dialect);
      return "configuration: " + place + (whose.empty() ? "" : " (names of " + std::string(whose) + ")");
    }
    case config::Source::kDevelopment: return "no kilat.toml found: development mode";
  }
  return {};
}

}  // namespace

std::string banner(const config::Loaded& loaded, const Listening& listening) {
  const config::Settings& settings = loaded.settings;
  const hub::AppSettings& app = settings.apps.front();
  const std::string base = local_url(listening.host, listening.port, settings.server.path_prefix, listening.tls);
  const std::string ws = "ws" + base.substr(4);  // http://… to ws://…, https://… to wss://…

  std::string out = "kilat " + std::string(version()) + " (" + std::to_string(listening.shards) +
                    (listening.shards == 1 ? " shard" : " shards") + ", epoll, TLS " +
                    (settings.tls.certificate.empty() ? "off" : "on") + ")    " + origin(loaded) + "\n\n";
  out += line("WebSocket", ws + "/app/" + app.key + "    Pusher protocol 7");
  if (settings.socketio.enabled)
    out += line("Socket.IO", base + settings.socketio.path + "/    for socket.io-client 4");
  out += line("Publish", base + "/apps/" + app.id + "/events");
  if (settings.server.live_page) out += line("Live page", base + "/live/");
  if (listening.metrics_port != 0) {
    std::string host;
    uint16_t configured = 0;
    config::split_listen(settings.metrics.listen, host, configured);
    out += line("Metrics", local_url(host, listening.metrics_port, {}) + "/metrics");
  }
  out += "\n";
  std::string identity = "id " + app.id + "   key " + app.key + "   secret " + masked(app.secret);
  if (settings.apps.size() > 1) identity += "   and " + std::to_string(settings.apps.size() - 1) + " more";
  out += line("App", identity);
  if (loaded.source == config::Source::kDevelopment)
    out += line("Saved to", "./" + loaded.path + " (mode 0600), so the key survives a restart");
  out += line("Try it", "kilat tail " + app.id + "        and in another terminal:   kilat publish " + app.id +
                            R"( chat hello '{"text":"hi"}')");
  return out + "\n";
}

}  // namespace kilat::cli
