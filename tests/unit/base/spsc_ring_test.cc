#include "base/spsc_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace kilat {
namespace {

using Item = std::unique_ptr<int>;

TEST(SpscRing, Capacity_IsRoundedUpToAPowerOfTwo) {
  EXPECT_EQ(SpscRing<int>(0).capacity(), 1U);
  EXPECT_EQ(SpscRing<int>(1).capacity(), 1U);
  EXPECT_EQ(SpscRing<int>(5).capacity(), 8U);
  EXPECT_EQ(SpscRing<int>(1024).capacity(), 1024U);
}

TEST(SpscRing, NeverPushed_IsEmptyAndPopsNothing) {
  SpscRing<Item> ring(4);
  Item out = std::make_unique<int>(7);
  EXPECT_FALSE(ring.try_pop(out));
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(*out, 7);
  EXPECT_EQ(ring.size_approx(), 0U);
  EXPECT_EQ(ring.consume([](Item&&) { FAIL(); }), 0U);
}

TEST(SpscRing, FullRing_RefusesThePushAndLeavesTheValue) {
  SpscRing<Item> ring(2);
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(1)));
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(2)));
  Item refused = std::make_unique<int>(3);
  EXPECT_FALSE(ring.try_push(std::move(refused)));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(ring.size_approx(), 2U);

  Item out;
  EXPECT_TRUE(ring.try_pop(out));
  EXPECT_EQ(*out, 1);
  EXPECT_TRUE(ring.try_push(std::move(refused)));
  EXPECT_TRUE(ring.try_pop(out));
  EXPECT_EQ(*out, 2);
  EXPECT_TRUE(ring.try_pop(out));
  EXPECT_EQ(*out, 3);
  EXPECT_FALSE(ring.try_pop(out));
}

TEST(SpscRing, ManyLaps_KeepTheOrder) {
  SpscRing<int> ring(8);
  int pushed = 0;
  int popped = 0;
  for (int lap = 0; lap < 1000; ++lap) {
    for (int i = 0; i < 1 + lap % 8; ++i) ASSERT_TRUE(ring.try_push(int{pushed++}));
    int out = -1;
    while (ring.try_pop(out)) ASSERT_EQ(out, popped++);
  }
  EXPECT_EQ(pushed, popped);
}

TEST(SpscRing, Consume_StopsAtItsLimitAndAtTheBurst) {
  SpscRing<int> ring(8);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(ring.try_push(int{i}));
  std::vector<int> seen;
  EXPECT_EQ(ring.consume([&](int&& v) { seen.push_back(v); }, 4), 4U);
  // What the callback pushes belongs to the next burst: a shard that answers itself cannot spin here.
  EXPECT_EQ(ring.consume([&](int&& v) {
    seen.push_back(v);
    EXPECT_TRUE(ring.try_push(v + 100));
  }),
            2U);
  EXPECT_EQ(ring.size_approx(), 2U);
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(SpscRing, Destroyed_ReleasesWhatWasNotPopped) {
  auto shared = std::make_shared<int>(1);
  {
    SpscRing<std::shared_ptr<int>> ring(4);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(ring.try_push(std::shared_ptr<int>(shared)));
    std::shared_ptr<int> out;
    ASSERT_TRUE(ring.try_pop(out));
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(SpscRing, OverAlignedElement_IsAligned) {
  struct alignas(128) Wide {
    int value = 0;
  };
  SpscRing<Wide> ring(2);
  ASSERT_TRUE(ring.try_push(Wide{5}));
  ring.consume([](Wide&& wide) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&wide) % 128, 0U);
    EXPECT_EQ(wide.value, 5);
  });
}

/// Sends `count` items through a ring of `capacity` from one thread to another, and checks that each arrives once, in
/// order. `burst` = 0 pops one by one.
void run_two_threads(size_t capacity, int count, size_t burst) {
  SpscRing<Item> ring(capacity);
  std::thread producer([&] {
    for (int i = 0; i < count; ++i) {
      Item item = std::make_unique<int>(i);
      while (!ring.try_push(std::move(item))) std::this_thread::yield();
    }
  });
  int expected = 0;
  int wrong = 0;
  const auto check = [&](const Item& item) { wrong += item == nullptr || *item != expected++; };
  while (expected < count) {
    size_t got = 0;
    if (burst == 0) {
      Item out;
      got = ring.try_pop(out);
      if (got == 1) check(out);
    } else {
      got = ring.consume([&](Item&& item) { check(item); }, burst);
    }
    if (got == 0) std::this_thread::yield();
    if (ring.size_approx() > ring.capacity()) ++wrong;
  }
  producer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ring.size_approx(), 0U);
}

TEST(SpscRing, TwoThreads_EveryItemArrivesOnceInOrder) {
  run_two_threads(1, 2'000, 0);
  run_two_threads(64, 50'000, 0);
  run_two_threads(64, 50'000, 1000);
  run_two_threads(1024, 50'000, 7);
}

}  // namespace
}  // namespace kilat
