// The table of metrics as a document. Pure; any thread.
#pragma once

#include <string>

namespace kilat::metrics {

/// docs/metrics.md, as `kilat metrics --markdown` prints it.
std::string reference_markdown();

/// For a terminal: one line a metric.
std::string reference_plain();

}  // namespace kilat::metrics
