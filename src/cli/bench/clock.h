// The clock of the load tool. Any thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace kilat::cli::bench {

/// Nanoseconds of the monotonic clock: publishes are due, and arrive, in these.
inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace kilat::cli::bench
