// The bodies of requests to the emit API. Not for headers: it brings simdjson.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_parser.h"

namespace kilat::socketio {

/// A JSON object, or nothing in it. Views point into `text`, which must outlive this.
class EmitBody {
 public:
  explicit EmitBody(std::string_view text) : text_(text) {
    if (text.empty()) return;
    const auto document = parser_.parse_copy(text);
    valid_ = document && document->get(object_) == simdjson::SUCCESS;
    present_ = valid_;
  }
  bool valid() const { return valid_; }

  bool has(std::string_view key) const { return present_ && find_raw(object_, text_, key).has_value(); }
  std::optional<std::string> text(std::string_view key) const {
    const auto member = present_ ? string_member(object_, key) : std::nullopt;
    return member ? std::optional<std::string>(*member) : std::nullopt;
  }
  bool flag(std::string_view key) const {
    bool value = false;
    return present_ && object_[key].get(value) == simdjson::SUCCESS && value;
  }
  uint64_t number(std::string_view key) const {
    uint64_t value = 0;
    return present_ && object_[key].get(value) == simdjson::SUCCESS ? value : 0;
  }
  /// A list of strings, or one string; nothing when there is anything else.
  std::optional<std::vector<std::string>> texts(std::string_view key) const {
    std::vector<std::string> list;
    if (!present_) return list;
    simdjson::dom::element value;
    if (object_[key].get(value) != simdjson::SUCCESS) return list;
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) return std::vector<std::string>{std::string(text)};
    simdjson::dom::array array;
    if (value.get(array) != simdjson::SUCCESS) return std::nullopt;
    for (const simdjson::dom::element element : array) {
      if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
      list.emplace_back(text);
    }
    return list;
  }
  /// The raw text of a list; nothing when it is none.
  std::optional<std::string_view> list(std::string_view key) const {
    const auto member = present_ ? find_raw(object_, text_, key) : std::nullopt;
    return member && member->value.is_array() ? std::optional(member->raw) : std::nullopt;
  }

 private:
  std::string_view text_;
  JsonParser parser_;
  simdjson::dom::object object_;
  bool valid_ = true;
  bool present_ = false;
};

}  // namespace kilat::socketio
