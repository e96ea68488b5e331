// What `kilat top` shows: figures of two scrapes, as a page for a terminal or as JSON. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/metrics_text.h"

namespace kilat::cli {

struct TopApp {
  std::string id;
  double connections = 0;
  double channels = 0;
  double subscriptions = 0;
  double received_per_s = 0;
  double published_per_s = 0;
  double deliveries_per_s = 0;
};

struct TopFigures {
  std::string version;
  double uptime_s = 0;
  bool ready = false;
  bool draining = false;
  double shards = 0;
  double connections = 0;
  double http_connections = 0;
  double opened_per_s = 0;
  double closed_per_s = 0;
  double received_per_s = 0;
  double published_per_s = 0;
  double deliveries_per_s = 0;
  double sent_bytes_per_s = 0;
  double refusals_per_s = 0;
  double fanout_p50_ms = 0;
  double fanout_p99_ms = 0;
  double turn_p99_ms = 0;
  double outbox_bytes = 0;
  double slow_closes = 0;
  double memory_bytes = 0;
  double cpu_percent = 0;  ///< of one processor
  double open_files = 0;
  std::vector<TopApp> apps;  ///< the busiest first
};

/// `seconds` between the two scrapes, more than 0.
TopFigures top_figures(const MetricsText& before, const MetricsText& now, double seconds);

/// For a terminal of `rows` lines, without colours; ends with a newline.
std::string top_page(const TopFigures& figures, size_t rows);

/// One JSON object with a newline.
std::string top_json(const TopFigures& figures);

}  // namespace kilat::cli
