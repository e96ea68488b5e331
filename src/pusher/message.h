// What a Pusher client may say (docs/protocol.md): text in, one ClientMessage out.
// Owner: a MessageParser belongs to one shard; its memory is reused, so a message's views live until the next parse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/history_ask.h"
#include "base/member_data.h"
#include "base/reason.h"

namespace kilat::pusher {

/// How a subscriber wants its channel, beyond what every client gets.
struct Wishes {
  std::optional<HistoryAsk> history = {};  ///< positions, and perhaps the past
  std::optional<std::string> flow = {};    ///< a flow rule for it alone; "": one that makes no sense
};

struct ClientMessage {
  enum class Kind : uint8_t {
    kPing,
    kPong,
    kSubscribe,
    kUnsubscribe,
    kSignin,
    kClientEvent,
    kHeartbeat,    ///< `{"type":"heartbeat",…}` without an event, as some dashboards send: a sign of life, no more
    kUnsupported,  ///< any other event name
  };
  Kind kind = Kind::kUnsupported;
  std::string_view event;
  std::string_view channel;
  std::optional<std::string_view> auth;
  std::optional<std::string_view> channel_data;
  std::optional<std::string_view> user_data;
  std::optional<std::string_view> token;  ///< sign-in: instead of auth and user_data
  Wishes wishes;                          ///< subscribe
  std::string_view data;                  ///< client events: the raw JSON value
};

class MessageParser {
 public:
  MessageParser();
  ~MessageParser();

  /// Nothing when the text is not a JSON object with a string `event` and the members that this event needs.
  /// 64 readable bytes follow `text`.
  std::optional<ClientMessage> parse(std::string_view text);

  /// See base/member_data.h. `text` may be a view that parse() gave.
  std::optional<MemberData> parse_member(std::string_view text, MemberKind kind);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kilat::pusher
