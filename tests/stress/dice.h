// Dice: random choices from a seed, the same with every standard library. Owner: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace kilat::stress {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}

  /// 0 to n - 1; n > 0.
  uint32_t below(size_t n) { return static_cast<uint32_t>(random_() % n); }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

}  // namespace kilat::stress
