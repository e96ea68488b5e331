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

/// The longest interval a client may wish for: what it does not get in the meantime takes memory.
constexpr uint64_t kFlowIntervalMaxMs = 60'000;
constexpr double kFlowRateMax = 1'000;

// What a client may say about how it wants a channel folded.
struct FlowWish {
  std::optional<uint64_t> conflate_ms;
  std::optional<double> max_rate;
  std::optional<std::string_view> key;
  std::optional<bool> batch;
};

// A member that may be missing. False: it is there, but is something else.
template <typename T>
bool read_optional(const dom::object& object, std::string_view name, std::optional<T>& out) {
  dom::element element;
  if (object[name].get(element) != simdjson::SUCCESS) return true;
  T value{};
  if (element.get(value) != simdjson::SUCCESS) return false;
  out = value;
  return true;
}

// The words of a rule for it, or "" when it makes no sense.
std::string flow_words(const FlowWish& wish) {
  if (wish.conflate_ms.has_value() == wish.max_rate.has_value()) return {};
  if (wish.conflate_ms) {
    if (*wish.conflate_ms < 1 || *wish.conflate_ms > kFlowIntervalMaxMs) return {};
    return "conflate=" + std::to_string(*wish.conflate_ms) + "ms" + (wish.batch.value_or(false) ? " send=batch" : "");
  }
  const bool fits = *wish.max_rate <= kFlowRateMax && *wish.max_rate * kFlowIntervalMaxMs >= 1'000;
  if (!fits || wish.batch.value_or(false)) return {};
  return "throttle=" + std::to_string(static_cast<uint64_t>(1'000 / *wish.max_rate)) + "ms";
}

// `flow` as the text of a rule (docs/flow.md), which is checked where it is used; "" when it makes no sense. What it
// may hold is small, because each connection may have many.
std::optional<std::string> read_flow(const dom::object& data) {
  dom::element element;
  if (data["flow"].get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  dom::object flow;
  if (element.get(flow) != simdjson::SUCCESS) return std::string();
  FlowWish wish;
  if (!read_optional(flow, "conflate", wish.conflate_ms) || !read_optional(flow, "max_rate", wish.max_rate) ||
      !read_optional(flow, "key", wish.key) || !read_optional(flow, "batch", wish.batch)) {
    return std::string();
  }
  const std::string words = flow_words(wish);
  if (words.empty()) return words;
  std::string text = "* " + words;
  if (wish.key) {
    const auto breaks = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    if (std::ranges::any_of(*wish.key, breaks)) return std::string();
    text += " key=";
    text += *wish.key;
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
