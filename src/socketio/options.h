// What the Socket.IO side of a shard is configured with. Made by the shard from its settings; plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/ids.h"

namespace kilat::socketio {

/// A namespace: whose channels its rooms are, and under which names.
struct Namespace {
  std::string name;
  hub::AppIndex app = 0;
  std::string scope;  ///< put before the name of a room, behind the prefix that says its kind
};

struct Options {
  bool enabled = true;
  bool polling = true;
  bool websocket = true;
  bool upgrades = true;
  uint32_t ping_interval_ms = 25'000;
  uint32_t ping_timeout_ms = 20'000;
  uint32_t upgrade_timeout_ms = 10'000;
  uint32_t connect_timeout_ms = 45'000;
  uint32_t message_bytes_max = 1'000'000;
  uint32_t attachments_max = 10;
  uint32_t binary_bytes_max = 4 * 1024 * 1024;
  uint32_t namespaces_max = 20;
  uint32_t recovery_ms = 0;  ///< 0: no recovery
  uint32_t recovery_bytes_max = 256 * 1024;
  std::string cookie;  ///< empty: none
  bool compression = false;
  bool http_compression = false;
  bool protocol_suite = false;
  bool strict_channel_names = false;
  std::vector<Namespace> namespaces;  ///< the first is `/`
};

/// The channel that `room` is in a namespace with `scope`: the scope stands behind the prefix of the kind, so that the
/// kind, and with it who may join, is the same under both names.
std::string channel_of(std::string_view room, std::string_view scope);
/// The room that `channel` is there; the channel itself when it does not belong to the scope.
std::string room_of(std::string_view channel, std::string_view scope);

}  // namespace kilat::socketio
