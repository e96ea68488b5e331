// The state of the whole server as JSON, for SIGUSR1: what one wants to see of a server that behaves oddly. Holds no
// secret and nothing that clients sent. Pure; any thread. Bound: kAppsShown apps.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/health.h"
#include "app/shard_snapshot.h"
#include "config/settings.h"
#include "hub/app_table.h"
#include "metrics/process.h"

namespace kilat::app {

struct DumpInput {
  std::span<const ShardSnapshot> shards;
  const std::vector<bool>& responding;
  const hub::AppTable& apps;
  const config::Settings& settings;
  std::vector<Cause> causes;
  uint16_t port = 0;
  uint64_t uptime_ms = 0;
  metrics::ProcessUsage process;
};

std::string state_dump(const DumpInput& input);

}  // namespace kilat::app
