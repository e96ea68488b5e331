// Histogram of durations in the manner of HdrHistogram: every value is counted with a relative error below 1 %.
// Owner: one thread. Bounds: 36 KiB, whatever is recorded; values above kValueMax count as kValueMax.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kilat::cli::bench {

class Histogram {
 public:
  static constexpr unsigned kPrecisionBits = 7;  ///< 128 steps in each power of two
  static constexpr unsigned kValueBits = 42;
  static constexpr uint64_t kValueMax = (uint64_t{1} << kValueBits) - 1;  ///< as nanoseconds: 73 minutes

  void record(uint64_t value);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }  ///< exact; 0 when nothing was recorded

  /// The value that `percent` (above 0, at most 100) of the recorded values do not exceed: the upper edge of its step,
  /// never above max(). 0 when nothing was recorded.
  uint64_t percentile(double percent) const;

 private:
  static constexpr size_t kSteps = size_t{1} << kPrecisionBits;
  static constexpr size_t kSlots = (kValueBits - kPrecisionBits + 1) * kSteps;

  std::array<uint64_t, kSlots> slots_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace kilat::cli::bench
