// QuantileSketch: quantiles of a stream of numbers in little memory: DDSketch (Masson, Rim, Lee, "DDSketch: a fast and
// fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019). A bucket counts the numbers whose
// magnitude lies between two powers of 1.02, so an answer is at most 1 % beside a number that was added.
// Owner: one key of a window. Bounds: kBucketsMax buckets of 4 bytes for each sign, enough for magnitudes that are up
// to 10^17 apart; beyond that the smallest are counted in the lowest bucket that is left, and only they lose accuracy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kilat::flow {

class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.01;
  static constexpr size_t kBucketsMax = 2'048;

  /// An infinity counts as the largest double.
  void add(double value);

  /// About the number of rank ⌊q (n - 1)⌋ from 0 among the n added, 0 ≤ q ≤ 1. 0 when there is none.
  double quantile(double q) const;

  void clear();
  size_t bytes() const { return (positive_.counts.capacity() + negative_.counts.capacity()) * sizeof(uint32_t); }

 private:
  // The counts of buckets first, first + 1, …
  struct Store {
    int first = 0;
    std::vector<uint32_t> counts;

    void add(int bucket);
    void make_room(int bucket);
  };

  Store positive_;
  Store negative_;
  uint64_t zeros_ = 0;
  uint64_t count_ = 0;
};

}  // namespace kilat::flow
