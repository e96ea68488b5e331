#include "flow/rule_set.h"

#include <algorithm>

namespace kilat::flow {

RuleSet::RuleSet(std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    if (auto rule = FlowRule::parse(text)) rules_.push_back(std::move(*rule));
  }
}

bool RuleSet::concerns(std::string_view channel, std::string_view bare) const {
  std::vector<auth::Captured> captures;
  return std::ranges::any_of(rules_, [&](const FlowRule& rule) { return rule.pattern.match(channel, bare, captures); });
}

}  // namespace kilat::flow
