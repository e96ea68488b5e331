#include "pusher/message.h"

#include <algorithm>

#include "base/json_parser.h"

namespace kilat::pusher {
namespace {

using Kind = ClientMessage::Kind;
namespace dom = simdjson::dom;

Kind kind_of_event(std::string_view event) {
  if (event.starts_with("client-")) return Kind::kClientEvent;
  if (event == "pusher:ping") return Kind::kPing;
  if (event == "pusher:pong") return Kind::kPong;
  if (event == "pusher:subscribe") return Kind::kSubscribe;
  if (event == "pusher:unsubscribe") return Kind::kUnsubscribe;
  if (event == "pusher:signin") return Kind::kSignin;
  return Kind::kUnsupported;
}

uint64_t number_member(const dom::object& object, std::string_view key) {
  uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

// What a subscription wants of the channel's history (docs/history.md). What is not as it should be means nothing.
std::optional<hub::HistoryAsk> read_history(const dom::object& data) {
  std::optional<hub::HistoryAsk> ask;
  dom::object object;
  bool wanted = false;
  if (data["recover"].get(object) == simdjson::SUCCESS) {
    ask.emplace();
    ask->recover = true;
    ask->since = {hub::parse_epoch(string_member(object, "epoch").value_or("")), number_member(object, "offset")};
  } else if (data["recover"].get(wanted) == simdjson::SUCCESS && wanted) {
    ask.emplace();
  }
  if (data["rewind"].get(object) == simdjson::SUCCESS) {
    if (!ask) ask.emplace();
    ask->rewind = number_member(object, "count");
    constexpr uint64_t kSecondsMax = uint64_t{365} * 86'400;
    ask->rewind_ms = std::min(number_member(object, "seconds"), kSecondsMax) * 1000;
  }
  return ask;
}

}  // namespace

struct MessageParser::State {
  JsonParser outer;
  JsonParser inner;

  // `data` of a pusher: event: an object, or a string that holds one.
  std::optional<dom::object> data_object(const dom::object& message) {
    dom::object object;
    if (message["data"].get(object) == simdjson::SUCCESS) return object;
    const std::optional<std::string_view> text = string_member(message, "data");
    if (!text) return std::nullopt;
    const std::optional<dom::element> root = inner.parse_copy(*text);
    if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;
    return object;
  }
};

MessageParser::MessageParser() : state_(std::make_unique<State>()) {}
MessageParser::~MessageParser() = default;

std::optional<ClientMessage> MessageParser::parse(std::string_view text) {
  const std::optional<dom::element> root = state_->outer.parse(text);
  dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS) return std::nullopt;

  ClientMessage message;
  const std::optional<std::string_view> event = string_member(object, "event");
  if (!event) {
    if (string_member(object, "type") != "heartbeat") return std::nullopt;
    message.kind = Kind::kHeartbeat;
    return message;
  }
  message.event = *event;
  message.kind = kind_of_event(*event);
  if (message.kind == Kind::kClientEvent) {
    const std::optional<std::string_view> channel = string_member(object, "channel");
    if (!channel) return std::nullopt;
    message.channel = *channel;
    const std::optional<RawMember> payload = find_raw(object, text, "data");
    message.data = payload ? payload->raw : "null";
    return message;
  }
  if (message.kind == Kind::kPing || message.kind == Kind::kPong || message.kind == Kind::kUnsupported) return message;

  const std::optional<dom::object> data = state_->data_object(object);
  if (!data) return std::nullopt;
  message.auth = string_member(*data, "auth");
  if (message.kind == Kind::kSignin) {
    message.user_data = string_member(*data, "user_data");
    message.token = string_member(*data, "token");
    return message;
  }
  const std::optional<std::string_view> channel = string_member(*data, "channel");
  if (!channel) return std::nullopt;
  message.channel = *channel;
  message.channel_data = string_member(*data, "channel_data");
  message.history = read_history(*data);
  return message;
}

std::optional<MemberData> MessageParser::parse_member(std::string_view text, MemberKind kind) {
  // A parser of its own: `text` is a view into the document of the message.
  JsonParser parser;
  return kilat::parse_member(parser, text, kind);
}

}  // namespace kilat::pusher
