// The two clocks. Code below src/app takes times as arguments; only the shards and the command line read these.
#pragma once

#include <cstdint>
#include <ctime>

namespace kilat {

namespace detail {
inline uint64_t read_clock_ms(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}
}  // namespace detail

/// Milliseconds of the monotonic clock: for timers and intervals. Any thread.
inline uint64_t monotonic_ms() {
  return detail::read_clock_ms(CLOCK_MONOTONIC);
}

/// Microseconds of the monotonic clock: for what the loop measures of itself. Any thread.
inline uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1'000;
}

/// Milliseconds since 1970-01-01 UTC: for timestamps that leave the process. Any thread.
inline uint64_t unix_ms() {
  return detail::read_clock_ms(CLOCK_REALTIME);
}

}  // namespace kilat
