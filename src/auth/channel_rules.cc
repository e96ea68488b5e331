#include "auth/channel_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/words.h"

namespace kilat::auth {
namespace {

constexpr std::array<std::string_view, kActions> kActionNames{"subscribe", "publish", "presence"};

Verdict verdict_of(const RuleCondition& condition, const std::vector<Captured>& captures, const Identity* who) {
  const Truth truth = condition.holds(captures, who);
  if (truth == Truth::kYes) return Verdict::kAllow;
  if (truth == Truth::kAskBackend) return Verdict::kAsk;
  return who == nullptr && condition.wants_user() ? Verdict::kNeedsUser : Verdict::kRefuse;
}

std::string_view text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNoRule: return "no rule";
    case Verdict::kAllow: return "allowed";
    case Verdict::kRefuse: return "refused";
    case Verdict::kNeedsUser: return "refused: sign in first";
    case Verdict::kAsk: return "the backend decides";
  }
  return "";
}

}  // namespace

std::string_view name_of(Action action) {
  return kActionNames[static_cast<size_t>(action)];
}

std::expected<ChannelRule, std::string> ChannelRule::parse(std::string_view text) {
  if (text.size() > kTextMax) return std::unexpected("is longer than 2048 bytes");
  ChannelRule rule;
  rule.text_ = text;
  const std::string_view name = take_word(text);
  auto pattern = ChannelPattern::parse(name);
  if (!pattern) return std::unexpected(pattern.error());
  rule.pattern_ = std::move(*pattern);
  bool speaks = false;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const std::string_view action = word.substr(0, word.find('='));
    const auto* known = std::ranges::find(kActionNames, action);
    if (known == kActionNames.end() || action.size() == word.size()) {
      return std::unexpected("has a word that is not subscribe=WHO, publish=WHO or presence=WHO: " + std::string(word));
    }
    RuleCondition& condition = rule.conditions_[known - kActionNames.begin()];
    if (!condition.empty()) return std::unexpected("says " + std::string(action) + "= twice");
    auto parsed = RuleCondition::parse(word.substr(action.size() + 1), rule.pattern_);
    if (!parsed) return std::unexpected(parsed.error());
    condition = std::move(*parsed);
    if (condition.asks_backend() && action != name_of(Action::kSubscribe)) {
      return std::unexpected("has backend behind something else than subscribe=");
    }
    speaks = true;
  }
  if (!speaks) return std::unexpected("must say subscribe=WHO, publish=WHO or presence=WHO behind its pattern");
  return rule;
}

ChannelRules::ChannelRules(std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    if (auto rule = ChannelRule::parse(text)) rules_.push_back(std::move(*rule));
  }
}

Verdict ChannelRules::decide(Action action, std::string_view channel, std::string_view bare,
                             const Identity* who) const {
  std::vector<Captured> captures;
  for (const ChannelRule& rule : rules_) {
    const RuleCondition& condition = rule.conditions_[static_cast<size_t>(action)];
    if (condition.empty() || !rule.pattern_.match(channel, bare, captures)) continue;
    return verdict_of(condition, captures, who);
  }
  return Verdict::kNoRule;
}

std::vector<std::string> ChannelRules::explain(Action action, std::string_view channel, std::string_view bare,
                                               const Identity* who) const {
  std::vector<std::string> lines;
  std::vector<Captured> captures;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const ChannelRule& rule = rules_[i];
    const RuleCondition& condition = rule.conditions_[static_cast<size_t>(action)];
    lines.push_back("rule " + std::to_string(i + 1) + ": " + rule.text());
    if (!rule.pattern_.match(channel, bare, captures)) {
      lines.emplace_back("  does not fit the name");
      continue;
    }
    if (condition.empty()) {
      lines.push_back("  fits, but says nothing of " + std::string(name_of(action)));
      continue;
    }
    lines.emplace_back("  fits");
    for (const auto& [name, value] : captures) {
      lines.push_back("  {" + std::string(name) + "} is " + std::string(value));
    }
    for (const std::string& line : condition.explain(captures, who)) lines.push_back("  " + line);
    lines.emplace_back(text_of(verdict_of(condition, captures, who)));
    return lines;
  }
  lines.emplace_back(text_of(Verdict::kNoRule));
  return lines;
}

}  // namespace kilat::auth
