// Readings of this machine and the batches that carry them: what a plant's sensors would send. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/proc_stats.h"

namespace kilat::cli {

struct Reading {
  std::string_view sensor;  ///< "host.cpu"
  double value = 0;
  std::string_view unit;  ///< "%", "B/s", "s" or ""
};

/// What happened between two samples: rates need both, the other readings are of `now`. Counters that went backwards
/// (a reset) count as 0.
std::vector<Reading> readings_between(const HostSample& before, const HostSample& now);

/// Bodies for POST /apps/{id}/batch_events, at most `batch_max` readings in each; channel `scada-data`, event
/// `scada.data.received`.
std::vector<std::string> batch_bodies(const std::vector<Reading>& readings, uint64_t unix_time_ms, size_t batch_max);

/// "2026-01-01T00:02:11.123Z".
std::string iso_time(uint64_t unix_time_ms);

}  // namespace kilat::cli
