// ChannelPattern: which names a rule is about, and what the names' parts are called. Immutable after parsing; any
// thread. {name} stands for one or more characters except the dot and is a capture; * for any characters, or none.
// Bounds: kWildcardsMax captures and stars; a match takes at most pieces times length steps.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::auth {

/// A part of a pattern, or of a value with captures in it.
struct PatternPiece {
  enum class Kind : uint8_t { kLiteral, kCapture, kAnything } kind = Kind::kLiteral;
  std::string text;  ///< kLiteral: as it stands; kCapture: its name
};

/// What a capture stood for; a view into the name that was matched.
struct Captured {
  std::string_view name;
  std::string_view value;
};

class ChannelPattern {
 public:
  static constexpr size_t kWildcardsMax = 8;

  /// The pattern, or what is wrong with the text, as the end of a sentence.
  static std::expected<ChannelPattern, std::string> parse(std::string_view text);

  /// Whether `name` fits; what it holds is written to `captures`.
  bool match(std::string_view name, std::vector<Captured>& captures) const;
  /// The same for a channel, whose name without the prefix of its kind is `bare`: that is what the pattern is held
  /// against, so that a name is meant under all of its kinds; a pattern that begins with such a prefix is held against
  /// the whole name.
  bool match(std::string_view channel, std::string_view bare, std::vector<Captured>& captures) const {
    return match(whole_name_ ? channel : bare, captures);
  }

  bool has_capture(std::string_view name) const;

 private:
  std::vector<PatternPiece> pieces_;
  bool whole_name_ = false;
};

/// A value with captures in it, such as team-{team}.
class CaptureTemplate {
 public:
  CaptureTemplate() = default;
  /// Its captures must be among those of `pattern`.
  static std::expected<CaptureTemplate, std::string> parse(std::string_view text, const ChannelPattern& pattern);
  std::string fill_in(const std::vector<Captured>& captures) const;

 private:
  std::vector<PatternPiece> pieces_;
};

}  // namespace kilat::auth
