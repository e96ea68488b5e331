#include "base/json_raw.h"

#include <algorithm>
#include <cstddef>

namespace kilat {
namespace {

// Walks over text that a strict parser has accepted; every step is bounded by the end all the same.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) { skip_space(); }

  bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool done() const { return at_ >= text_.size(); }

  bool take(char c) {
    if (!at(c)) return false;
    ++at_;
    skip_space();
    return true;
  }

  void string() {
    skip_string();
    skip_space();
  }

  std::string_view value() {
    const size_t begin = at_;
    if (at('"')) {
      skip_string();
    } else if (at('{') || at('[')) {
      skip_nested();
    } else {
      while (!done() && !is_space(text_[at_]) && std::string_view(",]}").find(text_[at_]) == std::string_view::npos)
        ++at_;
    }
    const std::string_view raw = text_.substr(begin, at_ - begin);
    skip_space();
    return raw;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void skip_space() {
    while (!done() && is_space(text_[at_])) ++at_;
  }
  // From quote to quote, because the library finds a byte many at a time: one ends the string when an even number of
  // backslashes stands before it.
  void skip_string() {
    const size_t begin = ++at_;
    while (!done()) {
      const size_t quote = std::min(text_.find('"', at_), text_.size());
      size_t backslashes = 0;
      while (quote - backslashes > begin && text_[quote - backslashes - 1] == '\\') ++backslashes;
      at_ = std::min(quote + 1, text_.size());
      if (backslashes % 2 == 0) return;
    }
  }
  void skip_nested() {
    size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && !done());
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::string_view> raw_member(std::string_view json, size_t index) {
  Cursor cursor(json);
  if (!cursor.take('{')) return std::nullopt;
  while (cursor.at('"')) {
    cursor.string();
    if (!cursor.take(':')) break;
    const std::string_view value = cursor.value();
    if (index-- == 0) return value;
    if (!cursor.take(',')) break;
  }
  return std::nullopt;
}

size_t raw_value_end(std::string_view json, size_t at) {
  return at + Cursor(json.substr(at)).value().size();
}

std::optional<std::string_view> raw_element(std::string_view json, size_t index) {
  Cursor cursor(json);
  if (!cursor.take('[')) return std::nullopt;
  while (!cursor.done() && !cursor.at(']')) {
    const std::string_view value = cursor.value();
    if (index-- == 0) return value;
    if (!cursor.take(',')) break;
  }
  return std::nullopt;
}

std::vector<std::string_view> raw_elements(std::string_view json) {
  std::vector<std::string_view> elements;
  Cursor cursor(json);
  if (!cursor.take('[')) return elements;
  while (!cursor.done() && !cursor.at(']')) {
    elements.push_back(cursor.value());
    if (!cursor.take(',')) break;
  }
  return elements;
}

}  // namespace kilat
