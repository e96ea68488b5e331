// Times of the examples: milliseconds since 1970 in databases and counts, ISO 8601 in UTC for everybody else. Any
// thread.
#pragma once

#include <cstdint>
#include <string>

namespace examples {

/// Milliseconds since 1970.
std::int64_t unix_ms();

/// "2026-01-31T19:30:00.250Z".
std::string iso_time(std::int64_t ms);

}  // namespace examples
