#include "scada/host.h"

#include <optional>

namespace examples::scada {
namespace {

constexpr double kMebibyte = 1024 * 1024;

}  // namespace

const std::vector<HostSensor>& host_sensors() {
  static const std::vector<HostSensor> all{{"host-cpu", "host", "%"},
                                           {"host-memory", "host", "%"},
                                           {"host-load", "host", ""},
                                           {"host-net-rx", "host", "MiB/s"},
                                           {"host-net-tx", "host", "MiB/s"}};
  return all;
}

void HostTelemetry::read(std::int64_t now_ms, std::vector<Reading>& out) {
  read_cpu(now_ms, out);
  read_memory(now_ms, out);
  read_load(now_ms, out);
  read_network(now_ms, out);
}

void HostTelemetry::read_cpu(std::int64_t now_ms, std::vector<Reading>& out) {
  const std::optional<proc::CpuTicks> ticks = proc::cpu_ticks();
  if (!ticks) return;
  if (ticks_.all > 0 && ticks->all > ticks_.all) {
    // A counter that went back, which the one of waiting for I/O may, counts as nothing.
    const double busy = ticks->busy > ticks_.busy ? static_cast<double>(ticks->busy - ticks_.busy) : 0;
    out.push_back({"host-cpu", 100 * busy / static_cast<double>(ticks->all - ticks_.all), 1, now_ms});
  }
  ticks_ = *ticks;
}

void HostTelemetry::read_memory(std::int64_t now_ms, std::vector<Reading>& out) const {
  const std::optional<proc::Memory> memory = proc::memory();
  if (!memory) return;
  const double free = static_cast<double>(memory->available_bytes) / static_cast<double>(memory->total_bytes);
  out.push_back({"host-memory", 100 * (1 - free), 2, now_ms});
}

void HostTelemetry::read_load(std::int64_t now_ms, std::vector<Reading>& out) const {
  if (const std::optional<double> load = proc::load()) out.push_back({"host-load", *load, 2, now_ms});
}

void HostTelemetry::read_network(std::int64_t now_ms, std::vector<Reading>& out) {
  proc::Counters sum;
  for (const auto& [name, counters] : proc::interfaces()) {
    sum.received += counters.received;
    sum.sent += counters.sent;
  }
  const double seconds = static_cast<double>(now_ms - network_ms_) / 1'000;
  if (network_ms_ != 0 && seconds > 0) {
    const auto rate = [seconds](std::uint64_t before, std::uint64_t after) {
      return after > before ? static_cast<double>(after - before) / seconds / kMebibyte : 0;
    };
    out.push_back({"host-net-rx", rate(network_.received, sum.received), 3, now_ms});
    out.push_back({"host-net-tx", rate(network_.sent, sum.sent), 3, now_ms});
  }
  network_ = sum;
  network_ms_ = now_ms;
}

}  // namespace examples::scada
