#include "noc/host.h"

namespace examples::noc {

HostFigures Host::look() {
  HostFigures figures;
  const proc::CpuTicks ticks = proc::cpu_ticks().value_or(proc::CpuTicks{});
  if (ticks.all > ticks_.all && ticks.busy >= ticks_.busy) {
    figures.cpu_percent =
        100.0 * static_cast<double>(ticks.busy - ticks_.busy) / static_cast<double>(ticks.all - ticks_.all);
  }
  ticks_ = ticks;
  const proc::Memory memory = proc::memory().value_or(proc::Memory{});
  figures.memory_total_bytes = memory.total_bytes;
  figures.memory_used_bytes = memory.total_bytes - memory.available_bytes;
  figures.load = proc::load().value_or(0);
  return figures;
}

}  // namespace examples::noc
