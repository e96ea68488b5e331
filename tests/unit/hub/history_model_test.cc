// Readers that come, are cut off and come back while events are published, over three shards with messages moving in
// random order: whatever a reader is told is recovered, must be exactly what it missed, once and in order.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::World;

constexpr ShardIndex kShards = 3;
const std::vector<std::string> kChannels{"a", "presence-b", "cache-c"};

/// One channel as somebody knows it who may lose the connection.
struct Follower {
  std::string channel;
  Client* client = nullptr;
  bool joined = false;
  Position seen;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), world_(kShards, app(), 64) {
    // Some runs let readers come back one by one.
    if (seed % 2 == 0) world_.set_limits({.past_bytes_per_turn = 2'000});
    for (int i = 0; i < 9; ++i) followers_.push_back({.channel = kChannels[random_() % kChannels.size()], .seen = {}});
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      act();
      for (uint32_t k = random_() % 4; k > 0; --k) world_.step(random_() % kShards, random_() % kShards);
      for (Follower& follower : followers_) read(follower);
    }
    world_.pump();
    for (Follower& follower : followers_) {
      if (follower.client == nullptr) continue;
      read(follower);
      EXPECT_TRUE(follower.joined);
      EXPECT_EQ(follower.seen.offset, last_of(follower.channel)) << "all who are there have seen the last event";
    }
  }

  uint32_t recovered() const { return recovered_; }
  uint32_t lost() const { return lost_; }

 private:
  static AppSettings app() {
    AppSettings settings = testing::settings();
    settings.history = {"* size=12 age=1h"};
    return settings;
  }

  void act() {
    const uint32_t dice = random_() % 100;
    Follower& follower = followers_[random_() % followers_.size()];
    if (dice < 55) {
      const std::string& channel = kChannels[random_() % kChannels.size()];
      world_.publish(random_() % kShards, channel, std::to_string(++published_));
    } else if (dice < 80) {
      if (follower.client != nullptr) return;
      follower.client = &world_.connect(random_() % kShards, random_() % 2 == 0 ? testing::kPlain : testing::kOther);
      follower.joined = false;
      world_.join_with(*follower.client, follower.channel,
                       {.recover = follower.seen.epoch != 0, .since = follower.seen});
    } else {
      if (follower.client == nullptr) return;
      read(follower);
      world_.close(*follower.client);
      follower.client = nullptr;
    }
  }

  void read(Follower& follower) {
    if (follower.client == nullptr) return;
    for (const std::string& line : follower.client->log()) {
      if (line.find(" joined") != std::string::npos) {
        welcome(follower, line);
      } else if (const size_t at = line.find(" @"); at != std::string::npos) {
        take(follower, line, std::stoull(line.substr(at + 2)));
      }
    }
  }

  void welcome(Follower& follower, const std::string& line) {
    follower.joined = true;
    const Position now = world_.position(*follower.client, follower.channel);
    if (line.ends_with(" recovered")) {
      ++recovered_;
      EXPECT_EQ(now.epoch, follower.seen.epoch);
      return;
    }
    if (follower.seen.epoch != 0) ++lost_;
    EXPECT_TRUE(follower.seen.epoch == 0 || line.ends_with("history_expired")) << line;
    follower.seen = now;
  }

  void take(Follower& follower, const std::string& line, uint64_t offset) {
    ASSERT_TRUE(follower.joined) << line;
    ASSERT_EQ(offset, follower.seen.offset + 1) << line;
    follower.seen.offset = offset;
    std::string& text = events_[{follower.channel, offset}];
    if (text.empty()) text = line;
    EXPECT_EQ(text, line) << "two readers disagree";
  }

  uint64_t last_of(const std::string& channel) {
    return world_.ask(0, {.kind = Query::Kind::kHistory, .name = channel}).history.position.offset;
  }

  std::mt19937 random_;
  World world_;
  std::vector<Follower> followers_;
  std::map<std::pair<std::string, uint64_t>, std::string> events_;
  uint32_t published_ = 0;
  uint32_t recovered_ = 0;
  uint32_t lost_ = 0;
};

TEST(HistoryModel, WhateverIsRecovered_IsExactlyWhatWasMissed) {
  uint32_t recovered = 0;
  uint32_t lost = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    Model model(seed);
    model.run(400);
    recovered += model.recovered();
    lost += model.lost();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(recovered, 150U);
  EXPECT_GT(lost, 50U) << "histories must have been too short at times";
}

}  // namespace
}  // namespace kilat::hub
