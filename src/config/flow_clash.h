// Whether a flow rule would hold events that are to be on disk when they are answered. Pure functions; any thread.
#pragma once

#include <string>

#include "flow/flow_rule.h"
#include "hub/app_settings.h"

namespace kilat::config {

struct FlowClash {
  enum class Kind : uint8_t {
    kNone,
    kPossible,  ///< there may be channels of both, or the rule is about events of some names only
    kCertain,   ///< there is at least one channel of both
  } kind = Kind::kNone;
  std::string with;  ///< the rule or setting of the app that promises it
};

/// `rule`: one of `app.flow`. Only rules that hold events in place clash.
FlowClash find_clash(const flow::FlowRule& rule, const hub::AppSettings& app);

}  // namespace kilat::config
