#include "config/foreign_table.h"

#include <array>
#include <string>
#include <utility>

namespace kilat::config {
namespace {

using enum Dialect;
using enum Convert;

constexpr std::string_view kOneNode = "this server is a node of its own; nothing is shared with others";
constexpr std::string_view kFileApps = "apps come from the configuration, not from a database";
constexpr std::string_view kWebhooks = "webhooks are not sent";
constexpr std::string_view kClientSide = "what Laravel connects to; the server does not need it";

constexpr ForeignRow soketi(std::string_view variable, std::string_view option, std::string_view key,
                            Convert convert = kAsIs) {
  return {kSoketi, variable, option, key, convert, {}, {}};
}

constexpr ForeignRow soketi_lost(std::string_view variable, std::string_view option, std::string_view note,
                                 std::string_view fine = {}) {
  return {kSoketi, variable, option, {}, kAsIs, fine, note};
}

constexpr ForeignRow reverb(std::string_view variable, std::string_view key, Convert convert = kAsIs) {
  return {kReverb, variable, {}, key, convert, {}, {}};
}

constexpr ForeignRow reverb_lost(std::string_view variable, std::string_view note, std::string_view fine = {}) {
  return {kReverb, variable, {}, {}, kAsIs, fine, note};
}

constexpr ForeignRow laravel(std::string_view variable, std::string_view key) {
  return {kLaravel, variable, {}, key, kAsIs, {}, {}};
}

constexpr std::array kRows = std::to_array<ForeignRow>({
    soketi("SOKETI_HOST", "host", "server.host"),
    soketi("SOKETI_PORT", "port", "server.port"),
    soketi("SOKETI_PATH_PREFIX", "pathPrefix", "server.path_prefix", kPath),
    soketi("SOKETI_DEBUG", "debug", "log.level", kDebug),
    soketi("SOKETI_SHUTDOWN_GRACE_PERIOD", "shutdownGracePeriod", "server.drain_ms", kNumber),
    soketi("SOKETI_USER_AUTHENTICATION_TIMEOUT", "userAuthenticationTimeout", "app.auth_timeout_ms", kNumber),
    soketi("", "httpApi.requestLimitInMb", "http.body_bytes_max", kMebibytes),
    soketi("SOKETI_HTTP_MAX_REQUEST_SIZE", "", "http.body_bytes_max", kMebibytes),
    soketi("", "cors.origin", "http.cors_origins"),
    soketi("SOKETI_SSL_CERT", "ssl.certPath", "tls.certificate"),
    soketi("SOKETI_SSL_KEY", "ssl.keyPath", "tls.key"),
    soketi("SOKETI_HTTP_ACCEPT_TRAFFIC_MEMORY_THRESHOLD", "httpApi.acceptTraffic.memoryThreshold",
           "health.memory_percent_max", kNumber),
    soketi("SOKETI_METRICS_ENABLED", "metrics.enabled", "metrics.listen", kMetricsOn),
    soketi("SOKETI_METRICS_HOST", "metrics.host", "metrics.listen", kHost),
    soketi("SOKETI_METRICS_SERVER_PORT", "metrics.port", "metrics.listen", kPort),
    soketi("SOKETI_METRICS_PROMETHEUS_PREFIX", "metrics.prometheus.prefix", "metrics.soketi_prefix"),
    soketi("SOKETI_DEFAULT_APP_ID", "apps.id", "app.id"),
    soketi("SOKETI_DEFAULT_APP_KEY", "apps.key", "app.key"),
    soketi("SOKETI_DEFAULT_APP_SECRET", "apps.secret", "app.secret"),
    soketi("SOKETI_DEFAULT_APP_ENABLED", "apps.enabled", "app.enabled"),
    soketi("SOKETI_DEFAULT_APP_MAX_CONNS", "apps.maxConnections", "app.max_connections", kLimit),
    soketi("SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES", "apps.enableClientMessages", "app.client_events"),
    soketi("SOKETI_DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", "apps.maxBackendEventsPerSecond",
           "app.backend_events_per_second", kLimit),
    soketi("SOKETI_DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SEC", "apps.maxClientEventsPerSecond",
           "app.client_events_per_second", kLimit),
    soketi("SOKETI_DEFAULT_APP_MAX_READ_REQ_PER_SEC", "apps.maxReadRequestsPerSecond", "app.read_requests_per_second",
           kLimit),
    soketi("SOKETI_DEFAULT_APP_USER_AUTHENTICATION", "apps.enableUserAuthentication", "app.user_authentication"),
    soketi("", "apps.maxPresenceMembersPerChannel", "app.presence_members_max", kNumber),
    soketi("", "apps.maxPresenceMemberSizeInKb", "app.presence_member_bytes_max", kKibibytes),
    soketi("", "apps.maxChannelNameLength", "app.channel_name_max", kNumber),
    soketi("", "apps.maxEventChannelsAtOnce", "app.channels_per_event_max", kNumber),
    soketi("", "apps.maxEventNameLength", "app.event_name_max", kNumber),
    soketi("", "apps.maxEventPayloadInKb", "app.event_bytes_max", kKibibytes),
    soketi("", "apps.maxEventBatchSize", "app.batch_max", kNumber),
    soketi("SOKETI_CHANNEL_LIMITS_MAX_NAME_LENGTH", "channelLimits.maxNameLength", "app.channel_name_max", kNumber),
    soketi("SOKETI_CHANNEL_MAX_NAME_LENGTH", "", "app.channel_name_max", kNumber),
    soketi("SOKETI_CHANNEL_CACHE_TTL", "channelLimits.cacheTtl", "app.cache_ttl_s", kNumber),
    soketi("SOKETI_EVENT_MAX_CHANNELS_AT_ONCE", "eventLimits.maxChannelsAtOnce", "app.channels_per_event_max", kNumber),
    soketi("SOKETI_EVENT_MAX_NAME_LENGTH", "eventLimits.maxNameLength", "app.event_name_max", kNumber),
    soketi("SOKETI_EVENT_MAX_SIZE_IN_KB", "eventLimits.maxPayloadInKb", "app.event_bytes_max", kKibibytes),
    soketi("SOKETI_EVENT_MAX_BATCH_SIZE", "eventLimits.maxBatchSize", "app.batch_max", kNumber),
    soketi("SOKETI_PRESENCE_MAX_MEMBERS", "presence.maxMembersPerChannel", "app.presence_members_max", kNumber),
    soketi("SOKETI_PRESENCE_MAX_MEMBER_SIZE", "presence.maxMemberSizeInKb", "app.presence_member_bytes_max",
           kKibibytes),

    soketi_lost("SOKETI_DEFAULT_APP_WEBHOOKS", "apps.webhooks*", kWebhooks, "[]"),
    soketi_lost("SOKETI_WEBHOOKS_*", "webhooks.*", kWebhooks, "false"),
    soketi_lost("SOKETI_MODE", "mode", "Kilat has no workers; it runs as a server", "full,server"),
    soketi_lost("SOKETI_SSL_CA", "ssl.caPath", "append the chain to the file of the certificate"),
    soketi_lost("SOKETI_SSL_PASS", "ssl.passphrase", "take the passphrase off the key: openssl pkey -in KEY -out KEY2"),
    soketi_lost("", "cors.*", "the other CORS headers are fixed"),
    soketi_lost("SOKETI_APP_MANAGER_DRIVER", "appManager.driver", kFileApps, "array"),
    soketi_lost("SOKETI_APP_MANAGER_*", "appManager.*", kFileApps, "false"),
    soketi_lost("SOKETI_DB_*", "database.*", "Kilat opens no database and no Redis"),
    soketi_lost("", "databasePooling.*", "Kilat opens no database", "false"),
    soketi_lost("SOKETI_ADAPTER_DRIVER", "adapter.driver", kOneNode, "local"),
    soketi_lost("SOKETI_ADAPTER_*", "adapter.*", kOneNode),
    soketi_lost("SOKETI_CLUSTER_*", "cluster.*", kOneNode),
    soketi_lost("SOKETI_CACHE_DRIVER", "cache.driver", "cached events are kept in memory", "memory"),
    soketi_lost("SOKETI_CACHE_*", "cache.*", "cached events are kept in memory"),
    soketi_lost("SOKETI_QUEUE_DRIVER", "queue.driver", kWebhooks, "sync"),
    soketi_lost("SOKETI_QUEUE_*", "queue.*", kWebhooks),
    soketi_lost("SOKETI_RATE_LIMITER_DRIVER", "rateLimiter.driver", kOneNode, "local"),
    soketi_lost("SOKETI_RATE_LIMITER_*", "rateLimiter.*", kOneNode),
    soketi_lost("SOKETI_METRICS_DRIVER", "metrics.driver", "metrics are for Prometheus", "prometheus"),

    reverb("REVERB_SERVER_HOST", "server.host"),
    reverb("REVERB_SERVER_PORT", "server.port"),
    reverb("REVERB_SERVER_PATH", "server.path_prefix", kPath),
    reverb("REVERB_MAX_REQUEST_SIZE", "http.body_bytes_max", kNumber),
    reverb("REVERB_APP_ID", "app.id"),
    reverb("REVERB_APP_KEY", "app.key"),
    reverb("REVERB_APP_SECRET", "app.secret"),
    reverb("REVERB_APP_ACTIVITY_TIMEOUT", "app.activity_timeout_s", kNumber),
    reverb("REVERB_APP_MAX_CONNECTIONS", "app.max_connections", kLimit),
    reverb("REVERB_APP_MAX_MESSAGE_SIZE", "limits.message_bytes_max", kNumber),
    reverb("REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM", "app.client_events", kClientEvents),
    reverb_lost("REVERB_HOST", kClientSide, "*"),
    reverb_lost("REVERB_PORT", kClientSide, "*"),
    reverb_lost("REVERB_SCHEME", kClientSide, "*"),
    reverb_lost("REVERB_SERVER", "there is one kind of server", "reverb"),
    reverb_lost("REVERB_APP_PING_INTERVAL", "a silent client is asked after 1.25 times the activity timeout"),
    reverb_lost("REVERB_APP_RATE_LIMITING_ENABLED",
                "see app.client_events_per_second and app.client_messages_per_second", "false,0"),
    reverb_lost("REVERB_APP_RATE_LIMIT_*", "counts only with REVERB_APP_RATE_LIMITING_ENABLED", "*"),
    reverb_lost("REVERB_SCALING_ENABLED", kOneNode, "false,0"),
    reverb_lost("REVERB_SCALING_*", "counts only with REVERB_SCALING_ENABLED", "*"),
    reverb_lost("REVERB_PULSE_*", "nothing is reported to Laravel Pulse"),
    reverb_lost("REVERB_TELESCOPE_*", "nothing is reported to Laravel Telescope"),

    laravel("PUSHER_APP_ID", "app.id"),
    laravel("PUSHER_APP_KEY", "app.key"),
    laravel("PUSHER_APP_SECRET", "app.secret"),
});

constexpr std::array kDefaults = std::to_array<ForeignDefault>({
    {kSoketi, "server.host", "0.0.0.0"},
    {kSoketi, "http.body_bytes_max", "100MiB"},
    {kSoketi, "metrics.soketi_prefix", "soketi_"},
    {kSoketi, "app.client_events_per_second", "0"},
    {kSoketi, "app.client_events_on_public", "true"},
    {kReverb, "server.host", "0.0.0.0"},
    {kReverb, "server.port", "8080"},
    {kReverb, "app.activity_timeout_s", "30"},
    {kReverb, "app.client_events", "true"},
    {kReverb, "app.client_events_per_second", "0"},
    {kReverb, "app.client_events_on_public", "true"},
});

// Names of an app's own options that differ by more than case and underscores.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kSynonyms{{
    {"appid", "id"},
    {"appkey", "key"},
    {"appsecret", "secret"},
    {"maxbackendeventspersec", "maxbackendeventspersecond"},
    {"maxclienteventspersec", "maxclienteventspersecond"},
    {"maxreadreqpersec", "maxreadrequestspersecond"},
}};

constexpr std::string_view kApps = "apps.";

std::string plain_spelling(std::string_view option) {
  if (!option.starts_with(kApps)) return std::string(option);
  std::string name;
  for (const char c : option.substr(kApps.size())) {
    if (c != '_') name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  for (const auto& [other, usual] : kSynonyms) {
    if (name == other) name = usual;
  }
  return std::string(kApps) + name;
}

template <typename NameOf>
const ForeignRow* find(std::string_view wanted, NameOf name_of) {
  const ForeignRow* best = nullptr;
  size_t best_length = 0;
  for (const ForeignRow& row : kRows) {
    const std::string name = name_of(row);
    if (name.empty()) continue;
    if (name == wanted) return &row;
    const bool family = name.ends_with('*') && wanted.starts_with(std::string_view(name).substr(0, name.size() - 1));
    if (family && name.size() > best_length) {
      best = &row;
      best_length = name.size();
    }
  }
  return best;
}

}  // namespace

std::span<const ForeignRow> foreign_table() {
  return kRows;
}

std::span<const ForeignDefault> foreign_defaults() {
  return kDefaults;
}

std::string_view dialect_name(Dialect dialect) {
  switch (dialect) {
    case kSoketi: return "Soketi";
    case kReverb: return "Reverb";
    case kLaravel: return "Laravel";
    case kNone: break;
  }
  return {};
}

const ForeignRow* find_foreign_variable(std::string_view variable) {
  return find(variable, [](const ForeignRow& row) { return std::string(row.variable); });
}

const ForeignRow* find_foreign_option(std::string_view option) {
  return find(plain_spelling(option), [](const ForeignRow& row) { return plain_spelling(row.option); });
}

}  // namespace kilat::config
