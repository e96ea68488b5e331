// What a Pusher client may say (docs/protocol.md): text in, one ClientMessage out.
// Owner: a MessageParser belongs to one shard; its memory is reused, so a message's views live until the next parse.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"

namespace kilat::pusher {

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
  std::string_view data;  ///< client events: the raw JSON value
};

/// `channel_data` of a presence subscription, or the user object of a sign-in.
struct MemberData {
  std::string user_id;
  std::string user_info;               ///< raw JSON, an object; empty when there was none
  std::vector<std::string> watchlist;  ///< sign-in only; without duplicates
};

class MessageParser {
 public:
  MessageParser();
  ~MessageParser();

  /// Nothing when the text is not a JSON object with a string `event` and the members that this event needs.
  /// 64 readable bytes follow `text`.
  std::optional<ClientMessage> parse(std::string_view text);

  /// `id_key` is "user_id" (presence) or "id" (sign-in). Numbers as ids become their text. Nothing when the text is no
  /// JSON object, the id is missing or empty, or user_info is no object. A sign-in's id must be a string.
  std::optional<MemberData> parse_member(std::string_view text, std::string_view id_key);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kilat::pusher
