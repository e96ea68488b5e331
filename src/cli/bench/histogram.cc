#include "cli/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kilat::cli::bench {

// Values below 128 have a slot each; above, the top eight bits choose the step and their position the power of two.
void Histogram::record(uint64_t value) {
  value = std::min(value, kValueMax);
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = bits > kPrecisionBits + 1 ? bits - kPrecisionBits - 1 : 0;
  ++slots_[shift * kSteps + (value >> shift)];
  ++count_;
  max_ = std::max(max_, value);
}

uint64_t Histogram::percentile(double percent) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(static_cast<double>(count_) * percent / 100);
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    seen += slots_[slot];
    if (seen < rank) continue;
    const size_t shift = slot < 2 * kSteps ? 0 : slot / kSteps - 1;
    const uint64_t top = slot - shift * kSteps;
    return std::min(max_, ((top + 1) << shift) - 1);
  }
  return max_;
}

}  // namespace kilat::cli::bench
