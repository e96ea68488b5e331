// What the Socket.IO sides of two shards say to each other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "http/response.h"
#include "hub/command.h"
#include "socketio/emit_audience.h"
#include "socketio/session_state.h"
#include "socketio/shard.h"

namespace kilat::socketio {

/// Which sockets of a namespace: those in one of the rooms, or named, or of one of the users; less the excepted.
struct Selection {
  size_t nsp = 0;  ///< index of the namespace
  bool everybody = false;
  std::vector<std::string> channels;
  std::vector<hub::SocketId> sockets;
  std::vector<std::string> users;
  LeftOut except;
};

/// An event for what is selected.
struct Broadcast {
  Selection to;
  hub::PublicationPtr publication;                        ///< what Socket.IO sockets get
  std::vector<hub::PublicationPtr> channel_publications;  ///< what Pusher readers get, one for each channel
  std::shared_ptr<const EmitAudience> carried_for;        ///< null: no channel's home tells it
  std::vector<hub::PublicationPtr> carried;               ///< what the homes tell; these channels are not in `to`
  bool is_volatile = false;
  uint64_t ack_id = 0;  ///< 0: no acknowledgement is asked for
  uint64_t ack_until_ms = 0;
};

/// Something to be done to what is selected, or asked of it.
struct Operation {
  enum class Kind : uint8_t { kJoin, kLeave, kDisconnect, kSockets, kRooms, kCount };
  Kind kind = Kind::kCount;
  Selection to;
  std::vector<std::string> channels;  ///< kJoin, kLeave
  bool close = false;                 ///< kDisconnect: the connection, too
  bool user_state = false;            ///< kCount: the answer says whether a user is online
};

struct RoomCount {
  std::string room;
  uint64_t sockets = 0;
};

struct OperationReply {
  uint64_t id = 0;
  uint64_t count = 0;
  bool failed = false;               ///< there was no memory for it
  std::vector<std::string> sockets;  ///< kSockets: JSON objects
  std::vector<RoomCount> rooms;      ///< kRooms
};

// Bodies of letters, besides PollRequest.
struct Gone {
  std::string sid;
  ReplyTo to;
  bool draining = false;
};
/// A polling session that lives on the receiver's shard from now on.
struct MoveSession {
  SessionState state;
};
/// A session that had moved is over; to the shard that its id names.
struct Ended {
  std::string sid;
};
struct Answer {
  uint64_t ticket = 0;
  http::Response response;
};
struct BroadcastOrder {
  std::shared_ptr<const Broadcast> broadcast;
};
struct Asked {  ///< so many sockets were asked for an acknowledgement
  uint64_t ack_id = 0;
  uint64_t count = 0;
};
struct Acknowledged {
  uint64_t ack_id = 0;
  std::optional<std::string> json;  ///< the first argument, "null" without one; nothing: the socket is gone
};
struct OperationOrder {
  uint64_t id = 0;
  std::shared_ptr<const Operation> operation;
};

using LetterBody = std::variant<PollRequest, Gone, MoveSession, Ended, Answer, BroadcastOrder, Asked, Acknowledged,
                                OperationOrder, OperationReply>;

struct Letter final : hub::Letter {
  explicit Letter(LetterBody body_in) : body(std::move(body_in)) {}
  LetterBody body;
};

}  // namespace kilat::socketio
