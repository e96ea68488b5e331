// What the kernel tells of this machine in /proc: as it stands there, so that each example makes its own figures of it.
// What a kernel does not tell is not there. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace examples::proc {

/// Ticks of all processors since the start. Waiting for I/O counts as idle.
struct CpuTicks {
  std::uint64_t busy = 0;
  std::uint64_t all = 0;
};
std::optional<CpuTicks> cpu_ticks();

struct Memory {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};
std::optional<Memory> memory();

/// The load of the last minute.
std::optional<double> load();

/// Bytes since the start.
struct Counters {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};
/// Of each network interface, by its name.
std::map<std::string, Counters> interfaces();

}  // namespace examples::proc
