// What raises alarms: looks at every reading of the plant's sensors that ingest has acknowledged, whoever sent it, and
// knows nothing of the simulation. Any thread. Bounds: one entry for each sensor of the plant.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "scada/sensor.h"

namespace examples::scada {

struct Alarm {
  std::string sensor;
  std::string kind;  ///< "spike", "drift", "stuck", "silent"
  std::string text;
  double value = 0;
  std::int64_t time_ms = 0;
  bool raised = true;  ///< false: it is over
};

class Watch {
 public:
  explicit Watch(const std::vector<Sensor>& sensors);

  /// Judges one reading. Sensors that the plant does not have are not watched.
  void see(std::string_view sensor, double value, std::int64_t time_ms, std::vector<Alarm>& out);
  /// Finds the sensors that have gone silent; to be called each second.
  void look_for_silence(std::int64_t now_ms, std::vector<Alarm>& out);
  /// Nobody is to be missed from now on, until it is heard again: the plant was stopped.
  void forget_times();

 private:
  struct State {
    const Kind* kind = nullptr;
    double level = 0;  ///< moving average of what was plausible
    double last = 0;
    std::int64_t last_ms = 0;  ///< 0: not heard yet
    double gap_ms = 0;         ///< moving average between two readings
    int same = 0;              ///< readings with this very value, one after the other
    std::int64_t same_since_ms = 0;
    std::int64_t fine_since_ms = 0;
    std::string alarm;  ///< kind of the one that is on; empty: none
  };
  static std::string_view judge(State& state, double value, std::int64_t time_ms);
  static void change(const std::string& sensor, State& state, std::string_view alarm, std::int64_t now_ms,
                     std::vector<Alarm>& out);

  std::mutex mutex_;
  std::map<std::string, State, std::less<>> states_;
};

}  // namespace examples::scada
