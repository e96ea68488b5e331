// Presence channels (docs/protocol.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

AppSettings room_for(uint32_t members) {
  AppSettings app = testing::settings();
  app.presence_members_max = members;
  return app;
}

struct PresenceTest : testing::HubTest {};
KILAT_HUB_TEST(PresenceTest);

TEST_P(PresenceTest, Members_AreListedToTheJoinerAndToldToTheOthers) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(2));
  world.join(first, channel, "a", "{}");
  world.pump();
  world.join(second, channel, "b", "{\"n\":1}");
  world.pump();
  EXPECT_EQ(first.log(), (Log{channel + " joined [a{}]", channel + " +b"}));
  EXPECT_EQ(second.log(), Log{channel + " joined [a{} b{\"n\":1}]"});
  world.leave(second, channel);
  world.pump();
  EXPECT_EQ(first.log(), Log{channel + " -b"});
  EXPECT_EQ(second.log(), Log{});
}

TEST_P(PresenceTest, SecondTabOfAUser_IsOneMemberAsFirstJoined) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& watcher = world.connect(at(0));
  Client& tab1 = world.connect(at(1));
  Client& tab2 = world.connect(at(2));
  world.join(watcher, channel, "w");
  world.pump();
  world.join(tab1, channel, "u", "{\"tab\":1}");
  world.pump();
  world.join(tab2, channel, "u", "{\"tab\":2}");
  world.pump();
  EXPECT_EQ(watcher.log().back(), channel + " +u");
  EXPECT_EQ(tab2.log(), Log{channel + " joined [w u{\"tab\":1}]"});
  const QueryReply counts = world.ask(at(0), {.kind = Query::Kind::kUsers, .name = channel});
  EXPECT_EQ(counts.channels[0].subscriptions, 3U);
  EXPECT_EQ(counts.channels[0].users, 2U);
  EXPECT_EQ(counts.users, (std::vector<std::string>{"w", "u"}));
  world.close(tab1);
  world.pump();
  EXPECT_EQ(watcher.log(), Log{}) << "one tab is left";
  world.close(tab2);
  world.pump();
  EXPECT_EQ(watcher.log(), Log{channel + " -u"});
}

TEST_P(PresenceTest, JoinedAgain_GetsThePresentListAndTellsNobody) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(2));
  world.join(first, channel, "a");
  world.join(second, channel, "b");
  world.pump();
  first.log();
  second.log();
  world.join(first, channel, "somebody else");
  world.pump();
  EXPECT_EQ(first.log().size(), 1U);
  EXPECT_EQ(second.log(), Log{});
  EXPECT_EQ(world.ask(0, {.kind = Query::Kind::kUsers, .name = channel}).users.size(), 2U);
}

TEST_P(PresenceTest, FullChannel_RefusesAStrangerAndAdmitsAMembersSecondTab) {
  World world(shards(), room_for(2));
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(1));
  Client& tab = world.connect(at(2));
  Client& stranger = world.connect(at(2));
  world.join(first, channel, "a");
  world.join(second, channel, "b");
  world.pump();
  first.log();
  world.join(stranger, channel, "c");
  world.join(tab, channel, "b");
  world.pump();
  EXPECT_EQ(stranger.log(), Log{channel + " refused presence_channel_full"});
  EXPECT_EQ(stranger.subscription_count(), 0U);
  EXPECT_EQ(tab.log().size(), 1U);
  EXPECT_EQ(first.log(), Log{});
  EXPECT_EQ(world.subscriptions(channel), 3U);
  world.publish(at(0), channel, "x");
  world.pump();
  EXPECT_EQ(stranger.log(), Log{});
  EXPECT_EQ(tab.log(), Log{channel + ": x"});
  world.close(first);
  world.pump();
  world.join(stranger, channel, "c");
  world.pump();
  EXPECT_EQ(stranger.log(), Log{channel + " joined [b c]"});
}

TEST_P(PresenceTest, RefusedThenLeftOrClosed_ChangesNothing) {
  World world(shards(), room_for(1));
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  world.join(first, channel, "a");
  world.pump();
  first.log();
  Client& leaver = world.connect(at(2));
  world.join(leaver, channel, "b");
  world.leave(leaver, channel);
  Client& closer = world.connect(at(2));
  world.join(closer, channel, "c");
  world.close(closer);
  world.pump();
  EXPECT_EQ(first.log(), Log{});
  EXPECT_EQ(world.subscriptions(channel), 1U);
}

TEST_P(PresenceTest, JoinedTwiceWhileTheFirstTryIsRefused_IsNeverToldThatItJoined) {
  World world(shards(), room_for(1));
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  world.join(first, channel, "a");
  world.pump();
  Client& second = world.connect(at(0));
  world.join(second, channel, "b");
  world.join(second, channel, "b");
  world.pump();
  const Log log = second.log();
  ASSERT_FALSE(log.empty());
  for (const std::string& line : log) EXPECT_EQ(line, channel + " refused presence_channel_full");
  EXPECT_EQ(second.subscription_count(), 0U);
  EXPECT_EQ(world.subscriptions(channel), 1U);
}

TEST_P(PresenceTest, LeftWhileTheJoinIsPending_IsToldAsComeAndGone) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(2));
  world.join(first, channel, "a");
  world.pump();
  first.log();
  Client& second = world.connect(at(0));
  world.join(second, channel, "b");
  world.leave(second, channel);
  world.pump();
  EXPECT_EQ(first.log(), (Log{channel + " +b", channel + " -b"}));
  EXPECT_EQ(world.subscriptions(channel), 1U);
}

TEST_P(PresenceTest, UserThatChangesItsNameInOneTurn_IsOneMemberInTheEnd) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(0));
  world.join(first, channel, "a");
  world.join(second, channel, "b");
  world.leave(first, channel);
  world.join(first, channel, "a2");
  world.pump();
  EXPECT_EQ(world.ask(0, {.kind = Query::Kind::kUsers, .name = channel}).users, (std::vector<std::string>{"b", "a2"}));
  const Log log = second.log();
  EXPECT_EQ(std::ranges::count(log, channel + " +a2"), 1);
  EXPECT_EQ(std::ranges::count(log, channel + " -a"), 1);
}

TEST_P(PresenceTest, LastMemberGone_ForgetsTheChannel) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-room");
  Client& first = world.connect(at(0));
  world.join(first, channel, "a");
  world.pump();
  world.close(first);
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
  EXPECT_TRUE(world.ask(0, {.kind = Query::Kind::kUsers, .name = channel}).channels.empty());
}

TEST(Presence, List_IsSharedUntilTheNextChange) {
  Presence presence;
  EXPECT_TRUE(presence.add({"a", "{}"}));
  const auto before = presence.list();
  EXPECT_EQ(presence.list(), before);
  EXPECT_FALSE(presence.add({"a", "{\"other\":1}"}));
  EXPECT_EQ(presence.list(), before);
  EXPECT_TRUE(presence.add({"b", "{}"}));
  EXPECT_EQ(before->size(), 1U) << "a list handed out never changes";
  EXPECT_EQ(presence.list()->size(), 2U);
  EXPECT_FALSE(presence.remove("a"));
  EXPECT_TRUE(presence.remove("a"));
  EXPECT_FALSE(presence.remove("a"));
  EXPECT_FALSE(presence.remove("nobody"));
  EXPECT_EQ(presence.size(), 1U);
}

}  // namespace
}  // namespace kilat::hub
