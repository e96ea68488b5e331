// How a fuzz target says that an input has shown a fault. Pure; any thread.
#pragma once

#include <cstdlib>

namespace kilat::testing {

/// Ends the process when the condition does not hold, which the fuzzer takes for a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace kilat::testing
