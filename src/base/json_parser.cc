#include "base/json_parser.h"

#include <algorithm>
#include <charconv>
#include <new>

#include "base/json_raw.h"

namespace kilat {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Four hex digits at `at` of `text`, or 0x10000 where there are none.
uint32_t hex4(std::string_view text, size_t at) {
  uint32_t value = 0;
  const char* begin = text.data() + at;
  if (at + 4 > text.size() || std::from_chars(begin, begin + 4, value, 16).ptr != begin + 4) return 0x10000;
  return value;
}

bool is_high_surrogate(uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low_surrogate(uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

// With the 19 digits that may stand before it, the largest exponent that a double has room for in any case.
constexpr std::string_view kExponentMax = "289";

size_t digits_end(std::string_view text, size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// Appends the number whose digits begin at `at` (the run before a point, behind it, or of an exponent) as far as
// simdjson has room for it; where the run ends.
size_t append_digits(std::string& out, std::string_view text, size_t at) {
  const size_t end = digits_end(text, at);
  // Digits that every 64-bit value of the sign has room for.
  const size_t fits = at > 0 && text[at - 1] == '-' ? 18 : 19;
  out.append(text, at, std::min(end - at, fits));
  return end;
}

// The same for an exponent without a sign or with a plus; a negative one is never too large.
size_t append_exponent(std::string& out, std::string_view text, size_t at) {
  const size_t end = digits_end(text, at);
  std::string_view digits = text.substr(at, end - at);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.empty() ? 0 : digits.size() - 1));
  const bool large =
      digits.size() > kExponentMax.size() || (digits.size() == kExponentMax.size() && digits > kExponentMax);
  out += large ? kExponentMax : digits;
  return end;
}

// A copy that simdjson takes although the text holds what RFC 8259 allows and simdjson does not: runs of digits that
// fit into no 64-bit value are cut, exponents that fit into no double become smaller (JavaScript reads infinity), and
// half surrogate pairs (JavaScript writes them for half an emoji) become U+FFFD. The shape of the text, and so its
// validity, stays.
std::string mend(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      const uint32_t unit = text[i + 1] == 'u' ? hex4(text, i + 2) : 0x10000;
      const bool pair =
          is_high_surrogate(unit) && text.substr(i + 6, 2) == "\\u" && is_low_surrogate(hex4(text, i + 8));
      if (pair) {
        out.append(text, i, 12);
        i += 11;
      } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
        out += "\\ufffd";
        i += 5;
      } else {
        out.append(text, i++, 2);
      }
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    if (in_string || !is_digit(text[i])) {
      out += text[i];
      continue;
    }
    const size_t before = i > 0 && text[i - 1] == '+' ? i - 1 : i;
    const bool exponent = before > 0 && (text[before - 1] == 'e' || text[before - 1] == 'E');
    i = (exponent ? append_exponent(out, text, i) : append_digits(out, text, i)) - 1;
  }
  return out;
}

}  // namespace

// Not a fault of the text. What simdjson had allocated when it failed is not used again: it may think that it has the
// rest as well.
void JsonParser::out_of_memory() {
  parser_ = simdjson::dom::parser();
  throw std::bad_alloc();
}

std::optional<simdjson::dom::element> JsonParser::parse(std::string_view text) {
  simdjson::dom::element root;
  if (parser_.capacity() < text.size() && parser_.allocate(text.size(), kDepthMax) != simdjson::SUCCESS) {
    out_of_memory();
  }
  simdjson::error_code error = parser_.parse(text.data(), text.size(), false).get(root);
  mended_ = error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR;
  if (mended_) {
    copy_ = mend(text);
    error = parser_.parse(copy_).get(root);
  }
  if (error == simdjson::MEMALLOC) out_of_memory();
  if (error != simdjson::SUCCESS) return std::nullopt;
  return root;
}

std::optional<simdjson::dom::element> JsonParser::parse_copy(std::string_view text) {
  copy_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  copy_.assign(text);
  return parse(copy_);
}

std::optional<RawMember> find_raw(const simdjson::dom::object& object, std::string_view text, std::string_view key) {
  size_t index = 0;
  for (const simdjson::dom::key_value_pair member : object) {
    if (member.key == key) {
      const std::optional<std::string_view> raw = raw_member(text, index);
      return raw ? std::optional(RawMember{member.value, *raw}) : std::nullopt;
    }
    ++index;
  }
  return std::nullopt;
}

std::optional<std::string_view> string_member(const simdjson::dom::object& object, std::string_view key) {
  std::string_view value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace kilat
