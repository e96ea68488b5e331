// The page behind /metrics: what the shards told, summed and labelled. Pure; any thread.
// Bound: kAppsShown apps have samples of their own, the others add up under "(other)".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/ingest_figures.h"
#include "app/shard_snapshot.h"
#include "hub/app_table.h"
#include "metrics/exposition.h"
#include "metrics/process.h"

namespace kilat::app {

inline constexpr size_t kAppsShown = 200;

struct ReloadCounts {
  uint64_t applied = 0;
  uint64_t unchanged = 0;
  uint64_t refused = 0;
  bool last_succeeded = true;
};

struct MetricsInput {
  std::span<const ShardSnapshot> shards;  ///< the last that each shard gave
  const std::vector<bool>& responding;    ///< by shard
  const hub::AppTable& apps;
  std::string_view soketi_prefix;  ///< empty: Soketi's names are not shown
  uint16_t port = 0;
  uint64_t outbox_budget_bytes = 0;
  uint64_t tracked_addresses = 0;
  int64_t certificate_expires_s = 0;  ///< since 1970; 0: there is none
  uint64_t start_unix_ms = 0;
  uint64_t now_unix_ms = 0;
  bool ready = true;
  bool draining = false;
  ReloadCounts reloads;
  std::optional<IngestFigures> ingest;  ///< nothing: no app takes readings
  metrics::ProcessUsage process;
};

std::string metrics_page(const MetricsInput& input, metrics::Format format = metrics::Format::kText);

}  // namespace kilat::app
