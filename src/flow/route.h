// Route: the rules that fit one channel. Owner: one Engine. Bounds: Engine::kRoutesMax, beside those with lanes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "flow/rule_state.h"

namespace kilat::flow {

/// A rule that fits, and the lane that was used last. Lanes point back here, so it stays where it is.
struct Spot {
  RuleState* state = nullptr;
  std::string target;  ///< the channel of the results; empty: in place
  Lane* recent = nullptr;
  size_t lanes = 0;
};

struct Route {
  std::string channel;
  std::vector<Spot> spots;  ///< in the order of the rules

  bool idle() const {
    for (const Spot& spot : spots) {
      if (spot.lanes != 0) return false;
    }
    return true;
  }
};

}  // namespace kilat::flow
