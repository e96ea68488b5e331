// The simulated plant: 200 sensors read in turn, and a fault here and there. The same seed makes the same plant.
// Belongs to the thread of the Feeder, but for break_sensor() and faults(), which any thread may call.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scada/sensor.h"

namespace examples::scada {

struct Reading {
  std::string_view sensor;  ///< lives as long as the plant
  double value;
  int decimals;
  std::int64_t time_ms;
};

struct FaultNow {
  std::string sensor;
  Fault fault;
  std::int64_t since_ms;
};

class Plant {
 public:
  explicit Plant(std::uint64_t seed);

  /// Never changes.
  const std::vector<Sensor>& sensors() const { return sensors_; }
  /// Reads the next `count` sensors, whose measurements lie evenly between two times; silent ones give nothing.
  void read(std::size_t count, std::int64_t from_ms, std::int64_t to_ms, std::vector<Reading>& out);
  /// False for an unknown sensor. Ends the fault that it has.
  bool break_sensor(std::string_view name, Fault fault, std::int64_t now_ms, std::int64_t duration_ms);
  std::vector<FaultNow> faults(std::int64_t now_ms) const;

 private:
  void maybe_break_one(std::int64_t now_ms);
  std::int64_t span_ms(std::int64_t low_ms, std::int64_t high_ms);

  mutable std::mutex mutex_;
  Sensor::Random random_;
  std::vector<Sensor> sensors_;
  std::size_t next_ = 0;
  std::int64_t next_fault_ms_ = 0;
};

}  // namespace examples::scada
