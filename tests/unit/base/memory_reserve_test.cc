#include "base/memory_reserve.h"

#include <gtest/gtest.h>

#include <new>

namespace kilat::memory {
namespace {

TEST(MemoryReserve, FailedAllocation_Throws) {
  keep_reserve();
  EXPECT_THROW(on_failed_allocation(), std::bad_alloc);
}

TEST(MemoryReserve, FailedAllocationThatMustSucceed_GivesTheReserveBackOnce) {
  keep_reserve();
  const MustSucceed scope;
  EXPECT_NO_THROW(on_failed_allocation());
  EXPECT_DEATH(on_failed_allocation(), "the reserve is used up");
}

TEST(MemoryReserve, Kept_IsThereAgain) {
  keep_reserve();
  const MustSucceed scope;
  on_failed_allocation();
  keep_reserve();
  EXPECT_NO_THROW(on_failed_allocation());
}

TEST(MemoryReserve, MayFailInsideOfMustSucceed_Throws) {
  keep_reserve();
  const MustSucceed outer;
  {
    const MayFail inner;
    EXPECT_THROW(on_failed_allocation(), std::bad_alloc);
  }
  EXPECT_NO_THROW(on_failed_allocation());
}

TEST(MemoryReserve, KeepReserve_InstallsTheHandler) {
  keep_reserve();
  EXPECT_EQ(std::get_new_handler(), &on_failed_allocation);
}

}  // namespace
}  // namespace kilat::memory
