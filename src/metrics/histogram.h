// Histogram: how often a duration fell between two bounds, plain counters without atomics.
// Owner: one shard's thread; copied out by that thread for a scrape. Bound: kBounds + 1 counters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace kilat::metrics {

class Histogram {
 public:
  /// Upper bounds in microseconds; what is above the last counts in the bucket behind it.
  static constexpr std::array<uint64_t, 14> kBounds{50,     100,    250,    500,     1'000,   2'500,     5'000,
                                                    10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000};

  void observe(uint64_t microseconds) {
    size_t bucket = 0;
    while (bucket < kBounds.size() && microseconds > kBounds[bucket]) ++bucket;
    ++counts_[bucket];
    sum_us_ += microseconds;
  }

  /// Adds what another one has counted: histograms of shards may be summed, quantiles may not.
  void add(const Histogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_us_ += other.sum_us_;
  }

  const std::array<uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  uint64_t sum_us() const { return sum_us_; }
  uint64_t count() const {
    uint64_t all = 0;
    for (const uint64_t count : counts_) all += count;
    return all;
  }

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_{};
  uint64_t sum_us_ = 0;
};

}  // namespace kilat::metrics
