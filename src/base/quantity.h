// Sizes and durations as people write them. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat {

/// "4096", "64KiB", "1MiB", "2GiB" to bytes; nothing for any other text and above 2^63.
std::optional<uint64_t> parse_size(std::string_view text);

/// The reverse, with the largest unit that leaves a whole number.
std::string format_size(uint64_t bytes);

/// "500ms", "30s", "5m", "1h", "7d" to milliseconds; nothing for any other text, one without a unit too, and above
/// 2^63.
std::optional<uint64_t> parse_duration_ms(std::string_view text);

/// The reverse, with the largest unit that leaves a whole number; "0".
std::string format_duration_ms(uint64_t ms);

}  // namespace kilat
