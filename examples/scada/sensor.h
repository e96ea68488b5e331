// One simulated sensor: a process that follows its setpoint with a lag, sways with the time of day, wanders and is
// measured with noise; and the faults that sensors have. Belongs to the Plant; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace examples::scada {

/// What a sensor measures. The process stays well within low and high; only a fault leaves them.
struct Kind {
  std::string_view name;
  std::string_view prefix;  ///< of the sensors' names
  std::string_view unit;
  double low;
  double high;
  int decimals;
  int count;     ///< sensors of this kind in the plant
  double noise;  ///< of a measurement, as a share of the span
  double lag_s;  ///< how slowly the process follows its setpoint
  double span() const { return high - low; }
};

/// 200 sensors.
inline constexpr std::array<Kind, 6> kKinds{{
    {"temperature", "temp", "°C", 20, 120, 2, 60, 0.0015, 90},
    {"pressure", "pressure", "bar", 0, 16, 3, 40, 0.002, 20},
    {"flow", "flow", "m³/h", 0, 250, 2, 30, 0.006, 15},
    {"level", "level", "%", 0, 100, 2, 30, 0.001, 180},
    {"vibration", "vibration", "mm/s", 0, 12, 3, 20, 0.02, 5},
    {"power", "power", "kW", 0, 800, 1, 20, 0.004, 10},
}};

enum class Fault : std::uint8_t { kNone, kStuck, kSpike, kDropout, kDrift };
std::string_view name_of(Fault fault);
/// Nothing for an unknown name, and for "none".
std::optional<Fault> fault_of(std::string_view name);

class Sensor {
 public:
  using Random = std::mt19937_64;

  Sensor(std::string name, const Kind& kind, Random& random);

  const std::string& name() const { return name_; }
  const Kind& kind() const { return *kind_; }
  Fault fault() const { return fault_; }
  Fault fault_at(std::int64_t now_ms) const { return now_ms < fault_until_ms_ ? fault_ : Fault::kNone; }
  std::int64_t fault_since_ms() const { return fault_since_ms_; }

  /// What it shows at a time (milliseconds since 1970, never going back); nothing while it is silent.
  std::optional<double> read(std::int64_t now_ms, Random& random);
  /// It is broken until then.
  void break_until(Fault fault, std::int64_t now_ms, std::int64_t until_ms);

 private:
  void advance(double seconds, Random& random);
  double measured(std::int64_t now_ms, Random& random) const;

  std::string name_;
  const Kind* kind_;
  double setpoint_;
  double process_;
  double wander_ = 0;
  double phase_;
  double until_setpoint_s_;
  std::int64_t last_ms_ = 0;
  double shown_ = 0;
  Fault fault_ = Fault::kNone;
  std::int64_t fault_since_ms_ = 0;
  std::int64_t fault_until_ms_ = 0;
};

}  // namespace examples::scada
