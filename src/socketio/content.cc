#include "socketio/content.h"

#include <cstring>

#include "auth/credentials.h"
#include "base/base64.h"
#include "base/history_json.h"
#include "base/json_parser.h"
#include "base/json_raw.h"
#include "base/json_text.h"

namespace kilat::socketio {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kPlaceholder = R"("_placeholder")";
constexpr std::string_view kPlaceholderNumber = R"("num")";
constexpr std::string_view kBinaryKey = R"("$binary")";
constexpr std::string_view kBearer = "Bearer ";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool begins_with_key(std::string_view json, size_t object, std::string_view key) {
  size_t at = object + 1;
  while (at < json.size() && is_space(json[at])) ++at;
  return json.substr(at).starts_with(key);
}

// Copies valid JSON, and offers `replace` every object whose first key is one of `keys`; what it appends stands in
// place of the object. False as soon as it says so.
enum class Replaced : uint8_t { kYes, kNo, kInvalid };
template <typename Replace>
bool replace_objects(std::string_view json, std::span<const std::string_view> keys, std::string& out,
                     Replace&& replace) {
  size_t at = 0;
  while (at < json.size()) {
    if (json[at] == '"') {
      const size_t end = raw_value_end(json, at);
      out += json.substr(at, end - at);
      at = end;
      continue;
    }
    bool candidate = false;
    for (const std::string_view key : keys) candidate |= json[at] == '{' && begins_with_key(json, at, key);
    if (candidate) {
      const size_t end = raw_value_end(json, at);
      const Replaced replaced = replace(json.substr(at, end - at), out);
      if (replaced == Replaced::kInvalid) return false;
      if (replaced == Replaced::kYes) {
        at = end;
        continue;
      }
    }
    out += json[at++];
  }
  return true;
}

// The number of a placeholder object; nothing for any other value, -1 for a placeholder that is none.
std::optional<int64_t> placeholder_number(const dom::element& value) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return std::nullopt;
  bool marked = false;
  if (object["_placeholder"].get(marked) != simdjson::SUCCESS || !marked) return std::nullopt;
  int64_t number = 0;
  if (object["num"].get(number) != simdjson::SUCCESS) return -1;
  return number;
}

bool check_placeholders(const dom::element& value, int64_t count) {
  if (const std::optional<int64_t> number = placeholder_number(value)) return *number >= 0 && *number < count;
  dom::array array;
  if (value.get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) {
      if (!check_placeholders(element, count)) return false;
    }
  }
  dom::object object;
  if (value.get(object) == simdjson::SUCCESS) {
    for (const auto field : object) {
      if (!check_placeholders(field.value, count)) return false;
    }
  }
  return true;
}

std::optional<std::string> text_member(const dom::object& object, std::string_view key) {
  const std::optional<std::string_view> text = string_member(object, key);
  if (!text) return std::nullopt;
  return std::string(*text);
}

// As Laravel Echo sends them: {"auth":{"headers":{…}}}. Cookies are the browser's to send.
void read_headers(const dom::object& request, std::vector<std::pair<std::string, std::string>>& headers) {
  dom::object given;
  if (request["auth"]["headers"].get(given) != simdjson::SUCCESS) return;
  for (const std::string_view name : auth::kShownHeaders) {
    if (name == "Cookie") continue;
    if (auto value = text_member(given, name)) headers.emplace_back(name, std::move(*value));
  }
}

void append_u32(std::string& out, size_t value) {
  const auto number = static_cast<uint32_t>(value);
  char bytes[sizeof(number)];
  std::memcpy(bytes, &number, sizeof(number));
  out.append(bytes, sizeof(bytes));
}

std::string_view take_part(std::string_view& packet) {
  uint32_t size = 0;
  std::memcpy(&size, packet.data(), sizeof(size));
  const std::string_view part = packet.substr(sizeof(size), size);
  packet.remove_prefix(sizeof(size) + part.size());
  return part;
}

}  // namespace

ContentParser::ContentParser() : parser_(std::make_unique<JsonParser>()) {}
ContentParser::~ContentParser() = default;

bool ContentParser::is_object(std::string_view json) {
  const auto document = parser_->parse_copy(json);
  return document && document->is_object();
}

bool ContentParser::is_array(std::string_view json) {
  const auto document = parser_->parse_copy(json);
  return document && document->is_array();
}

std::optional<EventContent> ContentParser::parse_event(std::string_view json) {
  const auto document = parser_->parse_copy(json);
  dom::array array;
  if (!document || document->get(array) != simdjson::SUCCESS || array.begin() == array.end()) return std::nullopt;
  const dom::element first = *array.begin();
  EventContent event;
  std::string_view name;
  if (first.get(name) == simdjson::SUCCESS) {
    event.name = name;
  } else if (first.is_number()) {
    event.numeric = true;
  } else {
    return std::nullopt;
  }
  event.arguments = raw_elements(json);
  event.arguments.erase(event.arguments.begin());
  return event;
}

bool ContentParser::placeholders_valid(std::string_view json, size_t count) {
  const auto document = parser_->parse_copy(json);
  return document && check_placeholders(*document, static_cast<int64_t>(count));
}

std::optional<Request> ContentParser::parse_request(std::string_view json) {
  const auto document = parser_->parse_copy(json);
  if (!document) return std::nullopt;
  Request request;
  std::string_view name;
  if (document->get(name) == simdjson::SUCCESS) {
    request.channel = name;
    return request;
  }
  dom::object object;
  if (document->get(object) != simdjson::SUCCESS) return std::nullopt;
  request.channel = text_member(object, "channel").value_or(std::string());
  request.auth = text_member(object, "auth");
  request.channel_data = text_member(object, "channel_data");
  request.user_data = text_member(object, "user_data");
  request.token = text_member(object, "token");
  read_headers(object, request.headers);
  request.history = read_history_ask(object);
  request.event = text_member(object, "event").value_or(std::string());
  if (const auto data = find_raw(object, json, "data")) request.data = data->raw;
  return request;
}

std::string ContentParser::parse_token(std::string_view json) {
  if (json.empty()) return {};
  const auto document = parser_->parse_copy(json);
  dom::object object;
  if (!document || document->get(object) != simdjson::SUCCESS) return {};
  std::string token = text_member(object, "token").value_or(std::string());
  if (token.starts_with(kBearer)) token.erase(0, kBearer.size());
  return token;
}

std::optional<MemberData> ContentParser::parse_member(std::string_view json, MemberKind kind) {
  return kilat::parse_member(*parser_, json, kind);
}

std::optional<ContentParser::Recovery> ContentParser::parse_recovery(std::string_view json) {
  const auto document = parser_->parse_copy(json);
  dom::object object;
  if (!document || document->get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<std::string> pid = text_member(object, "pid");
  if (!pid) return std::nullopt;
  Recovery recovery{.pid = std::move(*pid), .offset = {}};
  dom::element offset;
  if (object["offset"].get(offset) == simdjson::SUCCESS) {
    std::string_view text;
    // Anything but a text is an offset that is not ours.
    recovery.offset = offset.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  return recovery;
}

void ContentParser::append_argument(std::string& out, std::string_view data) {
  if (data.starts_with('"')) {
    const auto literal = parser_->parse_copy(data);
    std::string_view text;
    if (literal && literal->get(text) == simdjson::SUCCESS && !text.empty()) {
      const std::string inner(text);  // the next parse ends the view
      if (parser_->parse_copy(inner)) {
        out += inner;
        return;
      }
    }
  }
  out += data.empty() ? "null" : data;
}

std::optional<std::string> ContentParser::take_binary(std::string_view json, std::vector<std::string>& attachments) {
  if (json.find(kBinaryKey) == std::string_view::npos) return std::string(json);
  std::string out;
  const std::string_view keys[] = {kBinaryKey};
  const bool good = replace_objects(json, keys, out, [&](std::string_view object_text, std::string& into) {
    const auto document = parser_->parse_copy(object_text);
    dom::object object;
    std::string_view text;
    if (!document || document->get(object) != simdjson::SUCCESS || object.size() != 1) return Replaced::kNo;
    if (object["$binary"].get(text) != simdjson::SUCCESS) return Replaced::kNo;
    std::string bytes;
    if (!base64_decode(text, bytes)) return Replaced::kInvalid;
    into += R"({"_placeholder":true,"num":)";
    append_json_number(into, attachments.size());
    into += '}';
    attachments.push_back(std::move(bytes));
    return Replaced::kYes;
  });
  if (!good) return std::nullopt;
  // What looks like a placeholder of the user's own would be taken for one at the receiver.
  if (!attachments.empty() && !placeholders_valid(json, 0)) return std::nullopt;
  return out;
}

std::string ContentParser::put_binary(std::string_view json, std::span<const std::string_view> attachments) {
  std::string out;
  const std::string_view keys[] = {kPlaceholder, kPlaceholderNumber};
  replace_objects(json, keys, out, [&](std::string_view object_text, std::string& into) {
    const auto document = parser_->parse_copy(object_text);
    const std::optional<int64_t> number = document ? placeholder_number(*document) : std::nullopt;
    if (!number || *number < 0 || static_cast<size_t>(*number) >= attachments.size()) return Replaced::kNo;
    into += R"({"$binary":")";
    append_base64(into, attachments[static_cast<size_t>(*number)]);
    into += "\"}";
    return Replaced::kYes;
  });
  return out;
}

std::string pack(std::string_view arguments, std::span<const std::string_view> attachments) {
  std::string packet;
  size_t size = sizeof(uint32_t) + arguments.size();
  for (const std::string_view attachment : attachments) size += sizeof(uint32_t) + attachment.size();
  packet.reserve(size);
  append_u32(packet, arguments.size());
  packet += arguments;
  for (const std::string_view attachment : attachments) {
    append_u32(packet, attachment.size());
    packet += attachment;
  }
  return packet;
}

Unpacked unpack(std::string_view packet) {
  Unpacked unpacked;
  unpacked.arguments = take_part(packet);
  while (!packet.empty()) unpacked.attachments.push_back(take_part(packet));
  return unpacked;
}

}  // namespace kilat::socketio
