#include "base/quantity.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/words.h"

namespace kilat {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 3> kUnits{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

constexpr std::array<std::pair<std::string_view, uint64_t>, 5> kTimes{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

constexpr uint64_t kMax = uint64_t{1} << 63;

struct Quantity {
  uint64_t number;
  std::string_view unit;  // what comes behind the digits
};

std::optional<Quantity> parse_quantity(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  return Quantity{number, trimmed({stop, static_cast<size_t>(end - stop)})};
}

}  // namespace

std::optional<uint64_t> parse_size(std::string_view text) {
  const auto quantity = parse_quantity(text);
  if (!quantity) return std::nullopt;
  const auto [number, unit] = *quantity;
  if (unit.empty() || unit == "B") return number <= kMax ? std::optional(number) : std::nullopt;
  for (const auto& [name, shift] : kUnits) {
    if (unit == name) return number <= (kMax >> shift) ? std::optional(number << shift) : std::nullopt;
  }
  return std::nullopt;
}

std::string format_size(uint64_t bytes) {
  for (const auto& [name, shift] : kUnits) {
    if (bytes != 0 && bytes % (uint64_t{1} << shift) == 0) return std::to_string(bytes >> shift) + std::string(name);
  }
  return std::to_string(bytes);
}

std::optional<uint64_t> parse_duration_ms(std::string_view text) {
  const auto quantity = parse_quantity(text);
  if (!quantity) return std::nullopt;
  const auto [number, unit] = *quantity;
  for (const auto& [name, ms] : kTimes) {
    if (unit == name) return number <= kMax / ms ? std::optional(number * ms) : std::nullopt;
  }
  return std::nullopt;
}

std::string format_duration_ms(uint64_t ms) {
  for (const auto& [name, factor] : kTimes) {
    if (ms != 0 && ms % factor == 0) return std::to_string(ms / factor) + std::string(name);
  }
  return "0";
}

}  // namespace kilat
