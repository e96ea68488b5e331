// Durable channels: an event is told and answered when it is on disk, and never when it can't be written.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "hub/durable_log.h"
#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

constexpr uint64_t kFirst = 1'000'000'000'000'000;  ///< order, ahead of the clock of these tests

/// A log whose writes end when the test says so.
class FakeLog final : public DurableLog {
 public:
  bool begin(AppIndex, std::string_view channel, uint32_t epoch) override {
    lines.push_back("begin " + std::string(channel));
    epochs.push_back(epoch);
    return takes;
  }
  bool append(const Publication& event, uint64_t offset, uint64_t, uint64_t tag) override {
    if (!takes) return false;
    lines.push_back(std::string(event.data()) + "@" + std::to_string(offset));
    tags.push_back(tag);
    orders.push_back(event.order());
    return true;
  }
  void end(AppIndex, std::string_view channel) override { lines.push_back("end " + std::string(channel)); }
  void trim(AppIndex, std::string_view, uint64_t up_to) override { trimmed = up_to; }

  void settle(HomeHub& home, bool committed) {
    while (!tags.empty()) {
      const uint64_t tag = tags.front();
      tags.pop_front();
      home.on_committed(tag, committed);
    }
  }

  bool takes = true;
  std::vector<std::string> lines;
  std::vector<uint32_t> epochs;
  std::deque<uint64_t> tags;
  std::vector<uint64_t> orders;
  uint64_t trimmed = 0;
};

struct DurableTest : testing::HubTest {
  static AppSettings app() {
    AppSettings settings = testing::settings();
    settings.history = {"jobs size=100 durable", "tiny size=2 durable", "cache-jobs durable"};
    return settings;
  }
};
KILAT_HUB_TEST(DurableTest);

/// The hub with a log at the home of `channel`.
struct DurableWorld : World {
  DurableWorld(ShardIndex shards, std::string_view channel) : World(shards, DurableTest::app()) {
    home = home_of(0, channel, shards);
    home_hub().set_durable(&log);
  }
  ~DurableWorld() { home_hub().set_durable(nullptr); }
  HomeHub& home_hub() { return (*this)[home].hub.home(); }
  void settle(bool committed) {
    pump();
    log.settle(home_hub(), committed);
    pump();
  }
  FakeLog log;
  ShardIndex home = 0;
};

TEST_P(DurableTest, AnEvent_IsToldAndAnswered_WhenItIsOnDisk) {
  DurableWorld world(shards(), "jobs");
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {});
  world.pump();
  reader.log();
  EXPECT_FALSE(world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1"}, 7));
  EXPECT_FALSE(world.publish(at(1), {.channel = "jobs", .event = "e", .data = "2"}, 8));
  world.pump();
  EXPECT_TRUE(reader.log().empty());
  EXPECT_TRUE(world[at(1)].sink.published.empty());
  world.settle(true);
  EXPECT_EQ(world.log.lines, (Log{"begin jobs", "1@1", "2@2"}));
  EXPECT_EQ(reader.log(), (Log{"jobs: 1 @1", "jobs: 2 @2"}));
  ASSERT_EQ(world[at(1)].sink.published.size(), 2U);
  EXPECT_EQ(world[at(1)].sink.published[1].first, 8U);
  EXPECT_EQ(world[at(1)].sink.published[1].second.position, (Position{world.log.epochs[0], 2}));
}

TEST_P(DurableTest, WhatCanNotBeWritten_IsRefused_AndToldToNobody_AndLaterOnesGoOnWithoutAGap) {
  DurableWorld world(shards(), "jobs");
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {});
  world.pump();
  reader.log();
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1"}, 1);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "2"}, 2);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "3"}, 3);
  world.pump();
  world.home_hub().on_committed(world.log.tags[0], true);
  world.home_hub().on_committed(world.log.tags[1], false);
  // One of those before it was not written: this one can't be either, and another is not even tried.
  const auto refused = world.publish(world.home, {.channel = "jobs", .event = "e", .data = "4"}, 4);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refused, Reason::kHistoryUnavailable);
  world.home_hub().on_committed(world.log.tags[2], false);
  world.log.tags.clear();
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "5"}, 5);
  world.settle(true);
  EXPECT_EQ(reader.log(), (Log{"jobs: 1 @1", "jobs: 5 @2"}));
  world.log.takes = false;
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "6"}, 6);
  world.publish(at(1), {.channel = "other", .event = "e", .data = "x"}, 7);
  world.settle(true);
  EXPECT_TRUE(reader.log().empty());
}

TEST_P(DurableTest, APositionBeforeTheFirstEvent_IsKnownToTheLog) {
  DurableWorld world(shards(), "jobs");
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {.recover = true});
  world.pump();
  EXPECT_EQ(world.log.lines, Log{"begin jobs"});
  EXPECT_EQ(world.position(reader, "jobs"), (Position{world.log.epochs[0], 0}));
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1"});
  world.settle(true);
  EXPECT_EQ(world.log.lines, (Log{"begin jobs", "1@1"}));
}

TEST_P(DurableTest, ARepeatWhileItIsWritten_IsAnsweredWithTheFirst) {
  DurableWorld world(shards(), "jobs");
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {});
  for (RequestId request = 1; request <= 3; ++request) {
    world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1", .key = "k"}, request);
  }
  world.pump();
  EXPECT_EQ(world.log.tags.size(), 1U);
  world.settle(true);
  EXPECT_EQ(world[at(1)].sink.published.size(), 3U);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1", .key = "k"}, 4);
  world.pump();
  EXPECT_TRUE(world.log.tags.empty());
  reader.log();
  // A refused one may be tried again.
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "2", .key = "l"}, 5);
  world.settle(false);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "2", .key = "l"}, 6);
  world.settle(true);
  EXPECT_EQ(reader.log(), Log{"jobs: 2 @2"});
}

TEST_P(DurableTest, AReaderWhoJoinsMeanwhile_GetsEachEventOnce) {
  DurableWorld world(shards(), "jobs");
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1"});
  world.settle(true);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "2"});
  world.pump();
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {.rewind = 10});
  world.pump();
  EXPECT_EQ(reader.log(), (Log{"jobs joined at 1", "jobs: 1 @1"}));
  world.settle(true);
  EXPECT_EQ(reader.log(), Log{"jobs: 2 @2"});
}

TEST_P(DurableTest, AfterARestart_PositionsAndKeysAreAsBefore) {
  DurableWorld world(shards(), "jobs");
  HomeHub& home = world.home_hub();
  world.pass(1'000'000);
  HomeChannel* channel = home.restore(0, "jobs", {0xabcd, 7}, 0);
  ASSERT_NE(channel, nullptr);
  for (const uint64_t offset : {6, 7}) {
    home.restore_event(
        *channel,
        Publication::make(
            {.channel = "jobs", .event = "e", .data = std::to_string(offset), .key = "k" + std::to_string(offset)}),
        offset, 999'000 + offset);
  }
  EXPECT_EQ(home.restore(0, "elsewhere", {1, 1}, 0), nullptr);
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {.recover = true, .since = {0xabcd, 5}});
  world.pump();
  EXPECT_EQ(reader.log(), (Log{"jobs joined at 7 recovered", "jobs: 6 @6", "jobs: 7 @7"}));
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "7", .key = "k7"}, 1);
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "8", .key = "k8"}, 2);
  world.settle(true);
  EXPECT_EQ(world.log.lines, Log{"8@8"}) << "the log knows the channel";
  EXPECT_EQ(reader.log(), Log{"jobs: 8 @8"});
}

TEST_P(DurableTest, WhatLeavesTheMemory_LeavesTheDisk_AndAQuietChannelInTheEndAsWell) {
  DurableWorld world(shards(), "tiny");
  for (int i = 0; i < 200; ++i) world.publish(at(1), {.channel = "tiny", .event = "e", .data = "x"});
  world.settle(true);
  EXPECT_GE(world.log.trimmed, 130U);
  EXPECT_LE(world.log.trimmed, 198U);
  world.pass(3'600'000);
  EXPECT_EQ(world.log.trimmed, 200U);
  world.pass(3'600'000);
  world.pass(3'600'000);
  EXPECT_EQ(world.log.lines.back(), "end tiny");
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(DurableTest, Orders_RiseFromTheFirstOn_OverAllChannelsOfTheHome_AndOnlyDurableEventsHaveOne) {
  DurableWorld world(shards(), "jobs");
  world.home_hub().set_first_order(kFirst);
  std::string other = "tiny";
  if (home_of(0, other, shards()) != world.home) other = "jobs";
  for (const std::string& channel : {std::string("jobs"), other, std::string("jobs")}) {
    world.publish(at(1), {.channel = channel, .event = "e", .data = "x"});
    world.publish(at(1), {.channel = "free", .event = "e", .data = "x"});
  }
  world.settle(true);
  EXPECT_EQ(world.log.orders, (std::vector<uint64_t>{kFirst, kFirst + 1, kFirst + 2}));
}

TEST_P(DurableTest, Orders_FollowTheClock_AndRiseAlthoughItIsSetBack) {
  DurableWorld world(shards(), "jobs");
  const auto publish = [&](uint64_t unix_ms) {
    world.home_hub().set_now(1'000, unix_ms);
    world.home_hub().publish(Publication::make({.channel = "jobs", .event = "e", .data = "x"}), {});
  };
  for (const uint64_t unix_ms : {5'000, 5'000, 6'000, 2'000, 6'001}) publish(unix_ms);
  world.settle(true);
  EXPECT_EQ(world.log.orders, (std::vector<uint64_t>{5'000'000, 5'000'001, 6'000'000, 6'000'001, 6'001'000}));
}

TEST_P(DurableTest, AShard_KnowsHowFarEachHomeHasComeWithIt) {
  DurableWorld world(shards(), "jobs");
  world.home_hub().set_first_order(kFirst);
  ShardHub& hub = world[at(0)].hub;
  EXPECT_TRUE(hub.handed().empty());
  hub.track_orders(kFirst);
  EXPECT_EQ(std::vector<uint64_t>(hub.handed().begin(), hub.handed().end()),
            std::vector<uint64_t>(shards(), kFirst - 1));
  const auto publish = [&](bool committed) {
    world.publish(at(1), {.channel = "jobs", .event = "e", .data = "x"});
    world.settle(committed);
  };
  publish(true);
  EXPECT_EQ(hub.handed()[world.home], kFirst - 1) << "nobody here reads it";
  Client& reader = world.connect(at(0));
  world.join(reader, "jobs");
  world.pump();
  EXPECT_EQ(hub.handed()[world.home], kFirst) << "what came before is in what the joiner was told";
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "x"});
  world.pump();
  EXPECT_EQ(hub.handed()[world.home], kFirst) << "it is not on disk";
  world.settle(true);
  EXPECT_EQ(hub.handed()[world.home], kFirst + 1);
  publish(false);
  EXPECT_EQ(hub.handed()[world.home], kFirst + 1);
  publish(true);
  EXPECT_EQ(hub.handed()[world.home], kFirst + 3);
}

TEST_P(DurableTest, WhoAsksOnlyWhereItIsDurable_IsAnsweredThereOnly) {
  DurableWorld world(shards(), "jobs");
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {.if_durable = true});
  world.pump();
  world.join_with(reader, "free", {.if_durable = true});
  world.pump();
  EXPECT_EQ(world.log.lines, Log{"begin jobs"});
  EXPECT_EQ(reader.log(), (Log{"jobs joined at 0", "free joined"}));
}

TEST_P(DurableTest, ADurableCacheChannel_CachesWhatIsOnDisk) {
  DurableWorld world(shards(), "cache-jobs");
  world.publish(at(1), {.channel = "cache-jobs", .event = "e", .data = "1"});
  world.pump();
  Client& early = world.connect(at(0));
  world.join(early, "cache-jobs");
  world.settle(true);
  Client& late = world.connect(at(0));
  world.join(late, "cache-jobs");
  world.pump();
  EXPECT_EQ(early.log(), (Log{"cache-jobs joined", "cache-jobs: 1"}));
  EXPECT_EQ(late.log(), Log{"cache-jobs joined cached 1"});
}

TEST_P(DurableTest, ARuleThatChanges_BeginsAndEndsWhatIsOnDisk) {
  DurableWorld world(shards(), "jobs");
  AppSettings memory = app();
  memory.history = {"jobs size=100"};
  Client& reader = world.connect(at(0));
  world.join_with(reader, "jobs", {});
  for (const bool durable : {true, false, true}) {
    world.reload(durable ? app() : memory);
    world.publish(at(1), {.channel = "jobs", .event = "e", .data = "x"});
    world.settle(true);
  }
  EXPECT_EQ(world.log.lines, (Log{"begin jobs", "x@1", "end jobs", "begin jobs", "x@3"}));
  EXPECT_EQ(reader.log(), (Log{"jobs joined at 0", "jobs: x @1", "jobs: x @2", "jobs: x @3"}));
}

TEST_P(DurableTest, WithoutALog_DurableChannelsRefuse) {
  World world(shards(), app());
  world.publish(at(1), {.channel = "jobs", .event = "e", .data = "1"}, 1);
  world.pump();
  EXPECT_EQ(world.channels_left(), 1U);
  world.publish(at(1), {.channel = "free", .event = "e", .data = "1"}, 1);
}

}  // namespace
}  // namespace kilat::hub
