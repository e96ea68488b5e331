// What /proc says about this machine, read from texts: so that tests bring their own machine. Pure; any thread.
// Counters that are missing or malformed stay 0: the readings of another kernel degrade, they do not fail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kilat::cli {

struct CpuTimes {
  uint64_t busy = 0;  ///< clock ticks
  uint64_t total = 0;
};

struct ByteCounts {
  uint64_t in = 0;   ///< received, or read
  uint64_t out = 0;  ///< sent, or written
};

/// The first line of /proc/stat. Waiting for I/O counts as idle.
CpuTimes parse_cpu(std::string_view stat);

/// Memory in use in percent of all, by MemAvailable of /proc/meminfo.
double parse_memory_percent(std::string_view meminfo);

/// The one-minute figure of /proc/loadavg.
double parse_load1(std::string_view loadavg);

/// /proc/net/dev: all interfaces together, without lo.
ByteCounts parse_network(std::string_view net_dev);

/// /proc/diskstats: whole disks together (no partitions, loop, ram or stacked devices, whose bytes are counted
/// already).
ByteCounts parse_disks(std::string_view diskstats);

/// Seconds since the start, from /proc/uptime.
double parse_uptime(std::string_view uptime);

/// All of it at one moment.
struct HostSample {
  uint64_t time_ms = 0;  ///< monotonic
  CpuTimes cpu;
  double memory_percent = 0;
  double load1 = 0;
  ByteCounts network;
  ByteCounts disks;
  double uptime_s = 0;
};

/// Reads /proc of this machine now.
HostSample sample_host();

}  // namespace kilat::cli
