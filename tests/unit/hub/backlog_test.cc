// Readers that fall behind on conflating channels: they get the newest of each key, and hear how many they missed.
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

constexpr net::OutboxLimits kLimits{.hard_bytes = 64 * 1'024, .soft_bytes = 4'096};

struct BacklogTest : testing::HubTest {
  static AppSettings app(std::vector<std::string> rules) {
    AppSettings settings = testing::settings();
    settings.flow = std::move(rules);
    settings.history = {"kept size=10"};
    return settings;
  }
  static std::string value(std::string_view key, int number, size_t padding = 0) {
    return R"({"id":")" + std::string(key) + R"(","v":)" + std::to_string(number) + R"(,"p":")" +
           std::string(padding, 'x') + R"("})";
  }
  World world_of(std::vector<std::string> rules) { return World(shards(), app(std::move(rules)), 1'024, kLimits); }

  /// A reader of the channel `live` that has read all so far, and now stops.
  Client& reader_of_live(World& world, Format format = testing::kPlain) {
    Client& client = world.connect(at(0), format);
    world.join(client, "live");
    world.pump();
    client.log();
    return client;
  }

  /// Everything there is to read, and what comes when it was read.
  static Log read_all(World& world, Client& client) {
    Log all;
    for (Log got = client.log(); !got.empty(); got = client.log()) {
      all.insert(all.end(), got.begin(), got.end());
      world.pump();
    }
    return all;
  }
  LocalHub& local_of(World& world, const Client& client) { return world.hub_of(client).local(); }

  /// One interval with one value of 1,000 bytes for each of the keys: so few fit before the reader is behind.
  void tick(World& world, std::string_view channel, std::string_view keys, int number) {
    for (const char key : keys) world.publish(at(1), channel, value({&key, 1}, number, 1'000));
    world.pass(100);
  }
};
KILAT_HUB_TEST(BacklogTest);

std::string event(std::string_view channel, std::string_view data) {
  return std::string(channel) + ": " + std::string(data);
}

TEST_P(BacklogTest, SlowReader_GetsTheNewestOfEachKey_AndHearsHowManyItMissed) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = reader_of_live(world);
  tick(world, "live", "ab", 1);
  EXPECT_EQ(local_of(world, slow).behind_count(), 1U);  // a went out, b did not fit any more
  for (int i = 2; i <= 9; ++i) tick(world, "live", "ab", i);
  tick(world, "live", "b", 10);
  const Log log = read_all(world, slow);
  // a: 1 went out, 2 to 8 gave way to 9; b: 1 to 9 gave way to 10.
  EXPECT_EQ(log, (Log{event("live", value("a", 1, 1'000)), "live missed 16", event("live", value("a", 9, 1'000)),
                      event("live", value("b", 10, 1'000))}));
  EXPECT_EQ(local_of(world, slow).behind_count(), 0U);
  EXPECT_EQ(local_of(world, slow).tallies()[0].conflated, 16U);
  EXPECT_EQ(local_of(world, slow).tallies()[0].deliveries, 3U);
  EXPECT_EQ(slow.outbox().load(), 0U);
}

TEST_P(BacklogTest, ReaderThatKeepsUp_GetsEverything) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& reader = reader_of_live(world);
  for (int i = 1; i <= 20; ++i) {
    tick(world, "live", "a", i);
    EXPECT_EQ(reader.log(), Log{event("live", value("a", i, 1'000))});
  }
  EXPECT_EQ(local_of(world, reader).tallies()[0].conflated, 0U);
}

// What a slow reader gets is what came out of the rule, in that order, less what it was told it missed.
TEST_P(BacklogTest, RandomStreams_EndWithTheNewestOfEveryKey_AndAnExactCount) {
  for (const Format format : {testing::kPlain, testing::kOwn}) {
    for (uint32_t seed = 1; seed <= 12; ++seed) {
      std::mt19937 random(seed);
      World world = world_of({"live conflate=100ms key=/id", "raw conflate=100ms key=/id to=live"});
      Client& slow = reader_of_live(world, format);
      world[0].hub.tap(0, true);
      world.pump();
      Log got;
      std::map<std::string, std::string> newest;
      for (int i = 0; i < 400; ++i) {
        // Of 20 keys on two ways into the channel, and now and then an event without a key.
        const std::string key = random() % 20 == 0 ? "" : "k" + std::to_string(random() % 20);
        const std::string_view channel = random() % 3 == 0 ? "raw" : "live";
        const std::string data = key.empty() ? std::to_string(i) : value(key, i, random() % 300);
        world.publish(at(2), channel, data);
        if (random() % 8 == 0) world.pass(100);
        if (random() % 4 == 0) {
          for (std::string& text : slow.read(random() % 12)) got.push_back(std::move(text));
        }
      }
      world.pass(100);
      for (std::string& text : read_all(world, slow)) got.push_back(std::move(text));

      uint64_t missed = 0;
      std::erase_if(got, [&](const std::string& text) {
        constexpr std::string_view kMissed = "live missed ";
        if (!text.starts_with(kMissed)) return false;
        missed += std::stoull(text.substr(kMissed.size()));
        return true;
      });
      Log all;
      for (const std::string& text : world[0].sink.taps) {
        if (text.starts_with("live: ")) all.push_back(text);
      }
      ASSERT_EQ(got.size() + missed, all.size()) << "seed " << seed;
      ASSERT_GT(missed, 0U) << "seed " << seed;
      auto at_all = all.begin();
      for (const std::string& text : got) {
        at_all = std::find(at_all, all.end(), text);
        ASSERT_NE(at_all, all.end()) << "not in order: " << text << ", seed " << seed;
        ++at_all;
      }
      const auto last_of_each_key = [](const Log& log) {
        std::map<std::string, std::string> last;
        for (const std::string& text : log) {
          const size_t key = text.find("\"id\"");
          last[key == std::string::npos ? text : text.substr(key, text.find(',') - key)] = text;
        }
        return last;
      };
      ASSERT_EQ(last_of_each_key(got), last_of_each_key(all)) << "seed " << seed;
    }
  }
}

TEST_P(BacklogTest, EventsWithoutAKey_WaitInTheirPlace_AndNeverGiveWay) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = reader_of_live(world);
  tick(world, "live", "ab", 1);
  for (int i = 1; i <= 3; ++i) world.publish(at(1), "live", std::to_string(i));
  tick(world, "live", "b", 2);
  EXPECT_EQ(read_all(world, slow), (Log{event("live", value("a", 1, 1'000)), "live missed 1", "live: 1", "live: 2",
                                        "live: 3", event("live", value("b", 2, 1'000))}));
}

TEST_P(BacklogTest, SameKeyFromTwoChannels_IsNotTheSame) {
  World world = world_of({"plant.{site} conflate=100ms key=/id to=live"});
  Client& slow = reader_of_live(world);
  for (int i = 1; i <= 5; ++i) {
    tick(world, "plant.1", "a", i);
    tick(world, "plant.2", "a", 100 + i);
  }
  const Log log = read_all(world, slow);
  ASSERT_GE(log.size(), 2U);
  EXPECT_EQ(log[log.size() - 2], event("live", value("a", 5, 1'000)));
  EXPECT_EQ(log.back(), event("live", value("a", 105, 1'000)));
}

TEST_P(BacklogTest, BatchOfKeys_DoesNotGiveWay) {
  World world = world_of({"live conflate=100ms key=/id send=batch"});
  Client& slow = reader_of_live(world);
  for (int i = 1; i <= 6; ++i) tick(world, "live", "ab", i);
  EXPECT_EQ(local_of(world, slow).behind_count(), 0U);
  EXPECT_EQ(slow.log().size(), 6U);
}

TEST_P(BacklogTest, OtherChannels_OfAReaderWhoIsBehind_AreNotTouched) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = world.connect(at(0));
  for (const char* channel : {"live", "other"}) world.join(slow, channel);
  world.pump();
  slow.log();
  tick(world, "live", "ab", 1);
  world.publish(at(1), "other", "1");
  world.publish(at(1), "other", "2");
  world.pump();
  EXPECT_EQ(slow.log(), (Log{event("live", value("a", 1, 1'000)), "other: 1", "other: 2"}));
}

TEST_P(BacklogTest, ReaderWithPositions_GetsEveryEvent) {
  World world = world_of({"kept conflate=100ms key=/id"});
  Client& slow = world.connect(at(0));
  world.join_with(slow, "kept", {});
  world.pump();
  slow.log();
  for (int i = 1; i <= 8; ++i) tick(world, "kept", "ab", i);
  const Log log = slow.log();
  ASSERT_EQ(log.size(), 16U);
  EXPECT_TRUE(log.back().ends_with(" @16"));
  EXPECT_EQ(local_of(world, slow).tallies()[0].conflated, 0U);
}

TEST_P(BacklogTest, Unsubscribing_DropsWhatWaits) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = world.connect(at(0));
  for (const char* channel : {"live", "other"}) world.join(slow, channel);
  world.pump();
  slow.log();
  for (int i = 1; i <= 3; ++i) tick(world, "live", "abc", i);
  EXPECT_GT(slow.outbox().aside(), 0U);
  EXPECT_TRUE(world.leave(slow, "live"));
  EXPECT_EQ(slow.outbox().aside(), 0U);
  EXPECT_EQ(local_of(world, slow).behind_count(), 0U);
  EXPECT_EQ(read_all(world, slow), Log{event("live", value("a", 1, 1'000))});
  world.join(slow, "live");
  world.pump();
  slow.log();
  tick(world, "live", "a", 9);
  EXPECT_EQ(read_all(world, slow), Log{event("live", value("a", 9, 1'000))});
}

TEST_P(BacklogTest, ClosingWhileBehind_LeavesNothing) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& other = world.connect(at(0));
  Client& slow = world.connect(at(0));
  for (Client* client : {&other, &slow}) world.join(*client, "live");
  for (int i = 1; i <= 3; ++i) tick(world, "live", "abc", i);
  LocalHub& local = local_of(world, slow);
  EXPECT_EQ(local.behind_count(), 2U);
  world.close(other);
  EXPECT_EQ(local.behind_count(), 1U);
  world.close(slow);
  EXPECT_EQ(local.behind_count(), 0U);
  world.pass(1'000);
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(BacklogTest, PastTheHardLimit_TheReaderOverflows) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = world.connect(at(0));
  world.join(slow, "live");
  world.pump();
  int keys = 0;
  for (; !slow.outbox().overflowed() && keys < 1'000; ++keys) {
    world.publish(at(1), "live", value(std::to_string(keys), keys, 1'000));
    world.pass(100);
    ASSERT_LT(slow.outbox().load(), kLimits.hard_bytes + 2'000);
  }
  EXPECT_GT(keys, 40);
  EXPECT_LT(keys, 64);
}

TEST_P(BacklogTest, UpdatesOfTheSameKeys_NeverReachTheHardLimit) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = world.connect(at(0));
  world.join(slow, "live");
  world.pump();
  for (int i = 1; i <= 500; ++i) tick(world, "live", "abcdefghij", i);
  EXPECT_FALSE(slow.outbox().overflowed());
  EXPECT_LT(slow.outbox().load(), 16'000U);
  // The soft limit is for what is queued, and what conflates stays below it.
  EXPECT_LT(slow.outbox().cost(), kLimits.soft_bytes);
}

TEST_P(BacklogTest, WhenARuleGoes_WhatComesNextStandsBehindWhatWaits) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = reader_of_live(world);
  tick(world, "live", "ab", 1);
  world.publish(at(1), "live", value("b", 2));
  world.pump();
  world.reload(app({}));  // sends what the rule held
  for (int i = 3; i <= 5; ++i) world.publish(at(1), "live", value("b", i));
  world.pump();
  EXPECT_EQ(read_all(world, slow),
            (Log{event("live", value("a", 1, 1'000)), "live missed 1", event("live", value("b", 2)),
                 event("live", value("b", 3)), event("live", value("b", 4)), event("live", value("b", 5))}));
  world.publish(at(1), "live", value("b", 6));
  world.pump();
  EXPECT_EQ(slow.log(), Log{event("live", value("b", 6))});
}

TEST_P(BacklogTest, ReleasingAll_HandsOverWhatWaits_BeforeAGoodbye) {
  World world = world_of({"live conflate=100ms key=/id"});
  Client& slow = reader_of_live(world);
  for (int i = 1; i <= 4; ++i) tick(world, "live", "abcd", i);
  local_of(world, slow).release(slow, true);
  slow.write("goodbye");
  EXPECT_EQ(slow.log(), (Log{event("live", value("a", 1, 1'000)), "live missed 11", event("live", value("a", 4, 1'000)),
                             event("live", value("b", 4, 1'000)), event("live", value("c", 4, 1'000)),
                             event("live", value("d", 4, 1'000)), "goodbye"}));
}

}  // namespace
}  // namespace kilat::hub
