// What a run came to, and how it is told. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "cli/bench/complaints.h"
#include "cli/bench/histogram.h"
#include "cli/bench/ledger.h"
#include "cli/bench/plan.h"

namespace kilat::cli::bench {

struct Result {
  std::string error;         ///< why the run could not be done, or not to its end; "" when it was
  bool interrupted = false;  ///< ended early by a signal
  uint32_t established = 0;
  uint32_t failed = 0;
  uint32_t dropped = 0;
  double connects_per_second = 0;
  Histogram connect_ns;
  Totals totals;
  uint64_t refused = 0;      ///< publishes
  uint64_t unsent = 0;       ///< were due and never sent
  uint64_t measured_ns = 0;  ///< the duration, or less when the run ended early
  uint64_t stalls = 0;       ///< times the window was emptied by hand because nothing came any more
  double client_cpu = 0;     ///< share of one core that the load tool itself used while measuring, 0 to 1
  Histogram answer_ns;
  Histogram latency_ns;
  Complaints complaints;

  /// Nothing was lost, duplicated, reordered or refused, every connection came about and stayed: exit code 0.
  bool ok() const;
};

/// For people: a few lines.
std::string report_text(const Plan& plan, const Result& result);

/// One JSON object on one line. The names are stable: docs/bench.md.
std::string report_json(const Plan& plan, const Result& result);

/// 1234567 as "1,234,567".
std::string with_commas(uint64_t value);

}  // namespace kilat::cli::bench
