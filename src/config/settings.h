// Everything the server can be told, typed and with its defaults. Filled by load.h from the schema table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/forwarded.h"
#include "hub/app_settings.h"
#include "net/tls_context.h"

namespace kilat::config {

struct ServerSettings {
  std::vector<std::string> listen;           ///< entries of config/listen.h; empty: only host and port
  std::vector<std::string> trusted_proxies;  ///< entries of NetworkList
  http::ForwardedHeader forwarded_header = http::ForwardedHeader::kXForwardedFor;
  std::string host = "127.0.0.1";
  uint16_t port = 6001;          ///< 0: the kernel picks one
  uint32_t shards = 0;           ///< 0: one per hardware thread
  std::string path_prefix;       ///< "" or "/prefix"
  uint32_t max_connections = 0;  ///< all apps together; 0: no limit
  bool strict_protocol = false;  ///< refuse connections without ?protocol=
  bool strict_channel_names = false;
  uint32_t drain_ms = 3'000;  ///< closes are spread over this time on SIGTERM
  bool live_page = false;     ///< serve the live telemetry page at /live/
  std::string pid_file;       ///< where the process writes its number; empty: nowhere
};

struct TlsSettings {
  std::vector<std::string> certificate;  ///< PEM files
  std::vector<std::string> key;          ///< one for each certificate, in the same order
  net::ClientCertificates client_certificates = net::ClientCertificates::kOff;
  std::string client_ca;  ///< PEM file
  bool ktls = false;
};

struct HttpSettings {
  uint32_t header_bytes_max = 16 * 1024;
  uint32_t body_bytes_max = 1024 * 1024;
  uint32_t handshake_timeout_ms = 10'000;   ///< first complete request on a connection
  uint32_t request_timeout_ms = 30'000;     ///< later requests, from their first byte
  uint32_t keep_alive_timeout_ms = 75'000;  ///< between requests
  std::vector<std::string> cors_origins{"*"};
};

struct LimitSettings {
  uint32_t message_bytes_max = 128 * 1024;  ///< one WebSocket message from a client
  uint32_t outbox_bytes_max = 1024 * 1024;
  uint32_t outbox_soft_bytes = 256 * 1024;
  uint32_t outbox_soft_ms = 10'000;
  uint32_t linger_ms_max = 5;                          ///< how long a busy shard lets frames gather; 0: never
  uint64_t shard_budget_bytes = 512ull * 1024 * 1024;  ///< outboxes and unfinished input of a shard together
  uint64_t history_bytes_max = 256ull * 1024 * 1024;   ///< what a shard keeps of past events
  uint32_t mailbox_slots = 65'536;                     ///< messages in flight from one shard to another
  uint32_t malformed_per_minute = 10;
  uint32_t connections_per_ip_max = 10'000;  ///< 0: no limit
  uint32_t connects_per_ip_per_second = 0;   ///< 0: no limit
  uint32_t http_connections_max = 65'536;    ///< all shards together; 0: no limit
};

enum class LogFormat : uint8_t { kAuto, kHuman, kJson };

struct LogSettings {
  std::string level = "info";  ///< debug, info, warn, error
  LogFormat format = LogFormat::kAuto;
};

struct MetricsSettings {
  static constexpr std::string_view kDefaultListen = "127.0.0.1:9601";
  std::string listen{kDefaultListen};  ///< empty: no listener for metrics
  std::string soketi_prefix;           ///< empty: Soketi's names are not shown
};

struct HealthSettings {
  uint32_t memory_percent_max = 85;  ///< of the memory the process may have; 0: no limit
};

struct SocketIoSettings {
  bool enabled = true;
  std::string path = "/socket.io";      ///< without its last slash
  std::string app;                      ///< id of the app of the namespace `/`; empty: the first
  std::vector<std::string> namespaces;  ///< entries of config/namespaces.h
  std::vector<std::string> transports{"polling", "websocket"};
  bool upgrades = true;
  uint32_t ping_interval_ms = 25'000;
  uint32_t ping_timeout_ms = 20'000;
  uint32_t upgrade_timeout_ms = 10'000;
  uint32_t connect_timeout_ms = 45'000;
  uint32_t message_bytes_max = 1'000'000;
  uint32_t attachments_max = 10;
  uint32_t binary_bytes_max = 4 * 1024 * 1024;
  uint32_t namespaces_max = 20;  ///< of one connection
  std::string cookie;            ///< empty: none
  bool compression = false;
  bool http_compression = false;
  uint32_t recovery_ms = 0;  ///< 0: none
  uint32_t recovery_bytes_max = 256 * 1024;
  std::string status_path;      ///< empty: none
  bool protocol_suite = false;  ///< answer as the official protocol tests expect
};

struct AppStoreSettings {
  std::string database;  ///< SQLite file with more apps; empty: none
};

struct HistorySettings {
  std::string file;  ///< SQLite file of durable channels; empty: none
};

struct IngestFileSettings {
  std::string file;  ///< SQLite file of the queue and the readings; empty: there is no ingest
  uint64_t queue_bytes_max = 256ull * 1024 * 1024;
};

struct Settings {
  ServerSettings server;
  MetricsSettings metrics;
  HealthSettings health;
  TlsSettings tls;
  HttpSettings http;
  LimitSettings limits;
  LogSettings log;
  SocketIoSettings socketio;
  AppStoreSettings app_store;
  HistorySettings history;
  IngestFileSettings ingest;
  std::vector<hub::AppSettings> apps;
};

}  // namespace kilat::config
