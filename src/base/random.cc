#include "base/random.h"

#include <sys/random.h>

#include <cstdlib>

namespace kilat {

uint64_t Random::next() {
  if (used_ == pool_.size()) {
    if (getrandom(pool_.data(), sizeof pool_, 0) != static_cast<ssize_t>(sizeof pool_)) std::abort();
    used_ = 0;
  }
  return pool_[used_++];
}

uint64_t Random::below(uint64_t bound) {
  // Values of the incomplete last range are drawn again, so that every result is equally likely.
  const uint64_t limit = bound * (UINT64_MAX / bound);
  uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

}  // namespace kilat
