#include "hub/app_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hub/channel_set.h"

namespace kilat::hub {
namespace {

TEST(SecondWindow, UpToTheLimit_IsAllowedAndTellsWhatRemains) {
  SecondWindow window;
  EXPECT_TRUE(window.take(1, 3, 5'000).allowed);
  const auto second = window.take(1, 3, 5'999);
  EXPECT_TRUE(second.allowed);
  EXPECT_EQ(second.remaining, 1U);
  EXPECT_EQ(window.take(1, 3, 5'999).remaining, 0U);
  const auto refused = window.take(1, 3, 5'999);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0U);
}

TEST(SecondWindow, NextSecond_StartsAnew) {
  SecondWindow window;
  EXPECT_TRUE(window.take(3, 3, 5'999).allowed);
  EXPECT_FALSE(window.take(1, 3, 5'999).allowed);
  EXPECT_TRUE(window.take(3, 3, 6'000).allowed);
}

TEST(SecondWindow, CostAboveWhatRemains_IsRefusedWithoutTakingAny) {
  SecondWindow window;
  EXPECT_TRUE(window.take(2, 5, 1'000).allowed);
  const auto refused = window.take(4, 5, 1'000);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 3U);
  EXPECT_TRUE(window.take(3, 5, 1'000).allowed);
}

TEST(SecondWindow, CostAboveTheLimit_IsNeverAllowed) {
  SecondWindow window;
  EXPECT_FALSE(window.take(6, 5, 1'000).allowed);
  EXPECT_FALSE(window.take(UINT32_MAX, UINT32_MAX - 1, 1'000).allowed);
  EXPECT_TRUE(window.take(UINT32_MAX, UINT32_MAX, 1'000).allowed);
  EXPECT_FALSE(window.take(1, UINT32_MAX, 1'000).allowed);
}

TEST(SecondWindow, LimitZero_AllowsEverything) {
  SecondWindow window;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(window.take(UINT32_MAX, 0, 1'000).allowed);
}

TEST(SecondWindow, ManyThreads_GetExactlyTheLimit) {
  SecondWindow window;
  std::atomic<uint32_t> allowed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2'000; ++k) allowed += window.take(1, 3'333, 1'000).allowed ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 3'333U);
}

AppSettings app(std::string id, std::string key) {
  AppSettings settings;
  settings.id = std::move(id);
  settings.key = std::move(key);
  return settings;
}

TEST(AppTable, AppsAreFoundByKeyAndById) {
  const AppTable apps({app("1", "one"), app("2", "two")});
  EXPECT_EQ(apps.size(), 2U);
  ASSERT_NE(apps.by_key("two"), nullptr);
  EXPECT_EQ(apps.by_key("two"), apps.by_id("2"));
  EXPECT_EQ(apps.by_key("two")->index, 1U);
  EXPECT_EQ(&apps[0], apps.by_id("1"));
  EXPECT_EQ(apps.by_key("1"), nullptr);
  EXPECT_EQ(apps.by_id("one"), nullptr);
  EXPECT_EQ(apps.by_key(""), nullptr);
}

struct Named {
  AppIndex app;
  std::string name;
};

TEST(ChannelSet, SameNameInTwoApps_AreTwoChannels) {
  ChannelSet<Named> set;
  const Named& first = set.insert(std::make_unique<Named>(Named{0, "a"}));
  const Named& second = set.insert(std::make_unique<Named>(Named{1, "a"}));
  EXPECT_EQ(set.find(0, "a"), &first);
  EXPECT_EQ(set.find(1, "a"), &second);
  EXPECT_EQ(set.find(2, "a"), nullptr);
  set.erase(first);
  EXPECT_EQ(set.find(0, "a"), nullptr);
  EXPECT_EQ(set.find(1, "a"), &second);
  EXPECT_EQ(set.size(), 1U);
}

TEST(ChannelSet, Homes_AreSpreadOverAllShards) {
  for (const ShardIndex shards : {2u, 3u, 8u, kShardsMax}) {
    std::vector<uint32_t> counts(shards);
    for (uint32_t i = 0; i < shards * 200; ++i) ++counts[home_of(0, "channel-" + std::to_string(i), shards)];
    for (const uint32_t count : counts) {
      EXPECT_GT(count, 100U);
      EXPECT_LT(count, 400U);
    }
  }
}

}  // namespace
}  // namespace kilat::hub
