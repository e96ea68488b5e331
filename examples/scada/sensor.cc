#include "scada/sensor.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace examples::scada {
namespace {

constexpr std::array<std::string_view, 5> kFaultNames{"none", "stuck", "spike", "dropout", "drift"};
constexpr double kDaySeconds = 86'400;
constexpr double kWaveShare = 0.04;
constexpr double kWanderShare = 0.01;
constexpr double kWanderSeconds = 60;
constexpr double kSpikeShare = 0.8;
constexpr double kDriftShare = 0.04;  // of the span in a second

double between(Sensor::Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

double normal(Sensor::Random& random) {
  return std::normal_distribution<double>()(random);
}

double fresh_setpoint(const Kind& kind, Sensor::Random& random) {
  return kind.low + kind.span() * between(random, 0.35, 0.6);
}

}  // namespace

std::string_view name_of(Fault fault) {
  return kFaultNames[static_cast<std::size_t>(fault)];
}

std::optional<Fault> fault_of(std::string_view name) {
  const auto* const found = std::ranges::find(kFaultNames, name);
  if (found == kFaultNames.begin() || found == kFaultNames.end()) return std::nullopt;
  return static_cast<Fault>(found - kFaultNames.begin());
}

Sensor::Sensor(std::string name, const Kind& kind, Random& random)
    : name_(std::move(name)),
      kind_(&kind),
      setpoint_(fresh_setpoint(kind, random)),
      process_(setpoint_),
      phase_(between(random, 0, 2 * std::numbers::pi)),
      until_setpoint_s_(between(random, 5, 120)) {}

void Sensor::advance(double seconds, Random& random) {
  until_setpoint_s_ -= seconds;
  if (until_setpoint_s_ <= 0) {
    setpoint_ = fresh_setpoint(*kind_, random);
    until_setpoint_s_ = between(random, 60, 300);
  }
  process_ += (setpoint_ - process_) * (1 - std::exp(-seconds / kind_->lag_s));
  // Ornstein-Uhlenbeck: it wanders, and comes back.
  const double keep = std::exp(-seconds / kWanderSeconds);
  wander_ = wander_ * keep + kind_->span() * kWanderShare * std::sqrt(1 - keep * keep) * normal(random);
}

double Sensor::measured(std::int64_t now_ms, Random& random) const {
  const double day = 2 * std::numbers::pi * static_cast<double>(now_ms) / 1'000 / kDaySeconds;
  double value =
      process_ + wander_ + kind_->span() * (kWaveShare * std::sin(day + phase_) + kind_->noise * normal(random));
  if (fault_ == Fault::kSpike) value += kSpikeShare * kind_->span();
  if (fault_ == Fault::kDrift) {
    value += kDriftShare * kind_->span() * static_cast<double>(now_ms - fault_since_ms_) / 1'000;
  }
  return value;
}

std::optional<double> Sensor::read(std::int64_t now_ms, Random& random) {
  const double seconds = last_ms_ == 0 ? 0 : static_cast<double>(std::max<std::int64_t>(now_ms - last_ms_, 0)) / 1'000;
  last_ms_ = now_ms;
  if (fault_ != Fault::kNone && now_ms >= fault_until_ms_) fault_ = Fault::kNone;
  advance(seconds, random);
  if (fault_ == Fault::kDropout) return std::nullopt;
  if (fault_ != Fault::kStuck) shown_ = measured(now_ms, random);
  return shown_;
}

void Sensor::break_until(Fault fault, std::int64_t now_ms, std::int64_t until_ms) {
  if (shown_ == 0) shown_ = process_;
  fault_ = fault;
  fault_since_ms_ = now_ms;
  fault_until_ms_ = until_ms;
}

}  // namespace examples::scada
