#include "flow/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace kilat::flow {
namespace {

double exactly(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

TEST(QuantileSketch, RandomStreams_AreOffByOnePercentAtMost) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    QuantileSketch sketch;
    std::vector<double> values;
    std::normal_distribution<double> normal(round % 3 == 0 ? 0 : 50, 20);
    std::lognormal_distribution<double> wide(0, 3);
    const size_t count = 1 + random() % 3'000;
    for (size_t i = 0; i < count; ++i) {
      double value = round % 2 == 0 ? normal(random) : wide(random);
      if (random() % 20 == 0) value = 0;
      values.push_back(value);
      sketch.add(value);
    }
    for (const double q : {0.0, 0.05, 0.5, 0.95, 0.99, 1.0}) {
      const double want = exactly(values, q);
      ASSERT_NEAR(sketch.quantile(q), want, std::abs(want) * QuantileSketch::kRelativeError * 1.0001) << q;
    }
  }
}

TEST(QuantileSketch, ExtremeMagnitudes_StayInBounds) {
  QuantileSketch sketch;
  EXPECT_EQ(sketch.quantile(0.5), 0);
  std::vector<double> values;
  // From the smallest to the largest, and back, so that buckets are put together both ways.
  for (int i = -320; i <= 308; ++i) values.push_back(std::pow(10.0, i));
  for (const double value : values) sketch.add(value);
  for (auto it = values.rbegin(); it != values.rend(); ++it) sketch.add(-*it);
  sketch.add(std::numeric_limits<double>::infinity());
  sketch.add(std::numeric_limits<double>::denorm_min());
  EXPECT_LE(sketch.bytes(), 2 * 2 * QuantileSketch::kBucketsMax * sizeof(uint32_t))
      << "a vector may have room for twice";
  EXPECT_NEAR(sketch.quantile(0.999), 1e307, 1.01e305);
  EXPECT_NEAR(sketch.quantile(0.001), -1e307, 1.01e305);
  sketch.clear();
  EXPECT_EQ(sketch.quantile(0.5), 0);
  sketch.add(7);
  EXPECT_NEAR(sketch.quantile(0.5), 7, 0.07);
}

TEST(QuantileSketch, LargestQuantiles_StayRightWhenTheSmallAreLumpedTogether) {
  QuantileSketch sketch;
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) values.push_back(std::pow(10.0, i - 150));
  for (const double value : values) sketch.add(value);
  EXPECT_NEAR(sketch.quantile(0.95), exactly(values, 0.95), exactly(values, 0.95) * 0.0101);
}

}  // namespace
}  // namespace kilat::flow
