#include "config/schema.h"

#include <array>
#include <limits>

#include "config/field.h"
#include "config/namespaces.h"
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
constexpr uint64_t kYear9999 = 253'402'300'799;  // its last second since 1970

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 3> kFormats{"auto", "human", "json"};            // order of LogFormat
constexpr std::array<std::string_view, 3> kCompressions{"off", "shared", "dedicated"};  // order of Compression
constexpr std::array<std::string_view, 2> kForwarded{"x-forwarded-for", "forwarded"};   // order of ForwardedHeader
constexpr std::array<std::string_view, 3> kClientCertificates{"off", "optional", "required"};  // and its enum
constexpr std::array<std::string_view, 2> kQuotaCodes{"4004", "4100"};

constexpr auto kServer = &Settings::server;
constexpr auto kTls = &Settings::tls;
constexpr auto kHttp = &Settings::http;
constexpr auto kLimits = &Settings::limits;
constexpr auto kLog = &Settings::log;
constexpr auto kMetrics = &Settings::metrics;
constexpr auto kHealth = &Settings::health;
constexpr auto kAppStore = &Settings::app_store;
constexpr auto kHistory = &Settings::history;
constexpr auto kIngest = &Settings::ingest;
constexpr auto kSocketIo = &Settings::socketio;
using S = ServerSettings;
using T = TlsSettings;
using H = HttpSettings;
using L = LimitSettings;
using A = AppSettings;
using J = auth::JwtSettings;
using B = auth::BackendSettings;
using I = SocketIoSettings;
using N = hub::IngestSettings;

constexpr std::array kRows = std::to_array<Row>({
    listen_row("server.listen", 16,
               "Addresses with words behind them: tls, proxy_protocol, and mode= for a Unix socket. "
               "The first is also host and port.",
               R"(["0.0.0.0:6001", "0.0.0.0:6002 tls", "unix:/run/kilat.sock mode=0660"])"),
    text<kServer, &S::host>("server.host", Type::kText, 1, 64, host_rule, "IP address to listen on.", R"("0.0.0.0")"),
    number<kServer, &S::port>("server.port", kNone, 0, 65'535, "TCP port; 0: the kernel picks one.", "6001"),
    checked(network_rule, text_list<kServer, &S::trusted_proxies>(
                              "server.trusted_proxies", 256,
                              "Proxies that may say who their client is; unix: all that use a Unix socket.",
                              R"(["127.0.0.1", "10.0.0.0/8", "unix"])")),
    choice<kServer, &S::forwarded_header>(
        "server.forwarded_header", kForwarded,
        "The header that these proxies set; the other is ignored, because clients may write it.", R"("forwarded")"),
    because("each pair of shards has a mailbox, so memory grows with the square",
            number<kServer, &S::shards>("server.shards", kNone, 0, 64,
                                        "Threads with a loop each; 0: one per hardware thread.", "4")),
    text<kServer, &S::path_prefix>("server.path_prefix", Type::kText, 0, 128, path_prefix_rule,
                                   "Put before every path, for servers behind a proxy.", R"("/ws")"),
    live(number<kServer, &S::max_connections>("server.max_connections", kNone, 0, kAny,
                                              "Connections of all apps together; 0: no limit.", "20000")),
    live(flag<kServer, &S::strict_protocol>("server.strict_protocol", "Refuse connections without ?protocol=.")),
    live(flag<kServer, &S::strict_channel_names>("server.strict_channel_names",
                                                 "Refuse characters that Pusher does not allow in channel names.")),
    because("a process manager would end the server before",
            live(number<kServer, &S::drain_ms>("server.drain_ms", kMilliseconds, 0, kHour,
                                               "Closes are spread over this time on SIGTERM.", "3000"))),
    flag<kServer, &S::live_page>("server.live_page", "Serve the live telemetry page at /live/."),
    text<kServer, &S::pid_file>("server.pid_file", Type::kText, 0, 4096, nullptr,
                                "File for the process number, for `kilat reload`; \"\": none.",
                                R"("/run/kilat/kilat.pid")"),

    text_list<kTls, &T::certificate>("tls.certificate", net::TlsContext::kPairsMax,
                                     "PEM files, each a certificate and its chain: for each set of names one for each "
                                     "kind of key.",
                                     R"(["/etc/kilat/ecdsa.pem", "/etc/kilat/rsa.pem"])"),
    text_list<kTls, &T::key>("tls.key", net::TlsContext::kPairsMax, "PEM files with their keys, in the same order.",
                             R"(["/etc/kilat/ecdsa.key", "/etc/kilat/rsa.key"])"),
    choice<kTls, &T::client_certificates>("tls.client_certificates", kClientCertificates,
                                          "Whether clients must show a certificate of tls.client_ca.", R"("required")"),
    text<kTls, &T::client_ca>("tls.client_ca", Type::kText, 0, 4096, nullptr,
                              "PEM file with the authorities of client certificates.", R"("/etc/kilat/clients.pem")"),
    flag<kTls, &T::ktls>("tls.ktls", "Let the kernel encrypt, where it has TLS of its own (kTLS)."),

    because("a WebSocket handshake takes about 1KiB; every new connection may hold this much before it is known",
            live(number<kHttp, &H::header_bytes_max>("http.header_bytes_max", kBytes, kKi, kMi,
                                                     "Largest request header.", R"("16KiB")"))),
    because("a body is kept in memory as a whole before it is looked at",
            live(number<kHttp, &H::body_bytes_max>("http.body_bytes_max", kBytes, kKi, kGi, "Largest request body.",
                                                   R"("1MiB")"))),
    because(
        "a slow phone needs a second; without an end idle sockets would gather",
        live(number<kHttp, &H::handshake_timeout_ms>("http.handshake_timeout_ms", kMilliseconds, 100, kHour,
                                                     "Time for the first complete request of a connection.", "10000"))),
    because("without an end half-sent requests would gather",
            live(number<kHttp, &H::request_timeout_ms>("http.request_timeout_ms", kMilliseconds, 100, kHour,
                                                       "Time for a later request, from its first byte.", "30000"))),
    live(number<kHttp, &H::keep_alive_timeout_ms>("http.keep_alive_timeout_ms", kMilliseconds, 100, kHour,
                                                  "Idle time between two requests.", "75000")),
    live(text_list<kHttp, &H::cors_origins>("http.cors_origins", 100, "Origins that browsers may call the API from.",
                                            R"(["https://shop.example"])")),

    because("every connection may hold twice this in memory",
            live(number<kLimits, &L::message_bytes_max>("limits.message_bytes_max", kBytes, kKi, 16 * kMi,
                                                        "Largest WebSocket message from a client.", R"("128KiB")"))),
    because(
        "below 16KiB one event could close its reader, and every slow reader may hold this much",
        live(number<kLimits, &L::outbox_bytes_max>("limits.outbox_bytes_max", kBytes, 16 * kKi, kGi,
                                                   "Bytes waiting for one reader before it is closed.", R"("1MiB")"))),
    live(number<kLimits, &L::outbox_soft_bytes>("limits.outbox_soft_bytes", kBytes, 4 * kKi, kGi,
                                                "Bytes waiting that a reader may have for outbox_soft_ms only.",
                                                R"("256KiB")")),
    live(number<kLimits, &L::outbox_soft_ms>("limits.outbox_soft_ms", kMilliseconds, 100, kHour,
                                             "How long a reader may stay above outbox_soft_bytes.", "10000")),
    because("it must hold at least one outbox",
            live(number<kLimits, &L::shard_budget_bytes>("limits.shard_budget_bytes", kBytes, kMi, 1024 * kGi,
                                                         "Outboxes and unfinished messages and request bodies of one "
                                                         "shard together; the largest is closed first.",
                                                         R"("512MiB")"))),
    because("readers feel a wait above a tenth of a second",
            live(number<kLimits, &L::linger_ms_max>(
                "limits.linger_ms_max", kMilliseconds, 0, 100,
                "How long a busy shard lets frames gather before it sends; 0: never.", "5"))),
    because(
        "each pair of shards has a mailbox, and each slot takes memory from the start",
        number<kLimits, &L::mailbox_slots>("limits.mailbox_slots", kNone, 1024, 16 * kMi,
                                           "Messages in flight from one shard to another; fewer where all mailboxes "
                                           "together would take more than 256 MiB.",
                                           "65536")),
    live(number<kLimits, &L::history_bytes_max>("limits.history_bytes_max", kBytes, kMi, 1024 * kGi,
                                                "Past events that a shard keeps in memory, see app.history; the "
                                                "channels that were quiet for longest go first.",
                                                R"("256MiB")")),
    live(number<kLimits, &L::malformed_per_minute>("limits.malformed_per_minute", kNone, 1, 100'000,
                                                   "Malformed messages of one connection before it is closed.", "10")),
    live(number<kLimits, &L::connections_per_ip_max>(
        "limits.connections_per_ip_max", kNone, 0, kAny,
        "Connections of one client address (IPv6: of one /64), loopback and trusted proxies excepted; 0: no limit.",
        "1000")),
    because("a larger bucket than 10,000,000 could not be counted exactly",
            live(number<kLimits, &L::connects_per_ip_per_second>(
                "limits.connects_per_ip_per_second", kPerSecond,
                0, 1'000'000, "New connections of one such address, ten times as many at once; 0: no limit.", "50"))),
    live(number<kLimits, &L::http_connections_max>(
        "limits.http_connections_max", kNone, 0, kAny,
        "Connections of all shards that have not become a WebSocket; 0: no limit.", "65536")),

    text<kMetrics, &MetricsSettings::listen>("metrics.listen", Type::kText, 0, 80, optional_listen_rule,
                                             "Address and port of /metrics, without a password; \"\": none.",
                                             R"("127.0.0.1:9601")"),
    live(text<kMetrics, &MetricsSettings::soketi_prefix>(
        "metrics.soketi_prefix", Type::kText, 0, 32, metric_prefix_rule,
        "Shows Soketi's names of metrics too, behind this prefix; \"\": not.", R"("soketi_")")),

    live(number<kHealth, &HealthSettings::memory_percent_max>(
        "health.memory_percent_max", kNone, 0, 100,
        "Memory in use, in percent of what the process may have, above which it is not ready; 0: any.", "85")),

    live(choice<kLog, &LogSettings::level>("log.level", kLevels, "The least grave lines that are written.",
                                           R"("info")")),
    choice<kLog, &LogSettings::format>("log.format", kFormats, "auto: for people on a terminal, JSON otherwise.",
                                       R"("json")"),

    flag<kSocketIo, &I::enabled>("socketio.enabled", "Speak Socket.IO, beside Pusher's protocol."),
    text<kSocketIo, &I::path>("socketio.path", Type::kText, 1, 128, path_prefix_rule,
                              "Path of Socket.IO, below server.path_prefix.", R"("/socket.io/")"),
    text<kSocketIo, &I::app>("socketio.app", Type::kText, 0, 64, nullptr,
                             "Id of the app of the namespace /; \"\": the first app.", R"("shop")"),
    checked(namespace_rule,
            text_list<kSocketIo, &I::namespaces>(
                "socketio.namespaces", 255,
                "More namespaces: a name, and words behind it: app= for the id of another app, scope= for "
                "what stands before its rooms.",
                R"(["/custom", "/shop app=shop scope=shop."])")),
    checked(transport_rule, text_list<kSocketIo, &I::transports>("socketio.transports", 2, "What a client may use.",
                                                                 R"(["websocket"])")),
    flag<kSocketIo, &I::upgrades>("socketio.upgrades", "Let clients go from polling to a WebSocket."),
    because("pings of thousands of clients cost more than they tell",
            number<kSocketIo, &I::ping_interval_ms>("socketio.ping_interval_ms", kMilliseconds, 100, kHour,
                                                    "Time between two pings.", "25000")),
    number<kSocketIo, &I::ping_timeout_ms>("socketio.ping_timeout_ms", kMilliseconds, 100, kHour,
                                           "Time for the answer to a ping.", "20000"),
    number<kSocketIo, &I::upgrade_timeout_ms>("socketio.upgrade_timeout_ms", kMilliseconds, 100, kHour,
                                              "Time for an upgrade; then the session goes on polling.", "10000"),
    number<kSocketIo, &I::connect_timeout_ms>("socketio.connect_timeout_ms", kMilliseconds, 100, kHour,
                                              "Time in which a client must join a namespace.", "45000"),
    because("every client may send this much before it is known",
            number<kSocketIo, &I::message_bytes_max>("socketio.message_bytes_max", kBytes, kKi, 256 * kMi,
                                                     "Largest message, and largest body of a POST.", R"("1MiB")")),
    because("socket.io clients refuse more than ten",
            number<kSocketIo, &I::attachments_max>("socketio.attachments_max", kNone, 1, 10'000,
                                                   "Binary values in one event of a client.", "10")),
    number<kSocketIo, &I::binary_bytes_max>("socketio.binary_bytes_max", kBytes, kKi, kGi,
                                            "Bytes of all binary values of one event.", R"("4MiB")"),
    number<kSocketIo, &I::namespaces_max>("socketio.namespaces_max", kNone, 1, 1000, "Namespaces of one connection.",
                                          "20"),
    text<kSocketIo, &I::cookie>("socketio.cookie", Type::kText, 0, 64, url_word_rule,
                                "Name of a cookie with the id of the session, for load balancers; \"\": none.",
                                R"("io")"),
    flag<kSocketIo, &I::compression>("socketio.compression", "Compress WebSocket messages (permessage-deflate)."),
    flag<kSocketIo, &I::http_compression>("socketio.http_compression",
                                          "Compress polling answers from 1 KiB on (gzip)."),
    because("a socket that waits goes on reading its rooms",
            number<kSocketIo, &I::recovery_ms>("socketio.recovery_ms", kMilliseconds, 0, kHour,
                                               "How long a client may be away and get what it missed; 0: never.",
                                               "120000")),
    number<kSocketIo, &I::recovery_bytes_max>("socketio.recovery_bytes_max", kBytes, kKi, kGi,
                                              "What is kept of the last events of each socket for that.",
                                              R"("256KiB")"),
    text<kSocketIo, &I::status_path>("socketio.status_path", Type::kText, 0, 128, path_prefix_rule,
                                     "A path that tells how many are connected, to everybody; \"\": none.",
                                     R"("/api/test/ws-status")"),
    flag<kSocketIo, &I::protocol_suite>("socketio.protocol_suite",
                                        "Echo as the official protocol tests expect; never in production."),

    live(text<kAppStore, &AppStoreSettings::database>(
        "apps.database", Type::kText, 0, 4096, nullptr,
        "SQLite file with more apps, kept by `kilat apps`; from the folder of this file; \"\": none.",
        R"("/var/lib/kilat/kilat.db")")),

    text<kHistory, &HistorySettings::file>(
        "history.file", Type::kText, 0, 4096, nullptr,
        "SQLite file with the events of durable channels, see app.history; from the folder of this file; \"\": none.",
        R"("/var/lib/kilat/history.db")"),

    text<kIngest, &IngestFileSettings::file>(
        "ingest.file", Type::kText, 0, 4096,
        nullptr,
        "SQLite file with the queue of readings and their table, see app.ingest_channel; from the folder of this "
        "file; \"\": no ingest.",
        R"("/var/lib/kilat/ingest.db")"),
    because("a job must fit, and what waits takes room on the disk",
            number<kIngest, &IngestFileSettings::queue_bytes_max>(
                "ingest.queue_bytes_max", kBytes, kMi, 1024 * kGi,
                "Readings that wait to be published, and failed jobs; beyond it none are taken (503).", R"("256MiB")")),

    text<&A::id>("app.id", Type::kId, 1, 64, url_word_rule, "Name of the app in API paths; must be unique.",
                 R"("shop")"),
    live(text<&A::key>("app.key", Type::kText, 1, 64, url_word_rule, "Public key of the app; must be unique.",
                       R"("kd_7f3c1b9e04")")),
    live(text<&A::secret>("app.secret", Type::kSecret, 1, 256, nullptr,
                          "Signs API requests and channel authorisations.", R"("a long random text")")),
    live(text<&A::previous_secret>("app.previous_secret", Type::kSecret, 0, 256, nullptr,
                                   "Signs as well as secret, while that is being changed; \"\": none.",
                                   R"("the secret before")")),
    live(text<&A::api_key>("app.api_key", Type::kSecret, 0, 256, nullptr,
                           "Calls the HTTP API without a signature, as a bearer token; \"\": none.",
                           R"("another long random text")")),
    live(text<&A::jwt, &J::secret>("app.jwt_secret", Type::kSecret, 0, 1024, nullptr,
                                   "Tokens of users (JWT) may be signed with it, HS256 to HS512; \"\": none.",
                                   R"("a long random text")")),
    live(urls(
        text_list<&A::jwt, &J::keys>("app.jwt_keys", 16,
                                     "Public keys of such tokens: files with PEM or a JWKS, from the folder of this "
                                     "file, and URLs of a JWKS, which is fetched again every jwt_refresh_s.",
                                     R"(["https://id.example/.well-known/jwks.json"])"))),
    live(checked(algorithm_rule,
                 text_list<&A::jwt, &J::algorithms>("app.jwt_algorithms", 12,
                                                    "The algorithms that are taken; []: all that fit the keys.",
                                                    R"(["RS256", "ES256"])"))),
    live(text<&A::jwt, &J::issuer>("app.jwt_issuer", Type::kText, 0, 1024, nullptr,
                                   "What `iss` must be; \"\": anything.", R"("https://id.example/")")),
    live(text<&A::jwt, &J::audience>("app.jwt_audience", Type::kText, 0, 1024, nullptr,
                                     "What `aud` must hold; \"\": anything.", R"("shop")")),
    live(text<&A::jwt, &J::user_claim>("app.jwt_user_claim", Type::kText, 1, 128, nullptr,
                                       "The claim with the user's id; dots lead into objects.", R"("sub")")),
    live(text<&A::jwt, &J::roles_claim>("app.jwt_roles_claim", Type::kText, 1, 128, nullptr,
                                        "The claim with the user's roles: a list, or words in one text.",
                                        R"("realm_access.roles")")),
    live(text_list<&A::jwt, &J::info_claims>(
        "app.jwt_info_claims", 32, "Claims that the members of a presence channel may see.", R"(["name", "picture"])")),
    because("a longer one would make the expiry meaningless",
            live(number<&A::jwt, &J::leeway_s>("app.jwt_leeway_s", kSeconds, 0, 3'600,
                                               "How far the clocks of server and issuer may be apart.", "30"))),
    because("an issuer must not be asked all the time",
            live(number<&A::jwt, &J::refresh_s>("app.jwt_refresh_s", kSeconds, 10, 86'400,
                                                "How often a JWKS is fetched again.", "300"))),
    live(number<&A::jwt, &J::warning_s>("app.jwt_warning_s", kSeconds, 0, 86'400,
                                        "How long before a token's expiry its client is told.", "60")),
    live(flag<&A::jwt, &J::in_query>("app.jwt_in_query",
                                     "Take a token from ?token= as well; it may end up in the logs of proxies.")),
    live(checked(channel_rule,
                 text_list<&A::rules>("app.rules", 1'000,
                                      "Who may do what in which channels, the first that fits decides (docs/rules.md).",
                                      R"(["booking.{userId} subscribe=user:{userId}|role:admin"])"))),
    live(checked(flow_rule, text_list<&A::flow>("app.flow", 200,
                                                "How events are thinned out, gathered or turned into figures on their "
                                                "way (docs/flow.md).",
                                                R"(["scada-data conflate=100ms key=/channel to=scada-realtime"])"))),
    live(checked(history_rule, text_list<&A::history>("app.history", 1'000,
                                                      "Which channels keep their last events for those who come back, "
                                                      "the first that fits decides (docs/history.md).",
                                                      R"(["alerts.* size=1000 age=1h"])"))),
    live(text<&A::ingest, &N::channel>("app.ingest_channel", Type::kText, 0, 200, nullptr,
                                       "Where readings of POST /apps/ID/ingest are published (docs/ingest.md); "
                                       "\"\": nowhere.",
                                       R"("scada-data")")),
    live(text<&A::ingest, &N::event>("app.ingest_event", Type::kText, 1, 200, nullptr, "As what event.",
                                     R"("scada.data.received")")),
    live(checked(field_rule,
                 text_list<&A::ingest, &N::fields>("app.ingest_fields", 100,
                                                   "What the members of a reading must be; one that does not fit is "
                                                   "refused, and all that came with it.",
                                                   R"(["channel text required", "value number required"])"))),
    live(number<&A::ingest, &N::keep_s>("app.ingest_keep", kSeconds, 0, 100 * kYear,
                                        "How long readings are kept in their table; 0: they are not stored.",
                                        "604800")),
    because("somebody should look at what failed as often",
            live(number<&A::ingest, &N::tries>("app.ingest_tries", kNone, 1, 100,
                                               "How often a job is tried before it is a failed one.", "3"))),
    live(number<&A::ingest, &N::timeout_s>("app.ingest_timeout_s", kSeconds, 1, 86'400, "How long one try may take.",
                                           "300")),
    live(text<&A::ingest, &N::sensor>("app.ingest_sensor", Type::kText, 1, 200, nullptr,
                                      "The member of a reading that names its sensor.", R"("sensor_id")")),
    live(text<&A::ingest, &N::value>("app.ingest_value", Type::kText, 1, 200, nullptr, "The member with its number.",
                                     R"("reading")")),
    live(text<&A::ingest, &N::time>("app.ingest_time", Type::kText, 1, 200, nullptr,
                                    "The member with its time: ISO 8601, or seconds or milliseconds since 1970; "
                                    "without it the time of arrival counts.",
                                    R"("measured_at")")),
    live(checked(auth_path_rule, text_list<&A::auth_paths>(
                                     "app.auth_paths", 16,
                                     "Paths where the server itself answers authorization requests of users with a "
                                     "token; []: the usual four.",
                                     R"(["/broadcasting/auth"])"))),
    live(urls(text<&A::authorize, &B::url>("app.authorize_url", Type::kText, 0, 2048, url_rule,
                                           "The backend that rules with the word backend ask; \"\": none.",
                                           R"("http://127.0.0.1:8000/broadcasting/auth")"))),
    because("a client waits for it",
            live(number<&A::authorize, &B::timeout_ms>("app.authorize_timeout_ms", kMilliseconds, 10, 60'000,
                                                       "How long the backend may take.", "2000"))),
    because(
        "a right that was taken away lasts as long",
        live(number<&A::authorize, &B::cache_s>("app.authorize_cache_s", kSeconds, 0, 3'600,
                                                "How long an answer of the backend is good for; 0: not kept.", "60"))),
    because("beyond the year 9999 it is no date",
            live(number<&A::previous_until_s>("app.previous_until", kNone, 0, kYear9999,
                                              "When previous_secret ends, in seconds since 1970; 0: not by itself.",
                                              "1790000000"))),
    live(flag<&A::enabled>("app.enabled", "false: every connection and request of the app is refused.", "false")),
    live(number<&A::max_connections>("app.max_connections", kNone, 0, kAny, "Connections of this app; 0: no limit.",
                                     "1000")),
    live(choice<&A::over_quota_code>("app.over_quota_code", kQuotaCodes,
                                     "Close code above max_connections: 4004 clients give up, 4100 they retry.",
                                     "4100")),
    live(number<&A::connects_per_second>("app.connects_per_second", kPerSecond, 0, 1'000'000,
                                         "New connections of this app; 0: no limit.", "500")),
    live(flag<&A::tls_only>("app.tls_only", "Refuse plain connections.")),
    live(text_list<&A::allowed_origins>(
        "app.allowed_origins", 100, "Hosts that pages may connect from; * is a wildcard.", R"(["*.shop.example"])")),
    live(flag<&A::client_events>("app.client_events", "Allow client- events on private and presence channels.")),
    live(flag<&A::client_events_on_public>("app.client_events_on_public", "Allow them on public channels too.")),
    live(flag<&A::client_events_on_encrypted>("app.client_events_on_encrypted",
                                              "Allow them on encrypted channels too.")),
    live(flag<&A::client_flow>(
        "app.client_flow", "Let Pusher clients have channels folded for themselves alone (docs/flow.md).", "false")),
    live(number<&A::client_events_per_second>("app.client_events_per_second", kPerSecond, 0, 1'000'000,
                                              "Client events of one connection; 0: no limit.", "10")),
    live(number<&A::client_messages_per_second>(
        "app.client_messages_per_second", kPerSecond, 0, 100'000'000,
        "Messages of one connection, client events and pings included, before it is closed; 0: no limit.", "2000")),
    because("one read may bring 64KiB", live(number<&A::client_bytes_per_second>(
                                            "app.client_bytes_per_second", kPerSecond, 0, 1'000'000'000,
                                            "Bytes from one connection before it is closed; 0: no limit.", "1000000"))),
    live(number<&A::backend_events_per_second>("app.backend_events_per_second", kPerSecond, 0, 100'000'000,
                                               "Published events, each counted once per channel; 0: no limit.",
                                               "5000")),
    live(number<&A::read_requests_per_second>("app.read_requests_per_second", kPerSecond, 0, 100'000'000,
                                              "Reading requests to the API; 0: no limit.", "100")),
    live(flag<&A::user_authentication>("app.user_authentication", "Allow pusher:signin.", "false")),
    live(flag<&A::require_authorization>("app.require_authorization",
                                         "Close connections that neither sign in nor join a private channel.")),
    live(number<&A::auth_timeout_ms>("app.auth_timeout_ms", kMilliseconds, 100, kHour,
                                     "Time that require_authorization gives.", "30000")),
    because("mobile networks and proxies forget connections that are silent for long",
            live(number<&A::activity_timeout_s>("app.activity_timeout_s", kSeconds, 1, 86'400,
                                                "Silence after which a client, then the server, asks with a ping.",
                                                "120"))),
    live(number<&A::pong_timeout_ms>("app.pong_timeout_ms", kMilliseconds, 100, kHour,
                                     "Time for the answer to that ping.", "30000")),
    live(flag<&A::subscription_count>("app.subscription_count", "Tell subscribers how many there are.")),
    live(flag<&A::strict_errors>("app.strict_errors", "Answer a refused subscription with pusher:error 4009.")),
    live(number<&A::subscriptions_max>("app.subscriptions_max", kNone, 1, 1'000'000, "Channels of one connection.",
                                       "1000")),
    because(
        "every subscription keeps the name",
        live(number<&A::channel_name_max>("app.channel_name_max", kBytes, 1, 1024, "Longest channel name.", "200"))),
    live(number<&A::event_name_max>("app.event_name_max", kBytes, 1, 1024, "Longest event name.", "200")),
    because("an event is kept in memory until its slowest reader has it",
            live(number<&A::event_bytes_max>("app.event_bytes_max", kBytes, 1, 16 * kMi, "Largest data of one event.",
                                             R"("100KiB")"))),
    live(number<&A::channels_per_event_max>("app.channels_per_event_max", kNone, 1, 10'000,
                                            "Channels that one API event may name.", "100")),
    live(number<&A::batch_max>("app.batch_max", kNone, 1, 10'000, "Events of one API batch.", "10")),
    because("a newcomer gets the whole list in one frame",
            live(number<&A::presence_members_max>("app.presence_members_max", kNone, 1, 1'000'000,
                                                  "Members of a presence channel.", "100"))),
    live(number<&A::presence_member_bytes_max>("app.presence_member_bytes_max", kBytes, 16, kMi,
                                               "Largest user_info of a member.", R"("2KiB")")),
    live(number<&A::user_id_max>("app.user_id_max", kBytes, 1, 1024, "Longest user id.", "128")),
    because("every sign-in looks at the whole list",
            live(number<&A::watchlist_max>("app.watchlist_max", kNone, 0, 10'000,
                                           "Users that one connection may watch.", "100"))),
    live(number<&A::cache_ttl_s>("app.cache_ttl_s", kSeconds, 1, kYear,
                                 "How long a cache channel keeps its last event.", "3600")),
    live(number<&A::idempotency_s>("app.idempotency_s", kSeconds, 1, 86'400,
                                   "How long a publish with an idempotency key is known, so that the same key "
                                   "publishes nothing again.",
                                   "120")),
    live(choice<&A::compression>(
        "app.compression", kCompressions,
        "permessage-deflate: shared compresses an event once for all, dedicated per connection.", R"("shared")")),
    live(flag<&A::linger>("app.linger",
                          "Whether a busy shard may let this app's frames gather (limits.linger_ms_max).")),
});

}  // namespace

std::span<const Row> schema() {
  return kRows;
}

bool is_required(const Row& row) {
  return row.key == "app.id" || row.key == "app.key" || row.key == "app.secret";
}

const Row* find_row(std::string_view key) {
  for (const Row& row : kRows) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

}  // namespace kilat::config
