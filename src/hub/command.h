// What shards say to each other: move-only and small; anything longer hangs behind one pointer.
// A channel's commands go to its home shard, the answers and deliveries come back on the same pair of rings in order,
// which is what closes the race between subscribing and publishing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/reason.h"
#include "hub/channel_name.h"
#include "hub/history.h"
#include "hub/ids.h"
#include "hub/publication.h"

namespace kilat::hub {

/// One member of a presence channel. `info` is JSON text, an object, or empty when the member gave none.
struct Member {
  std::string user_id;
  std::string info;
};
using MemberList = std::vector<Member>;

struct JoinRequest {
  AppIndex app = 0;
  bool again = false;  ///< already subscribed: count nothing, answer with the present state
  bool paced = false;  ///< see PacedJoins
  Handle who;
  uint32_t token = 0;  ///< the subscriber's own number for this try
  std::string channel;
  Member member;                        ///< presence only
  std::unique_ptr<HistoryAsk> history;  ///< null: no positions are wanted
};

struct JoinReply {
  Reason refused = Reason::kNone;
  ChannelKind kind;
  bool again = false;
  bool paced = false;
  AppIndex app = 0;
  Handle who;
  uint32_t token = 0;
  std::string channel;
  std::string user_id;                        ///< presence: who joined
  std::shared_ptr<const MemberList> members;  ///< presence: everybody, the joiner included
  PublicationPtr cached;                      ///< cache channels: the last event, if one is alive
  std::unique_ptr<HistoryAnswer> history;     ///< null: none was wanted
  uint64_t order = 0;                         ///< of the last durable event that the home has delivered to anybody

  /// Whether the joiner gets the last event with its past, or has seen it before: `cached` would be once too often.
  bool has_last() const {
    return history && (!history->missed.empty() || (history->asked && history->refused == Reason::kNone));
  }
};

struct LeaveRequest {
  AppIndex app = 0;
  std::string channel;
  std::string user_id;  ///< presence only
};

/// Numbers of one channel as the HTTP API shows them.
struct ChannelCounts {
  std::string channel;
  uint32_t subscriptions = 0;
  uint32_t users = 0;
  Position position = {};  ///< of the event that was published
};

struct PublishReply {
  Reason refused = Reason::kNone;
  uint32_t index = 0;  ///< which part of the request this answers
  uint32_t subscriptions = 0;
  uint32_t users = 0;
  Position position = {};  ///< of the event in the history of its channel, if it has one
};

/// Who is to hear of a publication.
struct Publisher {
  ShardIndex from = 0;
  RequestId request = 0;  ///< 0: nobody
  uint32_t index = 0;
};

struct Query {
  enum class Kind : uint8_t { kChannels, kChannel, kUsers, kHistory };
  Kind kind = Kind::kChannels;
  AppIndex app = 0;
  std::string name;  ///< a channel, or the prefix to filter by
  HistoryRange range = {};
};

struct QueryReply {
  bool failed = false;                  ///< there was no memory for the answer
  std::vector<ChannelCounts> channels;  ///< kChannels: occupied ones; kChannel: one
  std::vector<std::string> users;
  PublicationPtr cached;
  uint64_t cache_ttl_ms = 0;
  bool history_off = false;  ///< kHistory: the channel keeps none
  HistoryPage history;       ///< kHistory
};

/// A watcher of a user's presence in the app (docs/protocol.md).
struct WatchRequest {
  AppIndex app = 0;
  bool watch = true;  ///< false: no longer
  Handle who;
  std::string user_id;
};

struct UserStatus {
  Handle who;
  bool initial = false;  ///< answers a WatchRequest; otherwise a change
  bool online = false;
  std::string user_id;
};

/// What the protocols of two shards say to each other: the hub only carries it, in order with everything else.
struct Letter {
  virtual ~Letter() = default;
};

// The messages. `from` is the shard to answer.
struct CmdJoin {
  ShardIndex from;
  std::unique_ptr<JoinRequest> request;
};
struct CmdLeave {
  ShardIndex from;
  std::unique_ptr<LeaveRequest> request;
};
struct CmdPublish {
  ShardIndex from;
  uint32_t index;
  RequestId request;
  PublicationPtr publication;
};
struct CmdQuery {
  ShardIndex from;
  RequestId request;
  std::unique_ptr<Query> query;
};
struct CmdWatch {
  ShardIndex from;
  std::unique_ptr<WatchRequest> request;
};
struct CmdTap {
  ShardIndex from;
  AppIndex app;
  bool on;
};
struct MsgDeliver {
  PublicationPtr publication;
};
struct MsgJoined {
  std::unique_ptr<JoinReply> reply;
};
struct MsgPublished {
  RequestId request;
  PublishReply reply;
};
struct MsgAnswer {
  RequestId request;
  std::unique_ptr<QueryReply> reply;
};
struct MsgUserStatus {
  std::unique_ptr<UserStatus> status;
};

struct MsgLetter {
  ShardIndex from;
  std::unique_ptr<Letter> letter;
};

using Command = std::variant<CmdJoin, CmdLeave, CmdPublish, CmdQuery, CmdWatch, CmdTap, MsgDeliver, MsgJoined,
                             MsgPublished, MsgAnswer, MsgUserStatus, MsgLetter>;

}  // namespace kilat::hub
