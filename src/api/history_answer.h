// GET channels/NAME/history: what is asked, and the answer (docs/history.md). Pure functions; any thread.
#pragma once

#include "base/result.h"
#include "http/response.h"
#include "http/uri.h"
#include "hub/command.h"

namespace kilat::api {

inline constexpr uint32_t kHistoryLimitMax = 1'000;

/// Errors: kApiParameterInvalid with the name of the parameter.
Result<hub::HistoryRange> parse_range(const http::Query& query);

/// `off`: the channel keeps no history.
http::Response history_answer(const hub::Query& query, bool off, const hub::HistoryPage& page);

}  // namespace kilat::api
