#include "scada/plant.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace examples::scada {
namespace {

constexpr std::int64_t kFaultGapLowMs = 12'000;
constexpr std::int64_t kFaultGapHighMs = 45'000;
constexpr std::int64_t kFaultLowMs = 8'000;
constexpr std::int64_t kFaultHighMs = 30'000;

std::string numbered(std::string_view prefix, int number) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%s-%03d", std::string(prefix).c_str(), number);
  return text.data();
}

}  // namespace

Plant::Plant(std::uint64_t seed) : random_(seed) {
  for (const Kind& kind : kKinds) {
    for (int i = 1; i <= kind.count; ++i) sensors_.emplace_back(numbered(kind.prefix, i), kind, random_);
  }
}

void Plant::read(std::size_t count, std::int64_t from_ms, std::int64_t to_ms, std::vector<Reading>& out) {
  const std::scoped_lock lock(mutex_);
  maybe_break_one(to_ms);
  for (std::size_t i = 1; i <= count; ++i) {
    Sensor& sensor = sensors_[next_];
    next_ = (next_ + 1) % sensors_.size();
    const std::int64_t time_ms =
        from_ms + (to_ms - from_ms) * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
    if (const auto value = sensor.read(time_ms, random_)) {
      out.push_back({sensor.name(), *value, sensor.kind().decimals, time_ms});
    }
  }
}

bool Plant::break_sensor(std::string_view name, Fault fault, std::int64_t now_ms, std::int64_t duration_ms) {
  const std::scoped_lock lock(mutex_);
  const auto sensor = std::ranges::find(sensors_, name, &Sensor::name);
  if (sensor == sensors_.end()) return false;
  sensor->break_until(fault, now_ms, now_ms + duration_ms);
  return true;
}

std::vector<FaultNow> Plant::faults(std::int64_t now_ms) const {
  const std::scoped_lock lock(mutex_);
  std::vector<FaultNow> now;
  for (const Sensor& sensor : sensors_) {
    if (sensor.fault_at(now_ms) != Fault::kNone)
      now.push_back({sensor.name(), sensor.fault(), sensor.fault_since_ms()});
  }
  return now;
}

void Plant::maybe_break_one(std::int64_t now_ms) {
  if (now_ms < next_fault_ms_) return;
  if (next_fault_ms_ != 0) {
    Sensor& sensor = sensors_[random_() % sensors_.size()];
    const auto fault = static_cast<Fault>(1 + random_() % 4);
    sensor.break_until(fault, now_ms, now_ms + span_ms(kFaultLowMs, kFaultHighMs));
  }
  next_fault_ms_ = now_ms + span_ms(kFaultGapLowMs, kFaultGapHighMs);
}

std::int64_t Plant::span_ms(std::int64_t low_ms, std::int64_t high_ms) {
  return std::uniform_int_distribution<std::int64_t>(low_ms, high_ms)(random_);
}

}  // namespace examples::scada
