#include "app/drain_schedule.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace kilat::app {
namespace {

struct Dice {
  uint64_t below(uint64_t bound) { return engine() % bound; }
  std::mt19937_64 engine;
};

// The moment of each close, looked at every microsecond.
std::vector<uint64_t> moments(size_t count, uint64_t spread_us, uint64_t seed) {
  Dice dice{std::mt19937_64(seed)};
  DrainSchedule schedule(count, spread_us);
  std::vector<uint64_t> out;
  for (uint64_t now = 0; now <= spread_us; ++now) {
    const size_t due = schedule.due(now, dice);
    while (out.size() < due) out.push_back(now);
  }
  return out;
}

TEST(DrainSchedule, EachClose_FallsInItsOwnSlot) {
  constexpr size_t kCount = 200;
  constexpr uint64_t kSlotUs = 1'000;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const std::vector<uint64_t> closes = moments(kCount, kCount * kSlotUs, seed);
    ASSERT_EQ(closes.size(), kCount);
    for (size_t i = 0; i < kCount; ++i) EXPECT_EQ(closes[i] / kSlotUs, i) << "seed " << seed;
  }
}

TEST(DrainSchedule, Closes_HaveNoBeat) {
  constexpr size_t kCount = 400;
  constexpr uint64_t kSlotUs = 1'000;
  const std::vector<uint64_t> closes = moments(kCount, kCount * kSlotUs, 7);
  // Where in its slot each falls: every quarter gets about a hundred of them.
  std::vector<size_t> quarters(4);
  for (const uint64_t close : closes) ++quarters[close % kSlotUs * 4 / kSlotUs];
  for (const size_t count : quarters) EXPECT_GT(count, 60u);
}

TEST(DrainSchedule, TwoShards_DoNotCloseInStep) {
  const std::vector<uint64_t> one = moments(100, 100'000, 1);
  const std::vector<uint64_t> other = moments(100, 100'000, 2);
  size_t together = 0;
  for (size_t i = 0; i < one.size(); ++i) together += one[i] == other[i] ? 1u : 0u;
  EXPECT_LT(together, 5u);
}

TEST(DrainSchedule, SameRandomNumbers_GiveTheSameMoments) {
  EXPECT_EQ(moments(50, 70'000, 3), moments(50, 70'000, 3));
  EXPECT_NE(moments(50, 70'000, 3), moments(50, 70'000, 4));
}

TEST(DrainSchedule, LateTurn_FindsAllThatBecameDueMeanwhile) {
  Dice dice{std::mt19937_64(1)};
  DrainSchedule schedule(1'000, 1'000'000);
  const size_t half = schedule.due(500'000, dice);
  EXPECT_GE(half, 499u);
  EXPECT_LE(half, 501u);
  EXPECT_EQ(schedule.due(1'000'000, dice), 1'000u);
  EXPECT_EQ(schedule.due(2'000'000, dice), 1'000u);
}

TEST(DrainSchedule, MoreConnectionsThanMicroseconds_AreStillDueInTime) {
  Dice dice{std::mt19937_64(1)};
  DrainSchedule schedule(1'000'000, 1'000);
  EXPECT_NEAR(static_cast<double>(schedule.due(500, dice)), 500'000, 2'000);
  EXPECT_EQ(schedule.due(1'000, dice), 1'000'000u);
}

TEST(DrainSchedule, NoConnectionOrNoTime_IsDoneAtOnce) {
  Dice dice{std::mt19937_64(1)};
  EXPECT_EQ(DrainSchedule(0, 1'000).due(500, dice), 0u);
  EXPECT_EQ(DrainSchedule(10, 0).due(0, dice), 10u);
  EXPECT_EQ(DrainSchedule().due(0, dice), 0u);
}

TEST(DrainSchedule, AMillionConnectionsOverAnHour_AreEven) {
  Dice dice{std::mt19937_64(1)};
  constexpr uint64_t kHourUs = 3'600'000'000;
  DrainSchedule schedule(size_t{1} << 20, kHourUs);
  EXPECT_NEAR(static_cast<double>(schedule.due(kHourUs / 2, dice)), (1 << 20) / 2.0, 2);
}

}  // namespace
}  // namespace kilat::app
