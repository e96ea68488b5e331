#include "app/linger.h"

#include <gtest/gtest.h>

namespace kilat::app {
namespace {

// Turns of 1 ms, `busy` of it work, for `ms` milliseconds. To each reader comes an event every `every_us`: as many
// of them go in one call as come while the first waits.
void run(LingerController& controller, double busy, int ms, uint64_t every_us = 1'000) {
  for (int i = 0; i < ms; ++i) {
    const auto worked = static_cast<uint64_t>(busy * 1'000);
    const uint64_t frames = 1'000'000'000 / every_us;
    const uint64_t sends = frames * every_us / (every_us + controller.linger_us());
    controller.account(worked, 1'000 - worked, {.frames = frames, .sends = sends});
  }
}

TEST(Linger, ShardWithTimeToSpare_NeverWaits) {
  LingerController controller(5'000);
  run(controller, 0.29, 1'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, ModeratelyBusyShard_DoesNotBeginToWait) {
  LingerController controller(5'000);
  run(controller, 0.65, 1'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, StepToFullLoad_ReachesTheMaximumAndNoMore) {
  LingerController controller(5'000);
  run(controller, 1.0, 10);
  EXPECT_EQ(controller.linger_us(), LingerController::kFirstUs);
  run(controller, 1.0, 70);
  EXPECT_EQ(controller.linger_us(), 5'000u);
  run(controller, 1.0, 1'000);
  EXPECT_EQ(controller.linger_us(), 5'000u);
}

TEST(Linger, ReliefByWaitingItself_KeepsTheWait) {
  LingerController controller(5'000);
  run(controller, 1.0, 100);
  run(controller, 0.4, 1'000);
  EXPECT_EQ(controller.linger_us(), 5'000u);
}

TEST(Linger, BusyShardWithRareEvents_DoesNotWaitForNothing) {
  LingerController controller(5'000);
  run(controller, 1.0, 10, 100'000);
  EXPECT_EQ(controller.linger_us(), LingerController::kFirstUs);
  run(controller, 1.0, 10, 100'000);
  EXPECT_EQ(controller.linger_us(), 0u);
  run(controller, 1.0, 480, 100'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, EventsBecomeFrequent_WaitsAgainAfterThePause) {
  LingerController controller(5'000);
  run(controller, 1.0, 100, 100'000);
  run(controller, 1.0, 600, 1'000);
  EXPECT_EQ(controller.linger_us(), 5'000u);
}

TEST(Linger, EventsBecomeRare_StopsBetweenBusyAndSpare) {
  LingerController controller(5'000);
  run(controller, 1.0, 100);
  run(controller, 0.5, 20, 100'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, BackToIdle_StopsWaiting) {
  LingerController controller(5'000);
  run(controller, 1.0, 100);
  run(controller, 0.05, 50);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, MaximumOfZero_TurnsItOff) {
  LingerController controller(0);
  run(controller, 1.0, 1'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

TEST(Linger, LongSleep_CountsAsSpare) {
  LingerController controller(5'000);
  run(controller, 1.0, 100);
  controller.account(10, 60'000'000, {});
  controller.account(10, 60'000'000, {});
  controller.account(10, 60'000'000, {});
  EXPECT_EQ(controller.linger_us(), 0u);
}

}  // namespace
}  // namespace kilat::app
