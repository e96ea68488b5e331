#include "config/json_leaves.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json_parser.h"

namespace kilat::config {
namespace {

namespace od = simdjson::ondemand;

constexpr size_t kDepthMax = 32;

// The document is read forwards, once, because that is how simdjson can say where a value stands.
class Walker {
 public:
  Walker(std::string_view buffer, const SourceText& source) : buffer_(buffer), source_(source) {}

  simdjson::error_code object(od::object object, const std::string& path, size_t depth) {
    if (depth > kDepthMax) return simdjson::DEPTH_ERROR;
    for (auto entry : object) {
      od::field field;
      if (const auto error = std::move(entry).get(field)) return error;
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return error;
      const std::string inner = path.empty() ? std::string(key) : path + "." + std::string(key);
      if (const auto error = value(field.value(), inner, depth)) return error;
    }
    return simdjson::SUCCESS;
  }

  // Values come in the order of the text, so that lines are counted once.
  Place at(std::string_view token) {
    const auto offset = std::min(static_cast<size_t>(token.data() - buffer_.data()), buffer_.size());
    if (offset < counted_) {
      counted_ = line_start_ = 0;
      line_ = 1;
    }
    for (; counted_ < offset; ++counted_) {
      if (buffer_[counted_] != '\n') continue;
      ++line_;
      line_start_ = counted_ + 1;
    }
    // Nobody counts characters of a line that is too long to be shown.
    const std::string_view before = buffer_.substr(line_start_, offset - line_start_);
    size_t column = before.size() + 1;
    if (column < 1000)
      column = static_cast<size_t>(std::ranges::count_if(before, [](char c) { return (c & 0xC0) != 0x80; })) + 1;
    const size_t width = std::max<size_t>(1, token.find_last_not_of(" \t\r\n,") + 1);
    return source_.place(line_, static_cast<uint32_t>(column), static_cast<uint32_t>(std::min<size_t>(width, 1000)));
  }

  std::vector<JsonLeaf> take() { return std::move(leaves_); }

 private:
  simdjson::error_code value(od::value value, const std::string& path, size_t depth) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    const std::string_view token = value.raw_json_token();
    if (type == od::json_type::object) {
      od::object inner;
      if (const auto error = value.get_object().get(inner)) return error;
      return object(inner, path, depth + 1);
    }
    if (type == od::json_type::array) {
      od::array inner;
      if (const auto error = value.get_array().get(inner)) return error;
      return array(inner, path, at(token.substr(0, 1)), depth + 1);
    }
    std::string text;
    if (const auto error = scalar(value, type, token, text)) return error;
    leaves_.push_back({path, std::move(text), at(token)});
    return simdjson::SUCCESS;
  }

  simdjson::error_code array(od::array array, const std::string& path, Place place, size_t depth) {
    if (depth > kDepthMax) return simdjson::DEPTH_ERROR;
    std::string joined;
    size_t index = 0;
    for (auto entry : array) {
      od::value element;
      if (const auto error = std::move(entry).get(element)) return error;
      od::json_type type{};
      if (const auto error = element.type().get(type)) return error;
      if (type == od::json_type::object || type == od::json_type::array) {
        if (const auto error = value(element, path + "." + std::to_string(index), depth)) return error;
      } else {
        std::string text;
        if (const auto error = scalar(element, type, element.raw_json_token(), text)) return error;
        joined += (joined.empty() ? "" : ",") + text;
      }
      ++index;
    }
    if (index == 0) joined = "[]";
    if (!joined.empty()) leaves_.push_back({path, std::move(joined), std::move(place)});
    return simdjson::SUCCESS;
  }

  static simdjson::error_code scalar(od::value& value, od::json_type type, std::string_view token, std::string& text) {
    if (type == od::json_type::string) {
      std::string_view content;
      if (const auto error = value.get_string().get(content)) return error;
      text = content;
      return simdjson::SUCCESS;
    }
    text = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
    // Only looked at, a value would not be stepped over.
    if (type == od::json_type::number) return value.get_double().error();
    if (type == od::json_type::boolean) return value.get_bool().error();
    bool null = false;
    if (const auto error = value.is_null().get(null)) return error;
    return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
  }

  std::string_view buffer_;
  const SourceText& source_;
  size_t counted_ = 0;
  size_t line_start_ = 0;
  uint32_t line_ = 1;
  std::vector<JsonLeaf> leaves_;
};

}  // namespace

std::vector<JsonLeaf> json_leaves(std::string_view text, const SourceText& source, Diagnostics& diagnostics) {
  const auto refuse = [&](Place place, std::string_view why) {
    add(diagnostics, {Severity::kError, std::move(place), "this is not valid JSON: " + std::string(why), {}, {}});
  };
  const simdjson::padded_string buffer(text);
  Walker walker({buffer.data(), buffer.size()}, source);
  od::parser parser;
  od::document document;
  od::object root;
  auto error = parser.iterate(buffer).get(document);
  const bool begun = error == simdjson::SUCCESS;
  if (!error) error = document.get_object().get(root);
  if (!error) error = walker.object(root, {}, 0);
  if (error) {
    const char* where = nullptr;
    const bool known = begun && document.current_location().get(where) == simdjson::SUCCESS;
    refuse(known ? walker.at({where, 1}) : source.place(0, 0, 1), simdjson::error_message(error));
    return {};
  }
  // Reading forwards does not look at everything.
  if (JsonParser strict; !strict.parse_copy(text)) {
    refuse(source.place(0, 0, 1), "something in it is malformed");
    return {};
  }
  return walker.take();
}

}  // namespace kilat::config
