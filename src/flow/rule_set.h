// RuleSet: the flow rules of an app, in their order. Immutable after construction; any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow_rule.h"

namespace kilat::flow {

class RuleSet {
 public:
  RuleSet() = default;
  /// Texts that FlowRule::parse does not take are left out.
  explicit RuleSet(std::span<const std::string> texts);

  bool empty() const { return rules_.empty(); }
  const std::vector<FlowRule>& rules() const { return rules_; }

  /// Whether any rule is about `channel`, whose name without the prefix of its kind is `bare`. Costs a comparison with
  /// each pattern: to be asked once a channel.
  bool concerns(std::string_view channel, std::string_view bare) const;

 private:
  std::vector<FlowRule> rules_;
};

using RuleSetPtr = std::shared_ptr<const RuleSet>;

}  // namespace kilat::flow
