// This machine as sensors: processor, memory, load and network, out of /proc. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/proc.h"
#include "scada/plant.h"

namespace examples::scada {

struct HostSensor {
  std::string_view name;
  std::string_view kind;
  std::string_view unit;
};

/// All that HostTelemetry may tell of.
const std::vector<HostSensor>& host_sensors();

class HostTelemetry {
 public:
  /// Figures since the last call; what needs two of them is not there at the first, what /proc does not tell, never.
  void read(std::int64_t now_ms, std::vector<Reading>& out);

 private:
  void read_cpu(std::int64_t now_ms, std::vector<Reading>& out);
  void read_memory(std::int64_t now_ms, std::vector<Reading>& out) const;
  void read_load(std::int64_t now_ms, std::vector<Reading>& out) const;
  void read_network(std::int64_t now_ms, std::vector<Reading>& out);

  proc::CpuTicks ticks_;
  proc::Counters network_;
  std::int64_t network_ms_ = 0;
};

}  // namespace examples::scada
