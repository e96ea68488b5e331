// What durable ingest counts, for metrics. Plain values.
#pragma once

#include <cstdint>

#include "store/ingest_log.h"

namespace kilat::app {

struct IngestFigures {
  store::IngestLog::Figures log;
  uint64_t retries = 0;
  uint64_t unserved_jobs = 0;  ///< when the apps were last read
};

}  // namespace kilat::app
