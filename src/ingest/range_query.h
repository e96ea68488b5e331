// What GET /apps/ID/readings asks for. Pure; any thread.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "http/uri.h"
#include "store/ingest_record.h"

namespace kilat::ingest {

inline constexpr uint32_t kReadingsLimitMax = 10'000;
inline constexpr uint32_t kListLimitMax = 1'000;

struct RangeQuery {
  store::ReadingRange range;  ///< without the app
  uint64_t step_ms = 0;       ///< 0: the readings themselves
  uint32_t limit = 1'000;     ///< readings, or steps
};

/// sensor, from, to, step, limit, order, after. Error: kApiParameterInvalid with the name.
Result<RangeQuery> parse_range(const http::Query& query);

/// limit, or `usual`.
Result<uint32_t> parse_limit(const http::Query& query, uint32_t usual, uint32_t max);

}  // namespace kilat::ingest
