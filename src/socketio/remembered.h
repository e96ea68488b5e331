// What is written down of a socket, so that its client finds it again when the server has been restarted: its user and
// its rooms. Plain data; pure functions; any thread. Bounds: subscriptions of one connection (the app's settings).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/history_ask.h"
#include "hub/command.h"
#include "socketio/offset.h"

namespace kilat::socketio {

struct RememberedRoom {
  std::string channel;
  hub::Member member;         ///< presence: as whom
  bool by_rule = false;       ///< see hub::JoinOptions
  bool by_signature = false;  ///< the same
  bool positions = false;     ///< the same
  /// Durable rooms: the client has seen what came up to this offset, whatever its own offset says. Epoch 0: not
  /// durable.
  Position known = {};
  hub::ShardIndex home = 0;  ///< in the run of the record
  /// It asked for the past: that was all there when the client had got the event with this number.
  uint64_t settled = 0;
};

struct Remembered {
  ServerRun run;    ///< in which it was written
  std::string nsp;  ///< name of the namespace
  std::string app;  ///< its id
  std::string user_id;
  std::string user_info;
  bool by_token = false;  ///< the user comes from a token
  std::vector<RememberedRoom> rooms;
};

/// The name of a socket in the registry: whoever reads that can't come back as somebody else with it.
std::string registry_key(std::string_view pid);

std::string to_record(const Remembered& remembered);
/// Nothing when it is not what to_record() has made.
std::optional<Remembered> parse_record(std::string_view record);

}  // namespace kilat::socketio
