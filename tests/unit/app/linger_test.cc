#include "app/linger.h"

#include <gtest/gtest.h>

namespace kilat::app {
namespace {

// Turns of 1 ms, `busy` of it work, for `ms` milliseconds. Returns the windows until the value no longer changed.
void run(LingerController& controller, double busy, int ms) {
  for (int i = 0; i < ms; ++i) {
    const auto worked = static_cast<uint64_t>(busy * 1'000);
    controller.account(worked, 1'000 - worked);
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
  controller.account(10, 60'000'000);
  controller.account(10, 60'000'000);
  controller.account(10, 60'000'000);
  EXPECT_EQ(controller.linger_us(), 0u);
}

}  // namespace
}  // namespace kilat::app
