// Everything the server can be told, typed and with its defaults. Filled by load.h from the schema table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hub/app_settings.h"

namespace kilat::config {

struct ServerSettings {
  std::string host = "127.0.0.1";
  uint16_t port = 6001;          ///< 0: the kernel picks one
  uint32_t shards = 0;           ///< 0: one per hardware thread
  std::string path_prefix;       ///< "" or "/prefix"
  uint32_t max_connections = 0;  ///< all apps together; 0: no limit
  bool strict_protocol = false;  ///< refuse connections without ?protocol=
  bool strict_channel_names = false;
  uint32_t drain_ms = 3'000;  ///< closes are spread over this time on SIGTERM
  bool live_page = false;     ///< serve the live telemetry page at /live/
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
  uint64_t shard_budget_bytes = 512ull * 1024 * 1024;  ///< all outboxes of a shard together
  uint32_t mailbox_slots = 65'536;                     ///< messages in flight from one shard to another
  uint32_t malformed_per_minute = 10;
};

enum class LogFormat : uint8_t { kAuto, kHuman, kJson };

struct LogSettings {
  std::string level = "info";  ///< debug, info, warn, error
  LogFormat format = LogFormat::kAuto;
};

struct Settings {
  ServerSettings server;
  HttpSettings http;
  LimitSettings limits;
  LogSettings log;
  std::vector<hub::AppSettings> apps;
};

}  // namespace kilat::config
