// Watchlists and kicks: what depends on a user's own channel (docs/protocol.md).
#include <gtest/gtest.h>

#include <string>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

/// A user id whose channel lives on shard `home`.
std::string user_at(const World& world, ShardIndex home) {
  return std::string(user_of(world.name_at(home, std::string(kUserChannelPrefix) + "u")));
}
std::string channel_of(const std::string& user) {
  return std::string(kUserChannelPrefix) + user;
}

struct WatchTest : testing::HubTest {};
KILAT_HUB_TEST(WatchTest);

TEST_P(WatchTest, Watcher_IsToldTheStateAtOnceAndEveryChange) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& watcher = world.connect(at(0));
  world.watch(watcher, user);
  world.pump();
  EXPECT_EQ(watcher.log(), Log{"is offline " + user});
  Client& connection = world.connect(at(2));
  world.join(connection, channel_of(user));
  world.pump();
  EXPECT_EQ(watcher.log(), Log{"now online " + user});
  Client& late = world.connect(at(1));
  world.watch(late, user);
  world.pump();
  EXPECT_EQ(late.log(), Log{"is online " + user});
  world.close(connection);
  world.pump();
  world.pass(HomeHub::kOfflineDelayMs - 1);
  EXPECT_EQ(watcher.log(), Log{});
  world.pass(1);
  EXPECT_EQ(watcher.log(), Log{"now offline " + user});
  EXPECT_EQ(late.log(), Log{"now offline " + user});
}

TEST_P(WatchTest, UserBackWithinTheDelay_IsNoChange) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& watcher = world.connect(at(0));
  Client& connection = world.connect(at(2));
  world.join(connection, channel_of(user));
  world.watch(watcher, user);
  world.pump();
  watcher.log();
  for (int i = 0; i < 5; ++i) {
    world.leave(connection, channel_of(user));
    world.pump();
    world.pass(HomeHub::kOfflineDelayMs - 1);
    world.join(connection, channel_of(user));
    world.pump();
  }
  world.pass(10 * HomeHub::kOfflineDelayMs);
  EXPECT_EQ(watcher.log(), Log{});
}

TEST_P(WatchTest, OneOfTwoConnectionsGone_IsNoChange) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& watcher = world.connect(at(0));
  Client& first = world.connect(at(2));
  Client& second = world.connect(at(1));
  world.watch(watcher, user);
  world.pump();
  world.join(first, channel_of(user));
  world.join(second, channel_of(user));
  world.join(second, channel_of(user));
  world.pump();
  world.close(first);
  world.pass(2 * HomeHub::kOfflineDelayMs);
  EXPECT_EQ(watcher.log(), (Log{"is offline " + user, "now online " + user}));
}

TEST_P(WatchTest, NewWatcherDuringTheDelay_IsToldOnlineAndThenOffline) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& watcher = world.connect(at(0));
  Client& connection = world.connect(at(2));
  world.join(connection, channel_of(user));
  world.watch(watcher, user);
  world.pump();
  world.close(connection);
  world.pump();
  Client& late = world.connect(at(2));
  world.watch(late, user);
  world.pass(HomeHub::kOfflineDelayMs);
  EXPECT_EQ(late.log(), (Log{"is online " + user, "now offline " + user}));
}

TEST_P(WatchTest, NoLongerWatching_HearsNothingAndLeavesNothingBehind) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& watcher = world.connect(at(0));
  Client& connection = world.connect(at(2));
  world.join(connection, channel_of(user));
  world.watch(watcher, user);
  world.pump();
  watcher.log();
  world.close(connection);
  world.pump();
  world.watch(watcher, user, false);
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
  world.pass(HomeHub::kOfflineDelayMs);
  EXPECT_EQ(watcher.log(), Log{});
}

TEST_P(WatchTest, OneOfTwoWatchersGone_TheOtherIsStillTold) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& gone = world.connect(at(0));
  Client& stays = world.connect(at(0));
  world.watch(gone, user);
  world.watch(stays, user);
  world.pump();
  world.watch(gone, user, false);
  world.close(gone);
  Client& next = world.connect(at(0));
  Client& connection = world.connect(at(2));
  world.join(connection, channel_of(user));
  world.pump();
  EXPECT_EQ(stays.log(), (Log{"is offline " + user, "now online " + user}));
  EXPECT_EQ(next.log(), Log{});
}

TEST_P(WatchTest, UnwatchingWhatWasNeverWatched_DoesNothing) {
  World world(shards());
  Client& client = world.connect(at(0));
  world.watch(client, "nobody", false);
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(WatchTest, WatchedUserChannels_AreNotListedAsChannels) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& client = world.connect(at(0));
  world.join(client, channel_of(user));
  world.watch(client, user);
  world.join(client, "news");
  world.pump();
  const QueryReply reply = world.ask(0, {.kind = Query::Kind::kChannels, .name = ""});
  ASSERT_EQ(reply.channels.size(), 1U);
  EXPECT_EQ(reply.channels[0].channel, "news");
}

TEST_P(WatchTest, Kick_ReachesEveryConnectionOfTheUserAtTheEndOfTheTurn) {
  World world(shards());
  const std::string user = user_at(world, at(1));
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(2), testing::kOther);
  Client& other = world.connect(at(2));
  world.join(first, channel_of(user));
  world.join(second, channel_of(user));
  world.join(other, channel_of(user + "x"));
  world.pump();
  for (Client* client : {&first, &second, &other}) client->log();
  world.publish(at(2),
                {.kind = Publication::Kind::kKick, .reason = Reason::kTerminatedByApi, .channel = channel_of(user)});
  world.pump();
  EXPECT_EQ(first.log(), Log{"kicked terminated_by_api"});
  EXPECT_EQ(second.log(), Log{"kicked terminated_by_api"});
  EXPECT_EQ(other.log(), Log{});
}

TEST_P(WatchTest, KickOfAConnectionThatClosesBeforeTheEndOfTheTurn_IsForgotten) {
  World world(shards());
  const std::string user = user_at(world, at(0));
  Client& client = world.connect(at(0));
  world.join(client, channel_of(user));
  world.pump();
  world.publish(at(0),
                {.kind = Publication::Kind::kKick, .reason = Reason::kTerminatedByApi, .channel = channel_of(user)});
  world.close(client);
  Client& next = world.connect(at(0));
  world.pump();
  EXPECT_EQ(next.log(), Log{});
}

}  // namespace
}  // namespace kilat::hub
