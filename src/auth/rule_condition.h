// RuleCondition: who may, as a rule says it. Immutable after parsing; any thread. Bounds: kDepthMax brackets.
//   anonymous (everybody), authenticated, none, role:R, user:U, claim:PATH=V, backend
// & is all, | is any, & binds closer, ( ) group. Captures of the rule's pattern may stand in R, U and V.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/channel_pattern.h"
#include "auth/identity.h"

namespace kilat::auth {

/// The order matters: all of several is the smallest, any of several the largest.
enum class Truth : uint8_t { kNo, kAskBackend, kYes };

class RuleCondition {
 public:
  static constexpr int kDepthMax = 16;

  struct Term {
    enum class Kind : uint8_t { kNone, kAnonymous, kAuthenticated, kRole, kUser, kClaim, kBackend };
    Kind kind = Kind::kNone;
    std::string path;       ///< kClaim
    CaptureTemplate value;  ///< kRole, kUser, kClaim
  };

  /// The condition, or what is wrong with the text, as the end of a sentence.
  static std::expected<RuleCondition, std::string> parse(std::string_view text, const ChannelPattern& pattern);

  /// No condition was given.
  bool empty() const { return steps_.empty(); }
  /// Whether it holds for `who` (null: nobody is signed in).
  Truth holds(const std::vector<Captured>& captures, const Identity* who) const;
  /// Whether there could be a user for whom it holds.
  bool wants_user() const;
  bool asks_backend() const;
  /// A line for each term: itself with its captures filled in, and whether it holds.
  std::vector<std::string> explain(const std::vector<Captured>& captures, const Identity* who) const;

 private:
  friend class ConditionParser;
  /// In postfix order.
  struct Step {
    enum class Kind : uint8_t { kTerm, kAll, kAny } kind = Kind::kTerm;
    Term term;
  };

  Truth evaluate(auto&& truth_of) const;

  std::vector<Step> steps_;
};

}  // namespace kilat::auth
