// Publishing: exclusion, replies, taps, queries, over capacity.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

struct PublishTest : testing::HubTest {};
KILAT_HUB_TEST(PublishTest);

TEST_P(PublishTest, Excluded_DoesNotGetItAndAllOthersDo) {
  for (const ShardIndex home : {at(0), at(1), at(2)}) {
    World world(shards());
    const std::string channel = world.name_at(home, "private-a");
    Client& sender = world.connect(at(0));
    Client& neighbour = world.connect(at(0));
    Client& far = world.connect(at(2));
    for (Client* client : {&sender, &neighbour, &far}) world.join(*client, channel);
    world.pump();
    for (Client* client : {&sender, &neighbour, &far}) client->log();
    world.publish(at(0), {.from_client = true, .channel = channel, .data = "x", .exclude = sender.socket_id()});
    world.publish(at(1), {.channel = channel, .data = "y", .exclude = {99, 99}});
    world.pump();
    EXPECT_EQ(sender.log(), Log{channel + ": y"});
    EXPECT_EQ(neighbour.log().size(), 2U);
    EXPECT_EQ(far.log().size(), 2U);
  }
}

/// Everybody but the readers of one channel.
struct NotThose final : Audience {
  explicit NotThose(std::string channel_in) : channel(std::move(channel_in)) {}
  bool includes(const Subscriber& reader, std::string_view /*through*/) const override {
    return reader.find(channel) == nullptr;
  }
  size_t bytes() const override { return channel.size(); }
  std::string channel;
};

TEST_P(PublishTest, Audience_IsAskedForEveryReader_AlsoOfWhatARuleHasHeld) {
  AppSettings app = testing::settings();
  app.flow = {"private-held throttle=1s"};
  World world(shards(), app);
  for (const std::string& channel : {world.name_at(at(1), "private-a"), std::string("private-held")}) {
    Client& quiet = world.connect(at(0));
    Client& neighbour = world.connect(at(0));
    Client& far = world.connect(at(2));
    for (Client* client : {&quiet, &neighbour, &far}) world.join(*client, channel);
    world.join(quiet, "private-quiet");
    world.pump();
    for (Client* client : {&quiet, &neighbour, &far}) client->log();
    for (const std::string_view data : {"1", "2"}) {
      world.publish(at(0), {.channel = channel, .data = data, .audience = std::make_shared<NotThose>("private-quiet")});
    }
    world.pump();
    world.pass(2'000);
    EXPECT_EQ(quiet.log(), Log{});
    EXPECT_EQ(neighbour.log(), (Log{channel + ": 1", channel + ": 2"}));
    EXPECT_EQ(far.log(), (Log{channel + ": 1", channel + ": 2"}));
  }
}

TEST(Care, SaysWhatAHomeDoesWithTheEventsOfAChannel) {
  AppSettings app = testing::settings();
  app.history = {"disk.* durable", "off.* none", "mem.*"};
  app.flow = {"mem.flow throttle=1s", "flow.* throttle=1s", "#server-to-user-a throttle=1s"};
  World world(1, app);
  const auto care = [&](std::string_view channel) { return world[0].hub.home().care_of(0, channel); };
  EXPECT_EQ(care("other"), Care::kNone);
  EXPECT_EQ(care("off.a"), Care::kNone);
  EXPECT_EQ(care("private-flow.a"), Care::kFolds);
  EXPECT_EQ(care("cache-other"), Care::kKeepsLast);
  EXPECT_EQ(care("private-mem.a"), Care::kKeeps);
  EXPECT_EQ(care("mem.flow"), Care::kKeeps);
  EXPECT_EQ(care("disk.a"), Care::kKeepsOnDisk);
}

TEST_P(PublishTest, Reply_TellsTheCountsAtThatMoment) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-a");
  for (ShardIndex i = 0; i < 3; ++i) world.join(world.connect(at(i)), channel, i == 2 ? "b" : "a");
  world.pump();
  for (ShardIndex from = 0; from < shards(); ++from) {
    auto& published = world[from].sink.published;
    published.clear();
    std::optional<PublishReply> reply = world.publish(from, {.channel = channel, .data = "x"}, 9, 4);
    world.pump();
    EXPECT_EQ(reply.has_value(), from == at(1));
    EXPECT_EQ(published.size(), reply ? 0U : 1U);
    if (!reply) {
      EXPECT_EQ(published[0].first, 9U);
      reply = published[0].second;
    }
    EXPECT_EQ(reply->refused, Reason::kNone);
    EXPECT_EQ(reply->index, 4U);
    EXPECT_EQ(reply->subscriptions, 3U);
    EXPECT_EQ(reply->users, 2U);
  }
}

TEST_P(PublishTest, WithoutARequest_NobodyIsAnswered) {
  World world(shards());
  for (ShardIndex from = 0; from < shards(); ++from) world.publish(from, "nobody", "x");
  world.pump();
  for (ShardIndex from = 0; from < shards(); ++from) EXPECT_TRUE(world[from].sink.published.empty());
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(PublishTest, ChannelWithoutReadersOnAShard_SendsThatShardNothing) {
  World world(shards());
  const std::string channel = world.name_at(at(0), "news");
  Client& client = world.connect(at(0));
  world.join(client, channel);
  world.pump();
  world.publish(at(0), channel, "x");
  for (ShardIndex to = 0; to < shards(); ++to) EXPECT_FALSE(world.has_mail(at(0), to));
}

TEST_P(PublishTest, Tap_GetsEveryEventOfTheAppOnce) {
  World world(shards());
  Client& client = world.connect(at(0));
  world.join(client, "a");
  world.join(client, "presence-p", "u");
  world.pump();
  world[at(0)].hub.tap(0, true);
  world[at(0)].hub.tap(0, true);
  world.pump();
  world.publish(at(1), "a", "1");
  world.publish(at(2), "unread", "2");
  world.publish(at(2), {.from_client = true, .channel = "b", .data = "3"});
  world.join(world.connect(at(1)), "presence-p", "v");
  world.pump();
  Log taps = world[at(0)].sink.taps;
  std::ranges::sort(taps);
  EXPECT_EQ(taps, (Log{"a: 1", "b: 3", "unread: 2"}));
  world[at(0)].sink.taps.clear();
  world[at(0)].hub.tap(0, false);
  world.pump();
  world.publish(at(1), "a", "4");
  world.pump();
  EXPECT_EQ(world[at(0)].sink.taps, Log{"a: 4"}) << "one tap is left";
  world[at(0)].hub.tap(0, false);
  world.publish(at(0), "a", "5");
  world.pump();
  EXPECT_EQ(world[at(0)].sink.taps.size(), 1U);
}

TEST_P(PublishTest, Queries_ListOccupiedChannelsByPrefix) {
  World world(shards());
  Client& client = world.connect(at(0));
  Client& other = world.connect(at(2));
  for (const char* channel : {"a-1", "a-2", "b-1"}) world.join(client, channel);
  world.join(other, "a-1");
  world.join(other, "presence-a", "u");
  world.pump();
  QueryReply reply = world.ask(at(1), {.kind = Query::Kind::kChannels, .name = "a-"});
  std::ranges::sort(reply.channels, {}, &ChannelCounts::channel);
  ASSERT_EQ(reply.channels.size(), 2U);
  EXPECT_EQ(reply.channels[0].channel, "a-1");
  EXPECT_EQ(reply.channels[0].subscriptions, 2U);
  EXPECT_EQ(reply.channels[1].channel, "a-2");
  EXPECT_EQ(world.ask(at(1), {.kind = Query::Kind::kChannels, .name = ""}).channels.size(), 4U);
  EXPECT_TRUE(world.ask(at(1), {.kind = Query::Kind::kChannel, .name = "nothing"}).channels.empty());
  EXPECT_TRUE(world.ask(at(1), {.kind = Query::Kind::kUsers, .name = "a-1"}).users.empty());
}

TEST(OverCapacity, RingToTheHomeFull_RefusesAtTheSender) {
  World world(2, testing::settings(), 16);
  const std::string channel = world.name_at(1, "news");
  Client& client = world.connect(1);
  world.join(client, channel);
  uint32_t taken = 0;
  std::optional<PublishReply> reply;
  while (!(reply = world.publish(0, channel, "x"))) ++taken;
  EXPECT_EQ(reply->refused, Reason::kApiOverCapacity);
  EXPECT_EQ(taken, 14U);
  world.pump();
  EXPECT_EQ(client.log().size(), taken + 1) << "what was taken arrives, what was refused does not";
  EXPECT_FALSE(world.publish(0, channel, "x")) << "there is room again";
}

TEST(OverCapacity, RingToOneReaderFull_RefusesBeforeAnythingIsDelivered) {
  World world(3, testing::settings(), 16);
  const std::string channel = world.name_at(0, "cache-news");
  Client& here = world.connect(0);
  Client& near = world.connect(1);
  Client& stuck = world.connect(2);
  for (Client* client : {&here, &near, &stuck}) world.join(*client, channel);
  world.pump();
  // Shard 2 does not take its mail; shard 1 does.
  const auto take_one = [&] {
    while (world.step(0, 1)) {
    }
  };
  uint32_t taken = 0;
  for (;; ++taken) {
    const auto reply = world.publish(0, channel, std::to_string(taken));
    ASSERT_TRUE(reply.has_value());
    if (reply->refused != Reason::kNone) break;
    take_one();
  }
  EXPECT_EQ(taken, 14U);
  EXPECT_EQ(here.log().size(), taken + 1);
  EXPECT_EQ(near.log().size(), taken + 1);
  // A publish that came from another shard is refused in the same way, and its sender is told.
  world.publish(1, {.channel = channel, .data = "refused"}, 5, 1);
  while (world.step(1, 0)) {
  }
  take_one();
  ASSERT_EQ(world[1].sink.published.size(), 1U);
  EXPECT_EQ(world[1].sink.published[0].second.refused, Reason::kApiOverCapacity);
  EXPECT_EQ(here.log(), Log{});
  EXPECT_EQ(near.log(), Log{});
  world.pump();
  EXPECT_EQ(stuck.log().size(), taken + 1);
  Client& late = world.connect(0);
  world.join(late, channel);
  EXPECT_EQ(late.log(), Log{channel + " joined cached 13"}) << "what was refused was not cached either";
}

TEST(OverCapacity, ControlMessages_AreNeverRefusedAndStayInOrder) {
  World world(2, testing::settings(), 8);
  const std::string channel = world.name_at(1, "presence-news");
  std::vector<Client*> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(&world.connect(0));
    world.join(*clients.back(), channel, "u" + std::to_string(i));
    if (i % 2 == 0) world.leave(*clients.back(), channel);
  }
  world.pump();
  EXPECT_EQ(world.subscriptions(channel), 30U);
  for (size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i]->subscription_count(), i % 2);
}

}  // namespace
}  // namespace kilat::hub
