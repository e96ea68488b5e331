#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/bench/histogram.h"

namespace kilat::cli::bench {
namespace {

TEST(BenchHistogram, Empty_AnswersZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.percentile(50), 0U);
}

TEST(BenchHistogram, OneValue_IsEveryPercentile) {
  Histogram histogram;
  histogram.record(123'456'789);
  for (const double percent : {0.001, 50.0, 99.9, 100.0}) EXPECT_EQ(histogram.percentile(percent), 123'456'789U);
}

TEST(BenchHistogram, SmallValues_AreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 256; ++value) histogram.record(value);
  for (uint64_t value = 0; value < 256; ++value) {
    EXPECT_EQ(histogram.percentile(100 * (static_cast<double>(value) + 0.5) / 256), value);
  }
}

// Every power of two with its neighbours, alone below a far larger value: shown as itself, or less than 1 % above.
TEST(BenchHistogram, AnyValue_IsReportedWithinOnePercentAndNeverBelowItself) {
  for (unsigned bits = 1; bits < Histogram::kValueBits; ++bits) {
    const uint64_t power = uint64_t{1} << bits;
    for (const uint64_t value : {power - 1, power, power + 1, power + power / 3}) {
      Histogram histogram;
      histogram.record(value);
      histogram.record(Histogram::kValueMax);
      const uint64_t shown = histogram.percentile(50);
      EXPECT_GE(shown, value);
      EXPECT_LE(static_cast<double>(shown), static_cast<double>(value) * 1.01) << value;
    }
  }
}

TEST(BenchHistogram, ValuesAboveTheBound_CountAsTheBound) {
  Histogram histogram;
  histogram.record(~uint64_t{0});
  EXPECT_EQ(histogram.max(), Histogram::kValueMax);
  EXPECT_EQ(histogram.percentile(99), Histogram::kValueMax);
}

TEST(BenchHistogram, Percentiles_AgreeWithASortedList) {
  Histogram histogram;
  std::vector<uint64_t> values;
  uint64_t state = 42;
  for (int i = 0; i < 10'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    values.push_back(state >> (24 + state % 20));
    histogram.record(values.back());
  }
  std::ranges::sort(values);
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<size_t>(std::ceil(percent * static_cast<double>(values.size()) / 100)) - 1;
    const auto exact = static_cast<double>(values[rank]);
    EXPECT_GE(static_cast<double>(histogram.percentile(percent)), exact);
    EXPECT_LE(static_cast<double>(histogram.percentile(percent)), exact * 1.01 + 1);
  }
}

}  // namespace
}  // namespace kilat::cli::bench
