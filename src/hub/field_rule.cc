#include "hub/field_rule.h"

#include <algorithm>
#include <array>

#include "base/words.h"

namespace kilat::hub {
namespace {

// In the order of FieldType.
constexpr std::array<std::string_view, 8> kNames{"any", "text", "number", "integer", "bool", "time", "object", "array"};

}  // namespace

std::string_view name_of(FieldType type) {
  return kNames[static_cast<size_t>(type)];
}

std::expected<FieldRule, std::string> FieldRule::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::unexpected("is longer than 512 bytes");
  FieldRule rule;
  rule.name = take_word(text);
  if (rule.name.empty()) return std::unexpected("must be a name and what it is, such as \"value number required\"");
  bool typed = false;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const auto* const at = std::ranges::find(kNames, word);
    if (word == "required") {
      rule.required = true;
    } else if (at == kNames.end() || typed) {
      return std::unexpected("must say once whether it is any, text, number, integer, bool, time, object or array: " +
                             std::string(word));
    } else {
      rule.type = static_cast<FieldType>(at - kNames.begin());
      typed = true;
    }
  }
  if (!typed && !rule.required) return std::unexpected("says neither what the field is nor that it is required");
  return rule;
}

}  // namespace kilat::hub
