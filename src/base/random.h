// Unguessable random numbers for ids and secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kilat {

/// Kernel randomness, fetched 256 bytes at a time so that a connection costs no system call. One per shard; not for
/// use from two threads.
class Random {
 public:
  /// Uniform over all 64-bit values. Ends the process when the kernel has no randomness (never seen on Linux).
  uint64_t next();

  /// Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);

 private:
  std::array<uint64_t, 32> pool_{};
  size_t used_ = 32;
};

}  // namespace kilat
