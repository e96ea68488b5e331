#include "config/schema.h"

#include <array>
#include <limits>

#include "config/field.h"
#include "config/text_rules.h"

namespace kilat::config {
namespace {

using hub::AppSettings;
using enum Unit;

constexpr uint64_t kKi = 1024;
constexpr uint64_t kMi = 1024 * kKi;
constexpr uint64_t kGi = 1024 * kMi;
constexpr uint64_t kAny = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kHour = 3'600'000;  // ms
constexpr uint64_t kYear = 365 * 86'400;

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kFormats{"auto", "human", "json"};            // order of LogFormat
constexpr std::array<std::string_view, 3> kCompressions{"off", "shared", "dedicated"};  // order of Compression
constexpr std::array<std::string_view, 2> kQuotaCodes{"4004", "4100"};

constexpr auto kServer = &Settings::server;
constexpr auto kHttp = &Settings::http;
constexpr auto kLimits = &Settings::limits;
constexpr auto kLog = &Settings::log;
using S = ServerSettings;
using H = HttpSettings;
using L = LimitSettings;
using A = AppSettings;

constexpr std::array kRows = std::to_array<Row>({
    listen_row("server.listen", "Address and port in one; use it, or host and port.", R"("0.0.0.0:6001")"),
    text<kServer, &S::host>("server.host", Type::kText, 1, 64, host_rule, "IP address to listen on.", R"("0.0.0.0")"),
    number<kServer, &S::port>("server.port", kNone, 0, 65'535, "TCP port; 0: the kernel picks one.", "6001"),
    number<kServer, &S::shards>("server.shards", kNone, 0, 64, "Threads with a loop each; 0: one per hardware thread.",
                                "4"),
    text<kServer, &S::path_prefix>("server.path_prefix", Type::kText, 0, 128, path_prefix_rule,
                                   "Put before every path, for servers behind a proxy.", R"("/ws")"),
    number<kServer, &S::max_connections>("server.max_connections", kNone, 0, kAny,
                                         "Connections of all apps together; 0: no limit.", "20000"),
    flag<kServer, &S::strict_protocol>("server.strict_protocol", "Refuse connections without ?protocol=."),
    flag<kServer, &S::strict_channel_names>("server.strict_channel_names",
                                            "Refuse characters that Pusher does not allow in channel names."),
    number<kServer, &S::drain_ms>("server.drain_ms", kMilliseconds, 0, kHour,
                                  "Closes are spread over this time on SIGTERM.", "3000"),
    flag<kServer, &S::live_page>("server.live_page", "Serve the live telemetry page at /live/."),

    number<kHttp, &H::header_bytes_max>("http.header_bytes_max", kBytes, kKi, kMi, "Largest request header.",
                                        R"("16KiB")"),
    number<kHttp, &H::body_bytes_max>("http.body_bytes_max", kBytes, kKi, kGi, "Largest request body.", R"("1MiB")"),
    number<kHttp, &H::handshake_timeout_ms>("http.handshake_timeout_ms", kMilliseconds, 100, kHour,
                                            "Time for the first complete request of a connection.", "10000"),
    number<kHttp, &H::request_timeout_ms>("http.request_timeout_ms", kMilliseconds, 100, kHour,
                                          "Time for a later request, from its first byte.", "30000"),
    number<kHttp, &H::keep_alive_timeout_ms>("http.keep_alive_timeout_ms", kMilliseconds, 100, kHour,
                                             "Idle time between two requests.", "75000"),
    text_list<kHttp, &H::cors_origins>("http.cors_origins", 100, "Origins that browsers may call the API from.",
                                       R"(["https://shop.example"])"),

    number<kLimits, &L::message_bytes_max>("limits.message_bytes_max", kBytes, kKi, 16 * kMi,
                                           "Largest WebSocket message from a client.", R"("128KiB")"),
    number<kLimits, &L::outbox_bytes_max>("limits.outbox_bytes_max", kBytes, 16 * kKi, kGi,
                                          "Bytes waiting for one reader before it is closed.", R"("1MiB")"),
    number<kLimits, &L::outbox_soft_bytes>("limits.outbox_soft_bytes", kBytes, 4 * kKi, kGi,
                                           "Bytes waiting that a reader may have for outbox_soft_ms only.",
                                           R"("256KiB")"),
    number<kLimits, &L::outbox_soft_ms>("limits.outbox_soft_ms", kMilliseconds, 100, kHour,
                                        "How long a reader may stay above outbox_soft_bytes.", "10000"),
    number<kLimits, &L::shard_budget_bytes>("limits.shard_budget_bytes", kBytes, kMi, 1024 * kGi,
                                            "Outboxes of one shard together; the largest is closed first.",
                                            R"("512MiB")"),
    number<kLimits, &L::linger_ms_max>("limits.linger_ms_max", kMilliseconds, 0, 100,
                                       "How long a busy shard lets frames gather before it sends; 0: never.", "5"),
    number<kLimits, &L::mailbox_slots>("limits.mailbox_slots", kNone, 1024, 16 * kMi,
                                       "Messages in flight from one shard to another.", "65536"),
    number<kLimits, &L::malformed_per_minute>("limits.malformed_per_minute", kNone, 1, 100'000,
                                              "Malformed messages of one connection before it is closed.", "10"),

    choice<kLog, &LogSettings::level>("log.level", kLevels, "The least grave lines that are written.", R"("info")"),
    choice<kLog, &LogSettings::format>("log.format", kFormats, "auto: for people on a terminal, JSON otherwise.",
                                       R"("json")"),

    text<&A::id>("app.id", Type::kId, 1, 64, url_word_rule, "Name of the app in API paths; must be unique.",
                 R"("shop")"),
    text<&A::key>("app.key", Type::kText, 1, 64, url_word_rule, "Public key of the app; must be unique.",
                  R"("kd_7f3c1b9e04")"),
    text<&A::secret>("app.secret", Type::kSecret, 1, 256, nullptr, "Signs API requests and channel authorisations.",
                     R"("a long random text")"),
    flag<&A::enabled>("app.enabled", "false: every connection and request of the app is refused.", "false"),
    number<&A::max_connections>("app.max_connections", kNone, 0, kAny, "Connections of this app; 0: no limit.", "1000"),
    choice<&A::over_quota_code>("app.over_quota_code", kQuotaCodes,
                                "Close code above max_connections: 4004 clients give up, 4100 they retry.", "4100"),
    flag<&A::tls_only>("app.tls_only", "Refuse plain connections."),
    text_list<&A::allowed_origins>("app.allowed_origins", 100, "Hosts that pages may connect from; * is a wildcard.",
                                   R"(["*.shop.example"])"),
    flag<&A::client_events>("app.client_events", "Allow client- events on private and presence channels."),
    flag<&A::client_events_on_public>("app.client_events_on_public", "Allow them on public channels too."),
    flag<&A::client_events_on_encrypted>("app.client_events_on_encrypted", "Allow them on encrypted channels too."),
    number<&A::client_events_per_second>("app.client_events_per_second", kPerSecond, 0, 1'000'000,
                                         "Client events of one connection; 0: no limit.", "10"),
    number<&A::backend_events_per_second>("app.backend_events_per_second", kPerSecond, 0, 100'000'000,
                                          "Published events, each counted once per channel; 0: no limit.", "5000"),
    number<&A::read_requests_per_second>("app.read_requests_per_second", kPerSecond, 0, 100'000'000,
                                         "Reading requests to the API; 0: no limit.", "100"),
    flag<&A::user_authentication>("app.user_authentication", "Allow pusher:signin.", "false"),
    flag<&A::require_authorization>("app.require_authorization",
                                    "Close connections that neither sign in nor join a private channel."),
    number<&A::auth_timeout_ms>("app.auth_timeout_ms", kMilliseconds, 100, kHour,
                                "Time that require_authorization gives.", "30000"),
    number<&A::activity_timeout_s>("app.activity_timeout_s", kSeconds, 1, 86'400,
                                   "Silence after which a client, then the server, asks with a ping.", "120"),
    number<&A::pong_timeout_ms>("app.pong_timeout_ms", kMilliseconds, 100, kHour, "Time for the answer to that ping.",
                                "30000"),
    flag<&A::subscription_count>("app.subscription_count", "Tell subscribers how many there are."),
    flag<&A::strict_errors>("app.strict_errors", "Answer a refused subscription with pusher:error 4009."),
    number<&A::subscriptions_max>("app.subscriptions_max", kNone, 1, 1'000'000, "Channels of one connection.", "1000"),
    number<&A::channel_name_max>("app.channel_name_max", kBytes, 1, 1024, "Longest channel name.", "200"),
    number<&A::event_name_max>("app.event_name_max", kBytes, 1, 1024, "Longest event name.", "200"),
    number<&A::event_bytes_max>("app.event_bytes_max", kBytes, 1, 16 * kMi, "Largest data of one event.",
                                R"("100KiB")"),
    number<&A::channels_per_event_max>("app.channels_per_event_max", kNone, 1, 10'000,
                                       "Channels that one API event may name.", "100"),
    number<&A::batch_max>("app.batch_max", kNone, 1, 10'000, "Events of one API batch.", "10"),
    number<&A::presence_members_max>("app.presence_members_max", kNone, 1, 1'000'000, "Members of a presence channel.",
                                     "100"),
    number<&A::presence_member_bytes_max>("app.presence_member_bytes_max", kBytes, 16, kMi,
                                          "Largest user_info of a member.", R"("2KiB")"),
    number<&A::user_id_max>("app.user_id_max", kBytes, 1, 1024, "Longest user id.", "128"),
    number<&A::watchlist_max>("app.watchlist_max", kNone, 0, 10'000, "Users that one connection may watch.", "100"),
    number<&A::cache_ttl_s>("app.cache_ttl_s", kSeconds, 1, kYear, "How long a cache channel keeps its last event.",
                            "3600"),
    choice<&A::compression>("app.compression", kCompressions,
                            "permessage-deflate: shared compresses an event once for all, dedicated per connection.",
                            R"("shared")"),
    flag<&A::linger>("app.linger", "Whether a busy shard may let this app's frames gather (limits.linger_ms_max)."),
});

}  // namespace

std::span<const Row> schema() {
  return kRows;
}

const Row* find_row(std::string_view key) {
  for (const Row& row : kRows) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace kilat::config
