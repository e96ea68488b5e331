// Joining, leaving, and the race between joining and publishing.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

struct JoinTest : testing::HubTest {};
KILAT_HUB_TEST(JoinTest);

TEST_P(JoinTest, Joined_GetsEveryLaterEventInOrder) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "news");
  Client& client = world.connect(at(0));
  world.join(client, channel);
  world.pump();
  for (const char* data : {"1", "2", "3"}) world.publish(at(2), channel, data);
  world.pump();
  EXPECT_EQ(client.log(), (Log{channel + " joined", channel + ": 1", channel + ": 2", channel + ": 3"}));
}

TEST_P(JoinTest, NotJoined_GetsNothing) {
  World world(shards());
  Client& client = world.connect(at(0));
  world.join(client, "one");
  world.pump();
  world.publish(at(1), "two", "x");
  world.pump();
  EXPECT_EQ(client.log(), Log{"one joined"});
}

TEST_P(JoinTest, JoinedAgain_CountsNothingAndGetsOneCopy) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "news");
  Client& client = world.connect(at(0));
  world.join(client, channel);
  world.join(client, channel);
  world.pump();
  world.join(client, channel);
  world.pump();
  EXPECT_EQ(client.log(), (Log{channel + " joined", channel + " joined again", channel + " joined again"}));
  EXPECT_EQ(client.subscription_count(), 1U);
  EXPECT_EQ(world.subscriptions(channel), 1U);
  world.publish(at(2), channel, "x");
  world.pump();
  EXPECT_EQ(client.log(), Log{channel + ": x"});
  EXPECT_TRUE(world.leave(client, channel));
  world.pump();
  EXPECT_EQ(world.subscriptions(channel), 0U);
}

TEST_P(JoinTest, Left_GetsNothingMoreAndTheChannelIsForgotten) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "news");
  Client& client = world.connect(at(0));
  EXPECT_FALSE(world.leave(client, channel));
  world.join(client, channel);
  world.pump();
  client.log();
  world.publish(at(2), channel, "on its way");
  EXPECT_TRUE(world.leave(client, channel));
  EXPECT_FALSE(world.leave(client, channel));
  world.publish(at(2), channel, "x");
  world.pump();
  const Log log = client.log();
  EXPECT_TRUE(log.empty() || (shards() == 1 && log == Log{channel + ": on its way"}));
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(JoinTest, LeftWhileTheJoinIsPending_HearsNothingOfIt) {
  for (const char* prefix : {"news", "presence-news", "cache-news"}) {
    World world(shards());
    const std::string channel = world.name_at(at(1), prefix);
    Client& client = world.connect(at(0));
    world.join(client, channel, "user");
    const Log answered = client.log();
    EXPECT_TRUE(world.leave(client, channel));
    world.publish(at(2), channel, "x");
    world.pump();
    EXPECT_EQ(client.log(), Log{});
    EXPECT_EQ(answered.size(), shards() == 1 ? 1U : 0U);
    EXPECT_EQ(world.subscriptions(channel), 0U);
    world.pass(3'600'000);
    EXPECT_EQ(world.channels_left(), 0U);
  }
}

TEST_P(JoinTest, JoinLeaveJoinInOneTurn_EndsJoinedOnce) {
  for (const char* prefix : {"news", "presence-news"}) {
    World world(shards());
    const std::string channel = world.name_at(at(1), prefix);
    Client& client = world.connect(at(0));
    world.join(client, channel, "user");
    world.leave(client, channel);
    world.join(client, channel, "user");
    world.pump();
    client.log();
    EXPECT_EQ(world.subscriptions(channel), 1U);
    world.publish(at(2), channel, "x");
    world.pump();
    EXPECT_EQ(client.log(), Log{channel + ": x"});
  }
}

TEST_P(JoinTest, ClosedWhileTheJoinIsPending_LeavesNothingBehind) {
  for (const char* prefix : {"news", "presence-news"}) {
    World world(shards());
    const std::string channel = world.name_at(at(1), prefix);
    Client& client = world.connect(at(0));
    world.join(client, channel, "user");
    world.join(client, channel, "user");
    world.close(client);
    // Takes the slot of the closed one: the answers must not reach it.
    Client& next = world.connect(at(0));
    world.pump();
    EXPECT_EQ(next.log(), Log{});
    EXPECT_EQ(next.subscription_count(), 0U);
    EXPECT_EQ(world.channels_left(), 0U);
  }
}

TEST_P(JoinTest, ManyChannelsJoinedAndLeftInAnyOrder_KeepTheirReadersApart) {
  World world(shards());
  std::vector<Client*> clients;
  for (ShardIndex i = 0; i < 6; ++i) clients.push_back(&world.connect(at(i), static_cast<Format>(i % 2)));
  const auto name = [](int i) { return "c" + std::to_string(i); };
  for (Client* client : clients) {
    for (int i = 0; i < 8; ++i) world.join(*client, name(i));
  }
  world.pump();
  for (size_t k = 0; k < clients.size(); ++k) {
    for (size_t i = 0; i < 8; ++i) {
      if ((i * 5 + k * 3) % 4 == 0) world.leave(*clients[k], name(static_cast<int>(i)));
    }
    clients[k]->log();
  }
  world.pump();
  for (int i = 0; i < 8; ++i) world.publish(at(static_cast<ShardIndex>(i)), name(i), "x");
  world.pump();
  for (size_t k = 0; k < clients.size(); ++k) {
    size_t expected = 0;
    Log log = clients[k]->log();
    for (size_t i = 0; i < 8; ++i) {
      const bool left = (i * 5 + k * 3) % 4 == 0;
      expected += left ? 0 : 1;
      EXPECT_EQ(std::ranges::count(log, name(static_cast<int>(i)) + ": x"), left ? 0 : 1);
    }
    EXPECT_EQ(log.size(), expected);
  }
}

TEST_P(JoinTest, SameChannelNameInOtherFormats_ReachesEachReaderInItsFormatEncodedOnce) {
  World world(shards());
  const std::string channel = world.name_at(at(0), "news");
  std::vector<Client*> clients;
  for (const Format format : {testing::kPlain, testing::kPlain, testing::kOther, testing::kOwn, testing::kOwn}) {
    clients.push_back(&world.connect(at(0), format));
    world.join(*clients.back(), channel);
  }
  world.pump();
  for (Client* client : clients) client->log();
  world.publish(at(0), {.channel = channel, .data = "x", .exclude = clients[4]->socket_id()});
  world.pump();
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(clients[i]->log(), Log{channel + ": x"});
  EXPECT_EQ(clients[4]->log(), Log{});
  EXPECT_EQ(world[at(0)].sink.encoded, 2U) << "once for each shared format";
  EXPECT_EQ(world[at(0)].hub.local().deliveries(), 4U);
}

/// Plays every interleaving of several actors' scripts and of the messages between the shards. `make` builds a fresh
/// world with the scripts; `check` looks at its end.
struct Scene {
  std::unique_ptr<World> world;
  ShardIndex publisher = 0;  ///< a shard that only publishes, if not 0
  std::vector<std::vector<std::function<void()>>> scripts;
};

class Explorer {
 public:
  size_t explore(const std::function<Scene()>& make, const std::function<void()>& check) {
    size_t runs = 0;
    do {
      depth_ = 0;
      Scene scene = make();
      play(scene);
      check();
      ++runs;
    } while (!::testing::Test::HasFatalFailure() && next());
    return runs;
  }

 private:
  struct Choice {
    size_t taken;
    size_t options;
  };

  void play(Scene& scene) {
    World& world = *scene.world;
    std::vector<size_t> position(scene.scripts.size());
    for (;;) {
      // The answers to the publisher touch nothing else: their moment makes no difference.
      for (ShardIndex from = 0; from < world.size(); ++from) {
        while (scene.publisher != 0 && world.step(from, scene.publisher)) {
        }
      }
      std::vector<std::function<void()>> options;
      for (size_t i = 0; i < scene.scripts.size(); ++i) {
        if (position[i] == scene.scripts[i].size()) continue;
        options.emplace_back([&, i] { scene.scripts[i][position[i]++](); });
      }
      for (ShardIndex from = 0; from < world.size(); ++from) {
        for (ShardIndex to = 0; to < world.size(); ++to) {
          if (world.has_mail(from, to)) options.emplace_back([&world, from, to] { world.step(from, to); });
        }
      }
      if (options.empty()) return;
      options[choose(options.size())]();
    }
  }

  size_t choose(size_t options) {
    if (depth_ == choices_.size()) choices_.push_back({0, options});
    return choices_[depth_++].taken;
  }

  /// Moves on to the next sequence of choices; false after the last.
  bool next() {
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().options) choices_.pop_back();
    if (choices_.empty()) return false;
    ++choices_.back().taken;
    return true;
  }

  std::vector<Choice> choices_;
  size_t depth_ = 0;
};

/// One client joins (and perhaps leaves and joins again) while another shard publishes.
struct Race {
  explicit Race(ShardIndex shards_in, ShardIndex home_in, std::string_view prefix_in)
      : shards(shards_in), home(home_in), prefix(prefix_in) {}

  Scene make(uint32_t events, bool with_leave) {
    Scene scene;
    scene.publisher = home == shards - 1 ? 0 : shards - 1;
    scene.world = std::make_unique<World>(shards);
    world = scene.world.get();
    channel = world->name_at(home, prefix);
    client = &world->connect(0);
    scene.scripts.resize(2);
    scene.scripts[0].emplace_back([this] { world->join(*client, channel, "user"); });
    if (with_leave) {
      scene.scripts[0].emplace_back([this] {
        world->leave(*client, channel);
        client->write("left");
      });
      scene.scripts[0].emplace_back([this] { world->join(*client, channel, "user"); });
    }
    for (uint32_t i = 0; i < events; ++i) {
      scene.scripts[1].emplace_back([this, i] {
        const ShardIndex from = shards - 1;
        const std::string data = std::to_string(i);
        const auto reply = world->publish(from, {.channel = channel, .data = data}, 1, i);
        if (reply) world->operator[](from).sink.published.emplace_back(1, *reply);
      });
    }
    return scene;
  }

  ShardIndex shards;
  ShardIndex home;
  std::string prefix;
  World* world = nullptr;
  Client* client = nullptr;
  std::string channel;
};

TEST(JoinRace, PublishRacingWithAJoin_InEveryInterleaving_NothingBeforeAndNothingMissingAfter) {
  for (const ShardIndex shards : {1u, 2u, 3u}) {
    for (ShardIndex home = 0; home < shards; ++home) {
      Race race(shards, home, "news");
      Explorer explorer;
      const size_t runs =
          explorer.explore([&] { return race.make(3, false); },
                           [&] {
                             // What was published after the home knew of the reader has counted it: exactly that must
                             // have come.
                             Log expected{race.channel + " joined"};
                             for (const auto& [request, reply] : (*race.world)[shards - 1].sink.published) {
                               if (reply.subscriptions == 1)
                                 expected.push_back(race.channel + ": " + std::to_string(reply.index));
                             }
                             ASSERT_EQ((*race.world)[shards - 1].sink.published.size(), 3U);
                             ASSERT_EQ(race.client->log(), expected);
                           });
      EXPECT_GE(runs, 4U);
    }
  }
}

TEST(JoinRace, PublishRacingWithJoinLeaveJoin_InEveryInterleaving_DeliversOnlyWhileJoined) {
  for (const char* prefix : {"news", "presence-news"}) {
    for (const ShardIndex shards : {1u, 2u, 3u}) {
      for (ShardIndex home = 0; home < shards; ++home) {
        Race race(shards, home, prefix);
        Explorer explorer;
        explorer.explore([&] { return race.make(shards == 3 ? 1 : 2, true); },
                         [&] {
                           bool reads = false;
                           int last = -1;
                           const Log log = race.client->log();
                           for (const std::string& line : log) {
                             if (line == "left") {
                               reads = false;
                             } else if (line.starts_with(race.channel + " joined")) {
                               ASSERT_FALSE(reads);
                               ASSERT_EQ(line.find("BUT"), std::string::npos) << line;
                               reads = true;
                             } else if (line.starts_with(race.channel + ": ")) {
                               ASSERT_TRUE(reads) << ::testing::PrintToString(log);
                               const int number = line.back() - '0';
                               ASSERT_GT(number, last);
                               last = number;
                             } else {
                               FAIL() << "a client is not told of itself: " << line;
                             }
                           }
                           ASSERT_TRUE(reads);
                           ASSERT_EQ(race.world->subscriptions(race.channel), 1U);
                           race.world->publish(shards - 1, race.channel, "end");
                           race.world->pump();
                           ASSERT_EQ(race.client->log(), Log{race.channel + ": end"});
                           race.world->close(*race.client);
                           race.world->pump();
                           ASSERT_EQ(race.world->channels_left(), 0U);
                         });
      }
    }
  }
}

}  // namespace
}  // namespace kilat::hub
