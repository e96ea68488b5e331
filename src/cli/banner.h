// What `kilat serve` greets people with: where to connect, as whom, and what to try. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "config/load.h"

namespace kilat::cli {

struct Listening {
  std::string host;
  uint16_t port = 0;
  uint32_t shards = 0;
  bool tls = false;           ///< of this address
  std::string addresses{};    ///< all of them, as server.listen writes them
  uint16_t metrics_port = 0;  ///< 0: there are none
};

/// The banner, with an empty line at its end. The secret is masked; only what exists has a line.
std::string banner(const config::Loaded& loaded, const Listening& listening);

}  // namespace kilat::cli
