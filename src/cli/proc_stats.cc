#include "cli/proc_stats.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "base/clock.h"

namespace kilat::cli {
namespace {

std::string_view next_word(std::string_view& text) {
  const size_t start = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(start);
  const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

template <typename T>
T number(std::string_view word) {
  T value{};
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// sda, vdb, xvda, hda: letters only. nvme0n1 and mmcblk0: no "p" with a number behind.
bool whole_disk(std::string_view name) {
  for (const std::string_view prefix : {"sd", "vd", "xvd", "hd"}) {
    if (name.starts_with(prefix)) return name.back() < '0' || name.back() > '9';
  }
  if (name.starts_with("nvme") || name.starts_with("mmcblk")) {
    const size_t part = name.rfind('p');
    return part == std::string_view::npos || !all_digits(name.substr(part + 1));
  }
  return false;
}

std::string read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

CpuTimes parse_cpu(std::string_view stat) {
  std::string_view line = next_line(stat);
  CpuTimes out;
  if (next_word(line) != "cpu") return out;
  // user nice system idle iowait irq softirq steal; guest times stand in user already (proc(5)).
  for (int column = 0; column < 8; ++column) {
    const auto ticks = number<uint64_t>(next_word(line));
    out.total += ticks;
    if (column != 3 && column != 4) out.busy += ticks;
  }
  return out;
}

double parse_memory_percent(std::string_view meminfo) {
  double total = 0;
  double available = 0;
  while (!meminfo.empty()) {
    std::string_view line = next_line(meminfo);
    const std::string_view name = next_word(line);
    if (name == "MemTotal:") total = number<double>(next_word(line));
    if (name == "MemAvailable:") available = number<double>(next_word(line));
  }
  return total > 0 ? std::clamp(100 * (1 - available / total), 0.0, 100.0) : 0;
}

double parse_load1(std::string_view loadavg) {
  return number<double>(next_word(loadavg));
}

ByteCounts parse_network(std::string_view net_dev) {
  ByteCounts out;
  while (!net_dev.empty()) {
    std::string_view line = next_line(net_dev);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two lines of headings
    std::string_view name = line.substr(0, colon);
    name = next_word(name);
    if (name == "lo") continue;
    line.remove_prefix(colon + 1);  // old kernels put no space behind the colon
    for (int column = 0; column < 9; ++column) {
      const auto value = number<uint64_t>(next_word(line));
      if (column == 0) out.in += value;
      if (column == 8) out.out += value;
    }
  }
  return out;
}

ByteCounts parse_disks(std::string_view diskstats) {
  constexpr uint64_t kSectorBytes = 512;  // of this file, whatever the disk has
  ByteCounts out;
  while (!diskstats.empty()) {
    std::string_view line = next_line(diskstats);
    next_word(line);
    next_word(line);
    const std::string_view name = next_word(line);
    if (name.empty() || !whole_disk(name)) continue;
    for (int column = 0; column < 7; ++column) {
      const auto value = number<uint64_t>(next_word(line));
      if (column == 2) out.in += value * kSectorBytes;
      if (column == 6) out.out += value * kSectorBytes;
    }
  }
  return out;
}

double parse_uptime(std::string_view uptime) {
  return number<double>(next_word(uptime));
}

HostSample sample_host() {
  HostSample out;
  out.time_ms = monotonic_ms();
  out.cpu = parse_cpu(read_file("/proc/stat"));
  out.memory_percent = parse_memory_percent(read_file("/proc/meminfo"));
  out.load1 = parse_load1(read_file("/proc/loadavg"));
  out.network = parse_network(read_file("/proc/net/dev"));
  out.disks = parse_disks(read_file("/proc/diskstats"));
  out.uptime_s = parse_uptime(read_file("/proc/uptime"));
  return out;
}

}  // namespace kilat::cli
