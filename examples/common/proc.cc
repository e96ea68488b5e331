#include "common/proc.h"

#include <array>
#include <fstream>
#include <sstream>

namespace examples::proc {

// "cpu user nice system idle iowait irq softirq steal …", proc_stat(5).
std::optional<CpuTicks> cpu_ticks() {
  std::ifstream file("/proc/stat");
  std::string label;
  if (!(file >> label) || label != "cpu") return std::nullopt;
  std::array<std::uint64_t, 8> ticks{};
  CpuTicks out;
  for (std::uint64_t& tick : ticks) {
    if (!(file >> tick)) return std::nullopt;
    out.all += tick;
  }
  out.busy = out.all - ticks[3] - ticks[4];
  return out;
}

std::optional<Memory> memory() {
  std::ifstream file("/proc/meminfo");
  Memory out;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kibibytes = 0;
    if (!(words >> name >> kibibytes)) continue;
    if (name == "MemTotal:") out.total_bytes = kibibytes * 1024;
    if (name == "MemAvailable:") out.available_bytes = kibibytes * 1024;
  }
  if (out.total_bytes == 0) return std::nullopt;
  return out;
}

std::optional<double> load() {
  std::ifstream file("/proc/loadavg");
  double out = 0;
  if (!(file >> out)) return std::nullopt;
  return out;
}

// After two lines of headings: "eth0: received-bytes (7 more) sent-bytes …".
std::map<std::string, Counters> interfaces() {
  std::map<std::string, Counters> out;
  std::ifstream file("/proc/net/dev");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream words(line.substr(colon + 1));
    std::array<std::uint64_t, 9> figures{};
    for (std::uint64_t& figure : figures) words >> figure;
    const std::size_t begin = line.find_first_not_of(' ');
    if (words) out.emplace(line.substr(begin, colon - begin), Counters{.received = figures[0], .sent = figures[8]});
  }
  return out;
}

}  // namespace examples::proc
