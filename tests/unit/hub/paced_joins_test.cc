// Readers who come back at once: over how many turns of the loop, and what else may happen to those who wait.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

constexpr int kMissed = 5;

struct PacedJoinsTest : testing::HubTest {
  static AppSettings app() {
    AppSettings settings = testing::settings();
    settings.history = {"* size=100 age=1h"};
    return settings;
  }
  /// A channel gets events that everybody here will have missed; from now on one reader is served in a turn.
  void make_past() {
    world.set_limits({.past_bytes_per_turn = 400});
    for (int i = 1; i <= kMissed; ++i) world.publish(at(1), news, std::to_string(i));
    world.pump();
    epoch_ = world.ask(0, {.kind = Query::Kind::kHistory, .name = news}).history.position.epoch;
  }
  /// So many new readers on one shard; all but the first few have to wait.
  std::vector<Client*> come_back(int count) {
    std::vector<Client*> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(&world.connect(at(0)));
      come_back(*clients.back());
    }
    return clients;
  }
  void come_back(Client& client) { world.join_with(client, news, asked()); }
  HistoryAsk asked() const { return {.recover = true, .since = {epoch_, 0}}; }

  /// All that a reader has to see who missed `missed` events: its answer, then each event once.
  Log from_the_start(uint64_t missed, uint64_t last) const {
    Log log{news + " joined at " + std::to_string(missed) + " recovered"};
    for (uint64_t i = 1; i <= last; ++i) log.push_back(news + ": " + std::to_string(i) + " @" + std::to_string(i));
    return log;
  }

  World world{shards(), app()};
  std::string news = "news";
  uint32_t epoch_ = 0;
};

TEST_P(PacedJoinsTest, ThoseWhoComeBackAtOnce_AreServedInTurn_AndLiveEventsGoBetween) {
  // With their homes on the shard of the readers, so that nothing has to be moved.
  news = world.name_at(at(0), "news");
  const std::string other = world.name_at(at(0), "other");
  make_past();
  Client& live = world.connect(at(0));
  world.join(live, other);
  world.pump();
  live.log();
  const std::vector<Client*> back = come_back(8);
  size_t turns = 0;
  for (; world.position(*back.back(), news).epoch == 0; ++turns) {
    world[at(0)].hub.let_join();
    world.publish(at(0), other, "tick");
    EXPECT_EQ(live.log(), Log{other + ": tick"}) << "in each turn";
  }
  EXPECT_GE(turns, 7U);
  for (Client* client : back) EXPECT_EQ(client->log(), from_the_start(kMissed, kMissed));
}

TEST_P(PacedJoinsTest, WhatIsPublishedWhileAReaderWaits_ComesOnceAndInOrder) {
  make_past();
  const std::vector<Client*> back = come_back(6);
  for (int i = kMissed + 1; i <= kMissed + 4; ++i) {
    world.publish(at(0), "news", std::to_string(i));
    world[at(0)].hub.let_join();
  }
  world.pump();
  for (Client* client : back) {
    const Log log = client->log();
    ASSERT_EQ(log.size(), kMissed + 5U);
    const uint64_t missed = world.position(*client, "news").offset;
    EXPECT_EQ(log, from_the_start(missed, kMissed + 4));
  }
}

TEST_P(PacedJoinsTest, LeavingWhileWaiting_LeavesNothingBehind) {
  make_past();
  come_back(4);
  Client& gone = world.connect(at(0));
  Client& closed = world.connect(at(0));
  for (Client* client : {&gone, &closed}) come_back(*client);
  EXPECT_TRUE(world.leave(gone, "news"));
  world.close(closed);
  world.pump();
  EXPECT_EQ(gone.log(), Log{});
  EXPECT_EQ(world.subscriptions("news"), 4U);
  come_back(gone);
  world.pump();
  EXPECT_EQ(gone.log(), from_the_start(kMissed, kMissed));
  EXPECT_EQ(world.subscriptions("news"), 5U);
}

TEST_P(PacedJoinsTest, LeavingAPresenceChannelWhileWaiting_IsSeenByNobody) {
  make_past();
  Client& watcher = world.connect(at(1));
  world.join(watcher, "presence-room", "w");
  world.pump();
  watcher.log();
  come_back(4);
  Client& gone = world.connect(at(0));
  world.hub_of(gone).join(gone, "presence-room", Member{"g", {}}, {}, std::make_unique<HistoryAsk>(asked()));
  EXPECT_TRUE(world.leave(gone, "presence-room"));
  world.pump();
  EXPECT_EQ(watcher.log(), Log{});
  EXPECT_EQ(gone.log(), Log{});
}

TEST_P(PacedJoinsTest, JoiningAgainWhileWaiting_IsAnsweredWithTheFirst) {
  make_past();
  come_back(4);
  Client& reader = world.connect(at(0));
  come_back(reader);
  world.join(reader, "news");
  world.pump();
  EXPECT_EQ(reader.log(), from_the_start(kMissed, kMissed));
  EXPECT_EQ(world.subscriptions("news"), 5U);
  EXPECT_FALSE(world[at(0)].hub.joins_due());
}

TEST_P(PacedJoinsTest, OneThatIsRefused_LetsTheNextGo) {
  make_past();
  std::vector<Client*> back;
  for (int i = 0; i < 20; ++i) {
    back.push_back(&world.connect(at(0)));
    world.join_with(*back.back(), "news", {.recover = true, .since = {epoch_ + 1, 0}});
  }
  world.pump();
  for (Client* client : back) EXPECT_EQ(client->log(), Log{"news joined at 5 history_epoch"});
}

KILAT_HUB_TEST(PacedJoinsTest);

}  // namespace
}  // namespace kilat::hub
