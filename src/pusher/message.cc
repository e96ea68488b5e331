#include "pusher/message.h"

#include <algorithm>

#include "base/history_json.h"
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

// `flow` as the text of a rule (docs/flow.md), which is checked where it is used. What it may hold is small, because
// each connection may have many.
std::optional<std::string> read_flow(const dom::object& data) {
  dom::object flow;
  if (data["flow"].get(flow) != simdjson::SUCCESS) return std::nullopt;
  uint64_t conflate_ms = 0;
  double max_rate = 0;
  bool batch = false;
  std::string text = "* ";
  if (flow["conflate"].get(conflate_ms) == simdjson::SUCCESS && conflate_ms > 0) {
    text += "conflate=" + std::to_string(conflate_ms) + "ms";
    if (flow["batch"].get(batch) == simdjson::SUCCESS && batch) text += " send=batch";
  } else if (flow["max_rate"].get(max_rate) == simdjson::SUCCESS && max_rate >= 0.001 && max_rate <= 1000) {
    text += "throttle=" + std::to_string(static_cast<uint64_t>(1000 / max_rate)) + "ms";
  } else {
    return std::string();
  }
  if (const auto key = string_member(flow, "key")) {
    const auto breaks = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    if (std::ranges::any_of(*key, breaks)) return std::string();
    text += " key=";
    text += *key;
  }
  return text += " keys=1000 bytes=256KiB";
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
  message.wishes = {read_history_ask(*data), read_flow(*data)};
  return message;
}

std::optional<MemberData> MessageParser::parse_member(std::string_view text, MemberKind kind) {
  // A parser of its own: `text` is a view into the document of the message.
  JsonParser parser;
  return kilat::parse_member(parser, text, kind);
}

}  // namespace kilat::pusher
