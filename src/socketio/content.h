// What events carry: arguments as JSON text and attachments, and how they become the `data` of Pusher's events and
// back. ContentParser: owner: one shard; its memory is reused. The rest are pure functions; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/history_ask.h"
#include "base/member_data.h"

namespace kilat {
class JsonParser;
}

namespace kilat::socketio {

/// An event that came from a client. `arguments` are raw texts in the payload.
struct EventContent {
  std::string name;
  bool numeric = false;  ///< the name is a number: legal, but nobody listens to it
  std::vector<std::string_view> arguments;
};

/// The fields of the object that Pusher-like events take as their argument.
struct Request {
  std::string channel;
  std::optional<std::string> auth;
  std::optional<std::string> channel_data;
  std::optional<std::string> user_data;
  std::optional<std::string> token;
  /// Of `auth.headers`: those that a backend may be shown.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<HistoryAsk> history;  ///< subscribe: positions are wanted, and perhaps the past
  std::string event;
  std::string_view data;  ///< raw JSON; empty when missing
};

class ContentParser {
 public:
  ContentParser();
  ~ContentParser();

  bool is_object(std::string_view json);
  bool is_array(std::string_view json);
  /// A list whose first element is a name. Views point into `json`.
  std::optional<EventContent> parse_event(std::string_view json);
  /// Whether every placeholder in `json` names one of `count` attachments.
  bool placeholders_valid(std::string_view json, size_t count);
  /// A string (taken as the channel), or an object with the fields of Request. Views point into `json`.
  std::optional<Request> parse_request(std::string_view json);
  /// `token` of an object, without the word Bearer; empty when there is none.
  std::string parse_token(std::string_view json);
  /// See base/member_data.h.
  std::optional<MemberData> parse_member(std::string_view json, MemberKind kind);
  /// Fields of a CONNECT payload that recovery uses.
  struct Recovery {
    std::string pid;
    std::optional<std::string> offset;
  };
  std::optional<Recovery> parse_recovery(std::string_view json);

  /// Appends the argument that a Pusher event with `data` (JSON text) is for a socket.io client: the text inside a
  /// string where it is JSON, else the value as it is.
  void append_argument(std::string& out, std::string_view data);

  /// The objects `{"$binary": "base64"}` in `json` as placeholders; the bytes are added to `attachments`. Nothing when
  /// there is broken base64 in one, or a placeholder already stands there beside attachments.
  std::optional<std::string> take_binary(std::string_view json, std::vector<std::string>& attachments);
  /// The opposite.
  std::string put_binary(std::string_view json, std::span<const std::string_view> attachments);

 private:
  std::unique_ptr<JsonParser> parser_;
};

/// Arguments and attachments as one text, for hub::PublicationDraft::packet. `arguments`: a JSON list.
std::string pack(std::string_view arguments, std::span<const std::string_view> attachments);

struct Unpacked {
  std::string_view arguments;  ///< a JSON list
  std::vector<std::string_view> attachments;
};
Unpacked unpack(std::string_view packet);

}  // namespace kilat::socketio
