#include "app/shard_limits.h"

#include <algorithm>

#include "config/namespaces.h"

namespace kilat::app {

socketio::Options socketio_options(const config::Settings& settings, const hub::AppTable& apps) {
  const config::SocketIoSettings& from = settings.socketio;
  const auto allowed = [&from](std::string_view transport) {
    return std::ranges::find(from.transports, transport) != from.transports.end();
  };
  const auto index_of = [&apps](const std::string& id) -> std::optional<hub::AppIndex> {
    const hub::App* app = apps.by_id(id);
    return app != nullptr ? std::optional(app->index) : std::nullopt;
  };
  socketio::Options options{.enabled = from.enabled,
                            .polling = allowed("polling"),
                            .websocket = allowed("websocket"),
                            .upgrades = from.upgrades,
                            .ping_interval_ms = from.ping_interval_ms,
                            .ping_timeout_ms = from.ping_timeout_ms,
                            .upgrade_timeout_ms = from.upgrade_timeout_ms,
                            .connect_timeout_ms = from.connect_timeout_ms,
                            .message_bytes_max = from.message_bytes_max,
                            .attachments_max = from.attachments_max,
                            .binary_bytes_max = from.binary_bytes_max,
                            .namespaces_max = from.namespaces_max,
                            .recovery_ms = from.recovery_ms,
                            .recovery_bytes_max = from.recovery_bytes_max,
                            .cookie = from.cookie,
                            .compression = from.compression,
                            .http_compression = from.http_compression,
                            .protocol_suite = from.protocol_suite,
                            .strict_channel_names = settings.server.strict_channel_names,
                            .namespaces = {}};
  const hub::AppIndex first = from.app.empty() ? hub::AppIndex{0} : index_of(from.app).value_or(hub::AppIndex{0});
  options.namespaces.push_back({.name = "/", .app = first, .scope = {}});
  for (const std::string& text : from.namespaces) {
    const config::NamespaceEntry entry = config::parse_namespace(text);
    const std::optional<hub::AppIndex> app = entry.app.empty() ? first : index_of(entry.app);
    if (app) options.namespaces.push_back({.name = entry.name, .app = *app, .scope = entry.scope});
  }
  if (from.protocol_suite) options.namespaces.push_back({.name = "/custom", .app = first, .scope = "custom:"});
  return options;
}

}  // namespace kilat::app
