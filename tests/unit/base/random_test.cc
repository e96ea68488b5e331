#include "base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace kilat {
namespace {

TEST(Random, ManyValues_AreAllDifferentAlsoAcrossInstances) {
  Random first;
  Random second;
  std::set<uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(seen.insert(first.next()).second);
    EXPECT_TRUE(seen.insert(second.next()).second);
  }
}

TEST(Random, EveryBit_IsSometimesSetAndSometimesNot) {
  Random random;
  uint64_t any = 0;
  uint64_t all = UINT64_MAX;
  for (int i = 0; i < 256; ++i) {
    const uint64_t value = random.next();
    any |= value;
    all &= value;
  }
  EXPECT_EQ(any, UINT64_MAX);
  EXPECT_EQ(all, 0U);
}

TEST(Random, Below_StaysInRangeAndReachesEveryValue) {
  Random random;
  for (const uint64_t bound : {1u, 2u, 7u, 10u}) {
    std::vector<uint32_t> counts(bound);
    for (int i = 0; i < 4'000; ++i) {
      const uint64_t value = random.below(bound);
      ASSERT_LT(value, bound);
      ++counts[value];
    }
    for (const uint32_t count : counts) EXPECT_GT(count, 4'000 / bound / 2);
  }
}

TEST(Random, Below_LargeBounds_StayInRange) {
  Random random;
  for (const uint64_t bound : {uint64_t{1} << 63, (uint64_t{1} << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 100; ++i) ASSERT_LT(random.below(bound), bound);
  }
}

}  // namespace
}  // namespace kilat
