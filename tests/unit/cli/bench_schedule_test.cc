#include <gtest/gtest.h>

#include "cli/bench/schedule.h"

namespace kilat::cli::bench {
namespace {

constexpr uint64_t kStart = 5'000'000'123;

TEST(BenchSchedule, DueTimes_AreEvenAndStartAtOnce) {
  const Schedule schedule(kStart, kStart + kNsPerSecond, 4);
  for (uint64_t n = 0; n < 12; ++n) EXPECT_EQ(schedule.due_ns(n), kStart + n * 250'000'000);
}

TEST(BenchSchedule, RateThatDoesNotDivideASecond_DoesNotDrift) {
  const Schedule schedule(kStart, kStart + 1'000'000 * kNsPerSecond, 7);
  EXPECT_EQ(schedule.due_ns(7 * 1'000'000), kStart + 1'000'000 * kNsPerSecond);
}

TEST(BenchSchedule, DueCount_TurnsOnTheNanosecondOfTheDueTime) {
  for (const uint64_t rate : {1U, 3U, 7U, 10U, 999U, 1'000'000U, 3'333'333U}) {
    const Schedule schedule(kStart, kStart + 100 * kNsPerSecond, rate);
    for (uint64_t n = 0; n < 3 * rate; n += 1 + rate / 50) {
      const uint64_t due_ns = schedule.due_ns(n);
      EXPECT_EQ(schedule.due_count(due_ns), n + 1) << rate;
      EXPECT_EQ(schedule.due_count(due_ns - 1), n) << rate;
    }
  }
}

TEST(BenchSchedule, DueCount_IsExactOverTheWholeTime) {
  const Schedule schedule(kStart, kStart + 2 * kNsPerSecond, 50);
  EXPECT_EQ(schedule.due_count(kStart - 1), 0U);
  EXPECT_EQ(schedule.due_count(kStart + 2 * kNsPerSecond), 100U);
  EXPECT_EQ(schedule.due_count(kStart + 500 * kNsPerSecond), 100U);
}

TEST(BenchSchedule, Cut_EndsItEarlyAndNeverLater) {
  Schedule schedule(kStart, kStart + 2 * kNsPerSecond, 10);
  schedule.cut(kStart + 3 * kNsPerSecond);
  EXPECT_EQ(schedule.due_count(kStart + 9 * kNsPerSecond), 20U);
  schedule.cut(kStart + kNsPerSecond);
  EXPECT_EQ(schedule.due_count(kStart + 9 * kNsPerSecond), 10U);
}

TEST(BenchSchedule, NothingIsDue_WhereNoTimeIsGiven) {
  EXPECT_EQ(Schedule().due_count(kStart), 0U);
  EXPECT_EQ(Schedule(kStart, kStart, 10).due_count(kStart), 0U);
}

}  // namespace
}  // namespace kilat::cli::bench
