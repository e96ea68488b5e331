// ChannelRules: an app's rules on who may do what in which channels, in the order in which they are tried.
// Immutable after construction; any thread. Bounds: ChannelRule::kTextMax and those of its parts, so that neither a
// name nor a rule can make a decision slow.
//
// A rule is a line of words: a pattern, then for what it decides, and who may.
//   booking.{userId} subscribe=user:{userId}|role:admin publish=none presence=role:admin
// Patterns: channel_pattern.h, so that a name is guarded under all of its kinds. Who: rule_condition.h; backend only
// behind subscribe=. For each action the first rule that fits the name and speaks of the action decides.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/channel_pattern.h"
#include "auth/identity.h"
#include "auth/rule_condition.h"

namespace kilat::auth {

enum class Action : uint8_t { kSubscribe, kPublish, kSeeMembers };
inline constexpr size_t kActions = 3;
/// "subscribe", "publish", "presence".
std::string_view name_of(Action action);

enum class Verdict : uint8_t {
  kNoRule,  ///< no rule speaks of it
  kAllow,
  kRefuse,
  kNeedsUser,  ///< refused, because nobody is signed in
  kAsk,        ///< the backend decides
};

class ChannelRule {
 public:
  static constexpr size_t kTextMax = 2048;

  /// The rule, or what is wrong with the text, as the end of a sentence.
  static std::expected<ChannelRule, std::string> parse(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  friend class ChannelRules;

  std::string text_;
  ChannelPattern pattern_;
  RuleCondition conditions_[kActions];
};

class ChannelRules {
 public:
  ChannelRules() = default;
  /// Texts that ChannelRule::parse does not take are left out.
  explicit ChannelRules(std::span<const std::string> texts);

  bool empty() const { return rules_.empty(); }

  /// What may `who` (null: nobody is signed in) do in `channel`, whose name without the prefix of its kind is `bare`?
  Verdict decide(Action action, std::string_view channel, std::string_view bare, const Identity* who) const;

  /// The same decision in words: a line for each rule that was looked at, one for each of its terms, and the verdict.
  std::vector<std::string> explain(Action action, std::string_view channel, std::string_view bare,
                                   const Identity* who) const;

 private:
  std::vector<ChannelRule> rules_;
};

}  // namespace kilat::auth
