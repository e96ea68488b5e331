// The time inside an event, and times as texts. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat::flow {

/// Milliseconds since 1970 of an ISO 8601 text, 2026-11-21T19:33:53.123Z: seconds and their fraction may be missing, a
/// space may stand for the T, ±HH:MM or ±HHMM for the Z, and nothing means UTC. From 1970 to 9999; digits below the
/// millisecond are cut. Nothing for any other text.
std::optional<uint64_t> read_iso_time(std::string_view text);

/// The same of a JSON number: below 10^11 seconds (until the year 5138), else milliseconds.
std::optional<uint64_t> read_unix_time(std::string_view text);

/// Appends 2026-11-21T19:33:53.123Z. `unix_ms` until the year 9999; later times become its last millisecond.
void append_iso_time(std::string& out, uint64_t unix_ms);

}  // namespace kilat::flow
