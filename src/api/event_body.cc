#include "api/event_body.h"

#include <algorithm>

#include "base/json_parser.h"
#include "base/json_raw.h"
#include "base/json_text.h"
#include "hub/channel_name.h"
#include "hub/event_name.h"

namespace kilat::api {
namespace {

namespace dom = simdjson::dom;

// The payload as a JSON string literal. A string is carried over byte for byte as it came; anything else is made a
// string once, which is what Pusher's clients expect to find.
Result<std::string> read_data(const dom::object& object, std::string_view raw, const hub::AppSettings& app) {
  const std::optional<RawMember> data = find_raw(object, raw, "data");
  if (!data) return fail(Reason::kApiBodyInvalid, "data is missing");
  std::string_view content;
  const bool is_string = data->value.get(content) == simdjson::SUCCESS;
  if ((is_string ? content.size() : data->raw.size()) > app.event_bytes_max) {
    return fail(Reason::kApiDataTooBig, "at most " + std::to_string(app.event_bytes_max) + " bytes");
  }
  return is_string ? std::string(data->raw) : json_string(data->raw);
}

Result<std::vector<std::string>> read_channels(const dom::object& object, const hub::AppSettings& app, bool strict) {
  std::vector<std::string> channels;
  const auto add = [&channels](std::string_view name) {
    if (std::ranges::find(channels, name) == channels.end()) channels.emplace_back(name);
  };
  dom::array list;
  if (object["channels"].get(list) == simdjson::SUCCESS) {
    if (list.size() > app.channels_per_event_max) {
      return fail(Reason::kApiTooManyChannels, "at most " + std::to_string(app.channels_per_event_max));
    }
    for (const dom::element element : list) {
      std::string_view name;
      if (element.get(name) != simdjson::SUCCESS) return fail(Reason::kApiChannelInvalid);
      add(name);
    }
  }
  if (const auto name = string_member(object, "channel")) add(*name);
  if (channels.empty()) return fail(Reason::kApiChannelInvalid, "channel or channels is missing");
  for (const std::string& name : channels) {
    if (name.size() > app.channel_name_max || !hub::valid_channel_name(name, strict)) {
      return fail(Reason::kApiChannelInvalid);
    }
    if (channels.size() > 1 && hub::kind_of(name).encrypted()) return fail(Reason::kApiEncryptedNotAlone);
  }
  return channels;
}

Result<Event> read_event(dom::element element, std::string_view raw, const hub::AppSettings& app, bool strict) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return fail(Reason::kApiBodyInvalid, "not an object");
  Event event;
  const std::optional<std::string_view> name = string_member(object, "name");
  if (!name || name->empty() || name->size() > app.event_name_max) return fail(Reason::kApiEventNameInvalid);
  event.name = *name;
  if (app.socketio && hub::reserved_by_socketio(event.name)) return fail(Reason::kEventNameReserved);
  TRY(event.channels, read_channels(object, app, strict));
  TRY(event.data, read_data(object, raw, app));

  dom::element socket_id;
  if (object["socket_id"].get(socket_id) == simdjson::SUCCESS && !socket_id.is_null()) {
    std::string_view text;
    if (socket_id.get(text) != simdjson::SUCCESS) return fail(Reason::kApiSocketIdInvalid);
    const std::optional<hub::SocketId> id = hub::SocketId::parse(text);
    if (!id) return fail(Reason::kApiSocketIdInvalid);
    event.exclude = *id;
  }
  if (const auto info = string_member(object, "info")) event.info = parse_info(*info);
  dom::element key;
  if (object["idempotency_key"].get(key) == simdjson::SUCCESS && !key.is_null()) {
    std::string_view text;
    if (key.get(text) != simdjson::SUCCESS || !valid_idempotency_key(text)) {
      return fail(Reason::kApiIdempotencyKeyInvalid);
    }
    event.key = text;
  }
  return event;
}

}  // namespace

bool valid_idempotency_key(std::string_view key) {
  return !key.empty() && key.size() <= kIdempotencyKeyMax;
}

Info parse_info(std::string_view text) {
  Info info;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    if (name == "subscription_count") info.subscription_count = true;
    if (name == "user_count") info.user_count = true;
    if (name == "cache") info.cache = true;
    if (name == "position") info.position = true;
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return info;
}

struct EventParser::State {
  JsonParser parser;
};

EventParser::EventParser() : state_(std::make_unique<State>()) {}
EventParser::~EventParser() = default;

Result<Event> EventParser::parse_event(std::string_view body, const hub::AppSettings& app, bool strict_names) {
  const std::optional<dom::element> root = state_->parser.parse(body);
  if (!root) return fail(Reason::kApiBodyInvalid, "not valid JSON");
  return read_event(*root, body, app, strict_names);
}

Result<std::vector<Event>> EventParser::parse_batch(std::string_view body, const hub::AppSettings& app,
                                                    bool strict_names) {
  const std::optional<dom::element> root = state_->parser.parse(body);
  dom::object object;
  dom::array batch;
  if (!root) return fail(Reason::kApiBodyInvalid, "not valid JSON");
  if (root->get(object) != simdjson::SUCCESS) return fail(Reason::kApiBodyInvalid, "not an object");
  const std::optional<RawMember> member = find_raw(object, body, "batch");
  if (!member || member->value.get(batch) != simdjson::SUCCESS) {
    return fail(Reason::kApiBodyInvalid, "batch must be an array");
  }
  if (batch.size() > app.batch_max) {
    return fail(Reason::kApiBatchTooLong, "at most " + std::to_string(app.batch_max));
  }
  const std::vector<std::string_view> texts = raw_elements(member->raw);
  std::vector<Event> events;
  for (const dom::element element : batch) {
    Event event;
    TRY(event, read_event(element, texts[events.size()], app, strict_names));
    if (event.channels.size() != 1) return fail(Reason::kApiChannelInvalid, "an entry of a batch takes one channel");
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace kilat::api
