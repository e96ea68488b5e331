// What the command line of the stress program says, and how a run ends. Plain data.
#pragma once

#include <cstdint>
#include <string>

namespace kilat::stress {

struct Options {
  std::string binary;
  uint64_t seed = 1;
  uint32_t seconds = 20;
  uint32_t shards = 3;
  uint32_t clients = 0;       ///< 0: what suits the mode
  uint32_t soak_seconds = 0;  ///< 0: the self-checking mix
};

/// Each runs a server from start to end and returns the program's exit code: 0, or 1 when something was wrong.
int run_chaos(const Options& options);
int run_soak(const Options& options);

}  // namespace kilat::stress
