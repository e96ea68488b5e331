// How busy this machine is: processor, memory, load. Belongs to the worker.
#pragma once

#include <cstdint>

#include "common/proc.h"

namespace examples::noc {

struct HostFigures {
  double cpu_percent = 0;  ///< of all processors, since the last look
  std::uint64_t memory_total_bytes = 0;
  std::uint64_t memory_used_bytes = 0;
  double load = 0;  ///< of the last minute
};

class Host {
 public:
  HostFigures look();

 private:
  proc::CpuTicks ticks_;
};

}  // namespace examples::noc
