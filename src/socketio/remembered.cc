#include "socketio/remembered.h"

#include "auth/hmac.h"
#include "base/json_parser.h"
#include "base/json_text.h"

namespace kilat::socketio {
namespace {

namespace dom = simdjson::dom;

void append_field(std::string& json, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  json += ',';
  append_json_string(json, name);
  json += ':';
  append_json_string(json, text);
}

void append_field(std::string& json, std::string_view name, uint64_t number) {
  if (number == 0) return;
  json += ',';
  append_json_string(json, name);
  json += ':';
  append_json_number(json, number);
}

void append_room(std::string& json, const RememberedRoom& room) {
  json += R"({"channel":)";
  append_json_string(json, room.channel);
  append_field(json, "user_id", room.member.user_id);
  append_field(json, "user_info", room.member.info);
  append_field(json, "by_rule", uint64_t{room.by_rule});
  append_field(json, "by_signature", uint64_t{room.by_signature});
  append_field(json, "positions", uint64_t{room.positions});
  append_field(json, "epoch", room.known.epoch);
  append_field(json, "offset", room.known.offset);
  append_field(json, "home", room.home);
  append_field(json, "settled", room.settled);
  json += '}';
}

std::string text_of(const dom::object& object, std::string_view name) {
  return std::string(string_member(object, name).value_or(std::string_view()));
}

uint64_t number_of(const dom::object& object, std::string_view name) {
  uint64_t number = 0;
  return object.at_key(name).get_uint64().get(number) == simdjson::SUCCESS ? number : 0;
}

std::optional<RememberedRoom> parse_room(dom::element element) {
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  RememberedRoom room{.channel = text_of(object, "channel"),
                      .member = {text_of(object, "user_id"), text_of(object, "user_info")},
                      .by_rule = number_of(object, "by_rule") != 0,
                      .by_signature = number_of(object, "by_signature") != 0,
                      .positions = number_of(object, "positions") != 0,
                      .known = {static_cast<uint32_t>(number_of(object, "epoch")), number_of(object, "offset")},
                      .home = static_cast<hub::ShardIndex>(number_of(object, "home")),
                      .settled = number_of(object, "settled")};
  if (room.channel.empty()) return std::nullopt;
  return room;
}

}  // namespace

std::string registry_key(std::string_view pid) {
  return auth::hmac_sha256_hex("kilat socket", pid);
}

std::string to_record(const Remembered& remembered) {
  std::string json = R"({"nsp":)";
  append_json_string(json, remembered.nsp);
  append_field(json, "app", remembered.app);
  append_field(json, "run", remembered.run.id);
  append_field(json, "first_order", remembered.run.first_order);
  append_field(json, "user_id", remembered.user_id);
  append_field(json, "user_info", remembered.user_info);
  append_field(json, "by_token", uint64_t{remembered.by_token});
  json += R"(,"rooms":[)";
  for (const RememberedRoom& room : remembered.rooms) {
    if (json.back() != '[') json += ',';
    append_room(json, room);
  }
  json += "]}";
  return json;
}

std::optional<Remembered> parse_record(std::string_view record) {
  JsonParser parser;
  const std::optional<dom::element> element = parser.parse_copy(record);
  dom::object object;
  dom::array rooms;
  if (!element || element->get_object().get(object) != simdjson::SUCCESS ||
      object.at_key("rooms").get_array().get(rooms) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  Remembered out{.run = {number_of(object, "run"), number_of(object, "first_order")},
                 .nsp = text_of(object, "nsp"),
                 .app = text_of(object, "app"),
                 .user_id = text_of(object, "user_id"),
                 .user_info = text_of(object, "user_info"),
                 .by_token = number_of(object, "by_token") != 0,
                 .rooms = {}};
  for (const dom::element room : rooms) {
    std::optional<RememberedRoom> parsed = parse_room(room);
    if (!parsed) return std::nullopt;
    out.rooms.push_back(std::move(*parsed));
  }
  if (out.run.id == 0 || out.run.first_order == 0 || out.rooms.empty()) return std::nullopt;
  return out;
}

}  // namespace kilat::socketio
