// subscription_count (docs/protocol.md).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

AppSettings counting() {
  AppSettings app = testing::settings();
  app.subscription_count = true;
  return app;
}

struct CountTest : testing::HubTest {};
KILAT_HUB_TEST(CountTest);

TEST_P(CountTest, SmallChannel_TellsEveryChangeToAllIncludingTheNewOne) {
  World world(shards(), counting());
  const std::string channel = world.name_at(at(1), "news");
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(2));
  world.join(first, channel);
  world.pump();
  world.join(second, channel);
  world.pump();
  EXPECT_EQ(first.log(), (Log{channel + " joined", channel + " #1", channel + " #2"}));
  EXPECT_EQ(second.log(), (Log{channel + " joined", channel + " #2"}));
  world.leave(second, channel);
  world.pump();
  EXPECT_EQ(first.log(), Log{channel + " #1"});
  EXPECT_EQ(second.log(), Log{});
}

TEST_P(CountTest, NotForPresenceOrUserChannelsOrJoiningAgain) {
  World world(shards(), counting());
  Client& client = world.connect(at(0));
  world.join(client, "presence-room", "u");
  world.join(client, "#server-to-user-u");
  world.join(client, "news");
  world.join(client, "news");
  world.pump();
  size_t counts = 0;
  for (const std::string& line : client.log()) counts += line.find('#', 1) != std::string::npos ? 1 : 0;
  EXPECT_EQ(counts, 1U);
}

TEST_P(CountTest, OffByDefault) {
  World world(shards());
  Client& client = world.connect(at(0));
  world.join(client, "news");
  world.pump();
  EXPECT_EQ(client.log(), Log{"news joined"});
}

TEST_P(CountTest, LargeChannel_TellsAtMostEveryFiveSecondsAndOnlyChanges) {
  World world(shards(), counting());
  const std::string channel = world.name_at(at(1), "news");
  Client& observer = world.connect(at(0));
  world.join(observer, channel);
  world.pump();
  std::vector<Client*> others;
  const auto come = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      others.push_back(&world.connect(at(static_cast<ShardIndex>(i))));
      world.join(*others.back(), channel);
    }
    world.pump();
  };
  come(HomeHub::kCountEveryChangeMax - 1);
  EXPECT_EQ(observer.log().back(), channel + " #100");
  come(50);
  EXPECT_EQ(observer.log(), Log{});
  world.pass(HomeHub::kCountIntervalMs - 1);
  EXPECT_EQ(observer.log(), Log{});
  world.pass(1);
  EXPECT_EQ(observer.log(), Log{channel + " #150"});
  world.pass(10 * HomeHub::kCountIntervalMs);
  EXPECT_EQ(observer.log(), Log{}) << "nothing has changed";
  come(1);
  world.leave(*others.back(), channel);
  world.pass(HomeHub::kCountIntervalMs);
  EXPECT_EQ(observer.log(), Log{}) << "it is what was told last";
  for (size_t i = 0; i < 50; ++i) world.leave(*others[i], channel);
  world.pump();
  EXPECT_EQ(observer.log().back(), channel + " #100") << "small again: at once";
  world.pass(10 * HomeHub::kCountIntervalMs);
  EXPECT_EQ(observer.log(), Log{});
}

TEST_P(CountTest, ChannelThatEndsWhileACountIsDue_IsForgotten) {
  World world(shards(), counting());
  const std::string channel = world.name_at(at(1), "news");
  std::vector<Client*> clients;
  for (ShardIndex i = 0; i < HomeHub::kCountEveryChangeMax + 5; ++i) {
    clients.push_back(&world.connect(at(i)));
    world.join(*clients.back(), channel);
  }
  world.pump();
  for (Client* client : clients) world.close(*client);
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
  world.pass(HomeHub::kCountIntervalMs);
}

}  // namespace
}  // namespace kilat::hub
