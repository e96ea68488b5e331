// What one app (tenant) may do. Filled in by src/config from the schema table; immutable once the server runs.
// Shared by all shards, read-only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "auth/backend_settings.h"
#include "auth/jwt_settings.h"
#include "hub/ingest_settings.h"

namespace kilat::hub {

enum class Compression : uint8_t {
  kOff,
  kShared,     ///< permessage-deflate; each event is compressed once for all its readers
  kDedicated,  ///< permessage-deflate with a compressor (and its context) per connection: smaller, costlier
};

/// Counts of 0 mean "no limit" where the comment says so. Sizes in bytes.
struct AppSettings {
  std::string id;
  std::string key;
  std::string secret;
  std::string previous_secret;    ///< signs as well, while the secret is being changed; empty: none
  uint64_t previous_until_s = 0;  ///< end of previous_secret, seconds since 1970; 0: as long as it stands here
  std::string api_key;            ///< a bearer token for the HTTP API; empty: none
  bool enabled = true;

  auth::JwtSettings jwt;
  std::vector<std::string> rules;       ///< entries of auth/channel_rules.h, the first that fits decides
  std::vector<std::string> flow;        ///< entries of flow/flow_rule.h
  std::vector<std::string> history;     ///< entries of hub/history_rules.h, the first that fits decides
  std::vector<std::string> auth_paths;  ///< where the server itself answers authorization requests
  auth::BackendSettings authorize;
  IngestSettings ingest;

  uint32_t max_connections = 0;      ///< 0: no limit
  uint16_t over_quota_code = 4004;   ///< 4004 (client gives up) or 4100 (client retries)
  uint32_t connects_per_second = 0;  ///< new connections, over all shards; 0: no limit
  bool tls_only = false;
  std::vector<std::string> allowed_origins{"*"};  ///< host patterns with `*`

  bool client_events = false;
  bool client_events_on_public = false;
  bool client_events_on_encrypted = false;
  bool client_flow = true;                      ///< a Pusher client may have channels folded for itself
  uint32_t client_events_per_second = 10;       ///< per connection; 0: no limit
  uint32_t client_messages_per_second = 2'000;  ///< of any kind, per connection; 0: no limit
  uint32_t client_bytes_per_second = 0;         ///< per connection, frames included; 0: no limit
  uint32_t backend_events_per_second = 0;       ///< per app, cost = channels of the request; 0: no limit
  uint32_t read_requests_per_second = 0;        ///< per app; 0: no limit

  bool user_authentication = true;
  bool require_authorization = false;  ///< close connections that neither sign in nor join a private channel
  uint32_t auth_timeout_ms = 30'000;

  uint32_t activity_timeout_s = 120;
  uint32_t pong_timeout_ms = 30'000;

  bool subscription_count = false;
  bool strict_errors = false;  ///< `pusher:error` 4009 instead of `pusher:subscription_error`

  uint32_t subscriptions_max = 1'000;  ///< channels per connection
  uint32_t channel_name_max = 200;
  uint32_t event_name_max = 200;
  uint32_t event_bytes_max = 100 * 1024;
  uint32_t channels_per_event_max = 100;
  uint32_t batch_max = 10;
  uint32_t presence_members_max = 100;
  uint32_t presence_member_bytes_max = 2 * 1024;
  uint32_t user_id_max = 128;
  uint32_t watchlist_max = 100;
  uint32_t cache_ttl_s = 3'600;
  uint32_t idempotency_s = 120;  ///< how long a publish with a key is known

  Compression compression = Compression::kOff;
  bool socketio = false;  ///< Socket.IO clients may read its channels; not a setting: Shard::set_readers decides
  bool linger = true;     ///< events may wait a few milliseconds while the shard is busy
};

}  // namespace kilat::hub
