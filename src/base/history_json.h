// What a client says about the history of the channel that it subscribes to (docs/history.md). Pure function.
// Heavy to compile: include it in .cc files only.
#pragma once

#include <optional>

#include "base/history_ask.h"
#include "base/json_parser.h"

namespace kilat {

/// `recover` and `rewind` of what was said; nothing when it has neither. What is not as it should be means nothing.
std::optional<HistoryAsk> read_history_ask(const simdjson::dom::object& said);

}  // namespace kilat
