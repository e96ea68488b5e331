#include "flow/event_data.h"

#include <algorithm>

#include "base/json_parser.h"
#include "base/json_raw.h"
#include "base/json_text.h"
#include "flow/event_time.h"

namespace kilat::flow {

// Two parsers, because the text inside of the literal lives in the memory of the first.
struct EventData::Parsed {
  JsonParser literal;
  JsonParser document;
  simdjson::dom::element root;
};

namespace {

using simdjson::dom::element;

std::optional<element> child_of(const element& parent, const JsonPointer::Token& token) {
  simdjson::dom::object object;
  if (parent.get(object) == simdjson::SUCCESS) {
    for (const simdjson::dom::key_value_pair member : object) {
      if (member.key == token.name) return member.value;
    }
    return std::nullopt;
  }
  simdjson::dom::array array;
  element child;
  if (!token.index || parent.get(array) != simdjson::SUCCESS || array.at(*token.index).get(child) != simdjson::SUCCESS)
    return std::nullopt;
  return child;
}

std::optional<element> find(const element& root, const JsonPointer& pointer) {
  std::optional<element> at = root;
  for (const JsonPointer::Token& token : pointer.tokens()) {
    at = child_of(*at, token);
    if (!at) return std::nullopt;
  }
  return at;
}

// The same with the text of the value, which costs a walk through the text.
std::optional<RawMember> find_with_text(const element& root, std::string_view text, const JsonPointer& pointer) {
  RawMember at{root, text};
  for (const JsonPointer::Token& token : pointer.tokens()) {
    simdjson::dom::object object;
    if (at.value.get(object) == simdjson::SUCCESS) {
      const std::optional<RawMember> member = find_raw(object, at.raw, token.name);
      if (!member) return std::nullopt;
      at = *member;
      continue;
    }
    const std::optional<element> child = child_of(at.value, token);
    const std::optional<std::string_view> raw = raw_element(at.raw, token.index.value_or(0));
    if (!child || !raw) return std::nullopt;
    at = {*child, *raw};
  }
  return at;
}

// A whole document may have space around it.
std::string_view without_space(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

EventData::EventData() : parsed_(std::make_unique<Parsed>()) {}
EventData::~EventData() = default;

void EventData::assign(std::string_view data) {
  data_ = data;
  text_ = {};
  is_json_.reset();
}

bool EventData::is_json() {
  if (is_json_) return *is_json_;
  text_ = data_;
  if (form() == Form::kLiteral) {
    const auto literal = parsed_->literal.parse_copy(data_);
    if (!literal || literal->get(text_) != simdjson::SUCCESS) return *(is_json_ = false);
  }
  const auto root = parsed_->document.parse_copy(text_);
  if (root) parsed_->root = *root;
  return *(is_json_ = root.has_value());
}

std::optional<std::string_view> EventData::key_at(const JsonPointer& pointer) const {
  const std::optional<element> found = find(parsed_->root, pointer);
  if (!found) return std::nullopt;
  switch (found->type()) {
    case simdjson::dom::element_type::STRING: return found->get_string().value_unsafe();
    case simdjson::dom::element_type::BOOL: return found->get_bool().value_unsafe() ? "true" : "false";
    default: return number_at(pointer);
  }
}

std::optional<std::string_view> EventData::number_at(const JsonPointer& pointer) const {
  const std::optional<RawMember> found = find_with_text(parsed_->root, text_, pointer);
  if (!found || !found->value.is_number()) return std::nullopt;
  return without_space(found->raw);
}

std::optional<uint64_t> EventData::time_at(const JsonPointer& pointer) const {
  const std::optional<element> found = find(parsed_->root, pointer);
  if (!found) return std::nullopt;
  std::string_view text;
  if (found->get(text) == simdjson::SUCCESS) return read_iso_time(text);
  const std::optional<std::string_view> number = number_at(pointer);
  return number ? read_unix_time(*number) : std::nullopt;
}

void EventData::append_inside(std::string& out, std::string_view bytes, Form form) {
  if (form_of(bytes) == Form::kRaw) {
    if (form == Form::kRaw) {
      out += bytes;
    } else {
      append_json_escaped(out, bytes);
    }
    return;
  }
  if (form == Form::kLiteral) {
    out += bytes.substr(1, bytes.size() - 2);
    return;
  }
  // It was a literal when it came in, so this cannot fail.
  is_json_.reset();
  std::string_view text;
  const auto literal = parsed_->literal.parse_copy(bytes);
  if (literal && literal->get(text) == simdjson::SUCCESS) out += text;
}

std::string in_form(std::string&& json, Form form) {
  return form == Form::kRaw ? std::move(json) : json_string(json);
}

}  // namespace kilat::flow
