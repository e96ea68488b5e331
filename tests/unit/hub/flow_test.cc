// Flow rules at the homes of their channels: what they take, what they send, and where it goes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

struct FlowTest : testing::HubTest {
  static AppSettings app(std::vector<std::string> rules) {
    AppSettings settings = testing::settings();
    settings.flow = std::move(rules);
    settings.history = {"kept size=10"};
    return settings;
  }
  static std::string reading(std::string_view sensor, int value) {
    return R"({"channel":")" + std::string(sensor) + R"(","value":)" + std::to_string(value) + "}";
  }
};
KILAT_HUB_TEST(FlowTest);

TEST_P(FlowTest, ARuleInPlace_ThinsOutItsOwnChannel) {
  World world(shards(), app({"fast throttle=100ms"}));
  Client& reader = world.connect(at(0));
  world.join(reader, "fast");
  world.pass(1'000);
  reader.log();
  for (int i = 1; i <= 5; ++i) world.publish(at(1), "fast", std::to_string(i));
  world.pump();
  EXPECT_EQ(reader.log(), Log{"fast: 1"});
  world.pass(100);
  EXPECT_EQ(reader.log(), Log{"fast: 5"});
  world.pass(1'000);
  EXPECT_TRUE(reader.log().empty());
}

TEST_P(FlowTest, AnAnswer_SaysWhoReads_AlsoWhenARuleHasTheEvent) {
  World world(shards(), app({"fast throttle=100ms"}));
  world.join(world.connect(at(0)), "fast");
  world.pass(1'000);
  for (RequestId i = 1; i <= 2; ++i) {
    const auto now = world.publish(at(1), {.channel = "fast", .event = "e", .data = "1"}, i);
    world.pump();
    const PublishReply reply = now ? *now : world[at(1)].sink.published.back().second;
    EXPECT_EQ(reply.refused, Reason::kNone);
    EXPECT_EQ(reply.subscriptions, 1U);
  }
}

TEST_P(FlowTest, ADerivedChannel_GetsItsEvents_WhereverItsHomeIs) {
  World world(shards(), app({"raw conflate=1s key=/channel to=live as=newest"}));
  Client& raw = world.connect(at(0));
  Client& live = world.connect(at(1));
  world.join(raw, "raw");
  world.join(live, "live");
  world.pass(10'000);
  raw.log();
  live.log();
  world.publish(at(2), "raw", reading("a", 1));
  world.publish(at(2), "raw", reading("b", 2));
  world.publish(at(2), "raw", reading("a", 3));
  world.pump();
  EXPECT_EQ(raw.log().size(), 3U);
  world.pass(1'000);
  world.pass(1'000);
  EXPECT_EQ(live.log(), (Log{"live: " + reading("a", 3), "live: " + reading("b", 2)}));
}

TEST_P(FlowTest, RulesChain_AndALoopEnds) {
  World world(shards(), app({"a sample=1 to=b", "b sample=1 to=c", "c sample=1 to=a"}));
  Client& reader = world.connect(at(0));
  for (const char* channel : {"a", "b", "c"}) world.join(reader, channel);
  world.pass(1'000);
  reader.log();
  world.publish(at(1), "a", "1");
  for (int i = 0; i < 20; ++i) world.pass(10);
  const Log log = reader.log();
  EXPECT_GE(log.size(), 3U);
  EXPECT_LE(log.size(), 10U);
  for (const char* line : {"a: 1", "b: 1", "c: 1"}) EXPECT_EQ(std::ranges::count(log, line) > 0, true) << line;
}

TEST_P(FlowTest, WhatIsThinnedOut_IsNotInTheHistory) {
  World world(shards(), app({"kept throttle=100ms"}));
  Client& reader = world.connect(at(0));
  world.join_with(reader, "kept", {});
  world.pass(1'000);
  for (int i = 1; i <= 5; ++i) world.publish(at(1), "kept", std::to_string(i));
  world.pass(100);
  const QueryReply kept = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "kept"});
  ASSERT_EQ(kept.history.events.size(), 2U);
  EXPECT_EQ(kept.history.events[1].publication->data(), "5");
  EXPECT_EQ(reader.log(), (Log{"kept joined at 0", "kept: 1 @1", "kept: 5 @2"}));
}

TEST_P(FlowTest, AReloadAndAStop_SendWhatIsHeld) {
  World world(shards(), app({"fast throttle=1h"}));
  Client& reader = world.connect(at(0));
  world.join(reader, "fast");
  world.pass(1'000);
  reader.log();
  world.publish(at(1), "fast", "1");
  world.publish(at(1), "fast", "2");
  world.pump();
  EXPECT_EQ(reader.log(), Log{"fast: 1"});
  world.reload(app({}));
  world.pump();
  EXPECT_EQ(reader.log(), Log{"fast: 2"});
  world.reload(app({"fast throttle=1h"}));
  world.publish(at(1), "fast", "3");
  world.publish(at(1), "fast", "4");
  world.pump();
  for (ShardIndex i = 0; i < shards(); ++i) world[i].hub.home().flush_flows();
  world.pump();
  EXPECT_EQ(reader.log(), (Log{"fast: 3", "fast: 4"}));
}

}  // namespace
}  // namespace kilat::hub
