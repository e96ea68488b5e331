// FieldRule: what a member of a reading must be. Immutable; any thread. Bounds: kTextMax.
//
// A rule is a line of words: the member's name, what it must be, and `required`.
//   channel text required
//   value number
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace kilat::hub {

enum class FieldType : uint8_t { kAny, kText, kNumber, kInteger, kBool, kTime, kObject, kArray };

/// "text", "number", …
std::string_view name_of(FieldType type);

struct FieldRule {
  static constexpr size_t kTextMax = 512;

  std::string name;
  FieldType type = FieldType::kAny;
  bool required = false;

  /// The rule, or what is wrong with the text, as the end of a sentence.
  static std::expected<FieldRule, std::string> parse(std::string_view text);
};

}  // namespace kilat::hub
