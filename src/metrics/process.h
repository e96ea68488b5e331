// What this process takes from the machine, read from /proc, and how much memory it may have. Any thread; each call
// reads files, so not on the way of a message. What cannot be read is 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace kilat::metrics {

struct ProcessUsage {
  uint64_t resident_bytes = 0;
  uint64_t open_files = 0;
  uint64_t open_files_max = 0;
  double cpu_seconds = 0;
};

/// Of this process, now.
ProcessUsage process_usage();

/// What the process may use: the memory of the machine, or the limit of its control group when that is smaller.
uint64_t memory_limit_bytes();

/// Resident memory of this process, without counting files: cheap enough for once a second.
uint64_t resident_bytes();

/// The number behind `name` in texts such as /proc/meminfo ("MemTotal:  4096 kB"), in bytes; 0 when it is missing.
uint64_t kilobytes_of(std::string_view text, std::string_view name);

/// "0.1.0", as the build says.
std::string_view build_version();

}  // namespace kilat::metrics
