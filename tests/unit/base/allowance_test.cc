#include "base/allowance.h"

#include <gtest/gtest.h>

namespace kilat {
namespace {

constexpr uint64_t kStartMs = 1'000'000;

// How many of `tries` single tokens are given at one moment.
int take_many(Allowance& allowance, uint32_t rate, uint64_t now_ms, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += allowance.take(1, rate, now_ms) ? 1 : 0;
  return taken;
}

TEST(Allowance, New_GivesOneSecondAndTheExtraAtOnce) {
  Allowance allowance(100, 30, kStartMs);
  EXPECT_EQ(take_many(allowance, 100, kStartMs, 1'000), 130);
  EXPECT_FALSE(allowance.take(1, 100, kStartMs));
}

TEST(Allowance, Empty_RefillsEvenly) {
  Allowance allowance(100, 0, kStartMs);
  take_many(allowance, 100, kStartMs, 1'000);
  EXPECT_EQ(take_many(allowance, 100, kStartMs + 100, 1'000), 10);
  EXPECT_EQ(take_many(allowance, 100, kStartMs + 150, 1'000), 5);
  EXPECT_EQ(take_many(allowance, 100, kStartMs + 155, 1'000), 0) << "half a token is not one";
  EXPECT_EQ(take_many(allowance, 100, kStartMs + 160, 1'000), 1) << "and is not lost either";
}

TEST(Allowance, Idle_NeverGivesMoreThanOneSecondAtOnce) {
  Allowance allowance(100, 0, kStartMs);
  take_many(allowance, 100, kStartMs, 1'000);
  uint64_t now_ms = kStartMs;
  for (int day = 0; day < 5; ++day) {
    now_ms += 86'400'000;
    const int taken = take_many(allowance, 100, now_ms, 1'000);
    EXPECT_GE(taken, 50);
    EXPECT_LE(taken, 100);
  }
}

TEST(Allowance, SteadyUseAtTheRate_IsNeverRefused) {
  for (const uint32_t rate : {1u, 3u, 10u, 333u, 1'000u}) {
    Allowance allowance(rate, 0, kStartMs);
    for (uint64_t i = 0; i < 20 * rate; ++i) {
      ASSERT_TRUE(allowance.take(1, rate, kStartMs + (i * 1000 + rate - 1) / rate)) << rate << " at " << i;
    }
  }
}

TEST(Allowance, Flood_GetsTheRateOnAverage) {
  Allowance allowance(1'000, 0, kStartMs);
  int taken = 0;
  for (uint64_t ms = 0; ms < 10'000; ++ms) taken += take_many(allowance, 1'000, kStartMs + ms, 20);
  EXPECT_GE(taken, 10'900);
  EXPECT_LE(taken, 11'000) << "ten seconds, and the full bucket of the start";
}

TEST(Allowance, CostLargerThanTheBucket_PassesOnceAndIsOwed) {
  Allowance allowance(1'000, 0, kStartMs);
  EXPECT_TRUE(allowance.take(5'000, 1'000, kStartMs));
  EXPECT_FALSE(allowance.take(1, 1'000, kStartMs + 400));
  // 4,000 are owed; each look grants half a second at most.
  uint64_t now_ms = kStartMs + 400;
  int refused = 0;
  while (!allowance.take(1, 1'000, now_ms += 500)) ++refused;
  EXPECT_GE(now_ms - kStartMs, 4'000u);
  EXPECT_GT(refused, 0);
}

TEST(Allowance, NoLimit_GivesEverythingAndMeetsALaterLimit) {
  Allowance allowance(0, 0, kStartMs);
  EXPECT_EQ(take_many(allowance, 0, kStartMs, 100'000), 100'000);
  EXPECT_LT(take_many(allowance, 10, kStartMs, 100'000), 2'000);
}

TEST(Allowance, HighestRate_DoesNotOverflow) {
  Allowance allowance(UINT32_MAX, UINT32_MAX, 0);
  EXPECT_TRUE(allowance.take(UINT64_C(1) << 40, UINT32_MAX, 0));
  EXPECT_FALSE(allowance.take(1, UINT32_MAX, 999));
  EXPECT_FALSE(allowance.take(1, UINT32_MAX, UINT64_C(1) << 60));
}

}  // namespace
}  // namespace kilat
