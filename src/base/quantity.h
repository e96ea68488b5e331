// Whole numbers, sizes and durations as people write them. Pure functions; any thread.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kilat {

/// All of `text` as one decimal number. Nothing for an empty text, for a character that is no digit (a '+' and white
/// space too), and for what `Number` cannot hold. A '-' before the digits is taken for signed types only, as
/// std::from_chars does; leading zeros are taken, so whoever needs one form of each number must look for them.
template <std::integral Number = uint64_t>
std::optional<Number> parse_whole(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

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
