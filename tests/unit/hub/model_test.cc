// Random joins, leaves, publishes and closes over three shards with messages moving in random order, against what must
// hold whatever happens.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

constexpr ShardIndex kShards = 3;
const std::vector<std::string> kChannels{"plain",      "cache-c",          "cache-d",  "presence-p",
                                         "presence-q", "presence-cache-r", "private-s"};

/// What a client can know of a channel from its own log.
struct View {
  bool reads = false;
  std::set<std::string> members;
  std::string last;  ///< the last event, or the cached one it was given when it joined
  bool knows_last = false;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), world_(kShards, app(), 32) {
    // A tap sees all events of a channel in the home's order: the order all readers must agree with.
    world_[0].hub.tap(0, true);
    world_.pump();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      act();
      for (uint32_t k = random_() % 4; k > 0; --k) world_.step(random_() % kShards, random_() % kShards);
      if (random_() % 50 == 0) settle();
    }
    settle();
    while (!clients_.empty()) close(clients_.begin()->first);
    settle();
    world_.pass(3'600'000);
    EXPECT_EQ(world_.channels_left(), 0U);
  }

 private:
  static AppSettings app() {
    AppSettings settings = testing::settings();
    settings.presence_members_max = 3;
    return settings;
  }

  const std::string& any_channel() { return kChannels[random_() % kChannels.size()]; }
  Client* any_client() {
    if (clients_.empty()) return nullptr;
    return std::next(clients_.begin(), static_cast<long>(random_() % clients_.size()))->first;
  }

  void act() {
    const uint32_t dice = random_() % 100;
    Client* client = any_client();
    if (client == nullptr || (dice < 5 && clients_.size() < 14)) {
      clients_[&world_.connect(random_() % kShards, random_() % 3 == 0 ? testing::kOwn : testing::kPlain)];
    } else if (dice < 8) {
      close(client);
    } else if (dice < 35) {
      const std::string& channel = any_channel();
      // A client that joins again keeps the user it has joined with.
      const std::string user = "u" + std::to_string(random_() % 6);
      world_.join(*client, channel, user);
      read(client);
    } else if (dice < 50) {
      const std::string& channel = any_channel();
      read(client);
      world_.leave(*client, channel);
      clients_[client][channel] = {};
    } else {
      publish();
    }
  }

  void publish() {
    const ShardIndex from = random_() % kShards;
    const std::string data = std::to_string(++last_event_);
    const auto reply = world_.publish(from, any_channel(), data);
    if (reply && reply->refused != Reason::kNone) ++refused_;
  }

  void close(Client* client) {
    read(client);
    clients_.erase(client);
    world_.close(*client);
  }

  /// Follows the client's log and checks each line against what it may see now.
  void read(Client* client) {
    read_taps();
    for (const std::string& line : client->log()) check(*client, line);
  }

  void read_taps() {
    for (const std::string& line : world_[0].sink.taps) {
      const size_t colon = line.find(": ");
      order_[line.substr(0, colon)].push_back(line.substr(colon + 2));
    }
    world_[0].sink.taps.clear();
  }

  void check(Client& client, const std::string& line) {
    const size_t end = line.find_first_of(" :");
    const std::string channel = line.substr(0, end);
    View& view = clients_[&client][channel];
    const std::string rest = line.substr(end);
    ASSERT_EQ(line.find("BUT"), std::string::npos) << line;
    if (rest.starts_with(" refused")) {
      ASSERT_FALSE(view.reads) << line;
    } else if (rest.starts_with(" joined")) {
      ASSERT_EQ(view.reads, rest.starts_with(" joined again")) << line;
      joined(view, channel, rest);
    } else {
      ASSERT_TRUE(view.reads) << line;
      if (rest[0] == ':') {
        // The tap may be behind this shard: events are compared when all is settled.
        seen_.push_back({channel, view.last, rest.substr(2), view.knows_last});
        view.last = rest.substr(2);
        view.knows_last = true;
      } else if (rest[1] == '+') {
        ASSERT_TRUE(view.members.insert(rest.substr(2)).second) << line;
      } else {
        ASSERT_EQ(view.members.erase(rest.substr(2)), 1U) << line;
      }
    }
  }

  void joined(View& view, const std::string& channel, const std::string& rest) {
    const bool again = rest.starts_with(" joined again");
    std::set<std::string> members;
    if (const size_t open = rest.find('['); open != std::string::npos) {
      std::string list = rest.substr(open + 1, rest.find(']') - open - 1) + " ";
      for (size_t space = 0; (space = list.find(' ')) != std::string::npos; list.erase(0, space + 1)) {
        members.insert(list.substr(0, space));
      }
    }
    if (again) {
      ASSERT_EQ(view.members, members) << "the list of a later moment than the changes told before it";
    }
    view.members = members;
    if (again) return;
    view.reads = true;
    const size_t cached = rest.find(" cached ");
    view.knows_last = kind_of(channel).cache;
    view.last = cached == std::string::npos ? "" : rest.substr(cached + 8);
  }

  /// Everything has arrived: what all clients know must agree with the homes and with each other.
  void settle() {
    world_.pump();
    for (auto& [client, views] : clients_) read(client);
    read_taps();
    for (const Seen& seen : seen_) check_order(seen);
    seen_.clear();
    for (const std::string& channel : kChannels) check_channel(channel);
  }

  struct Seen {
    std::string channel;
    std::string before;
    std::string event;
    bool knows_before;
  };

  void check_order(const Seen& seen) {
    const Log& order = order_[seen.channel];
    const auto at = std::ranges::find(order, seen.event);
    ASSERT_NE(at, order.end()) << seen.channel << " " << seen.event;
    if (!seen.knows_before) return;
    const std::string before = at == order.begin() ? "" : *std::prev(at);
    ASSERT_EQ(seen.before, before) << seen.channel << ": missing, doubled or out of order before " << seen.event;
  }

  void check_channel(const std::string& channel) {
    uint32_t readers = 0;
    const QueryReply reply = world_.ask(0, {.kind = Query::Kind::kUsers, .name = channel});
    const std::set<std::string> users(reply.users.begin(), reply.users.end());
    ASSERT_EQ(users.size(), reply.users.size());
    for (auto& [client, views] : clients_) {
      const View& view = views[channel];
      ASSERT_EQ(view.reads, client->find(channel) != nullptr) << channel;
      if (!view.reads) continue;
      ++readers;
      ASSERT_EQ(view.members, users) << channel;
      if (view.knows_last && !view.last.empty()) {
        ASSERT_EQ(view.last, order_[channel].back()) << channel;
      }
    }
    ASSERT_EQ(reply.channels.empty() ? 0 : reply.channels[0].subscriptions, readers) << channel;
    ASSERT_EQ(reply.channels.empty() ? 0 : reply.channels[0].users, users.size()) << channel;
    if (reply.cached) {
      ASSERT_EQ(reply.cached->data(), order_[channel].back());
    }
  }

  std::mt19937 random_;
  World world_;
  std::map<Client*, std::map<std::string, View>> clients_;
  std::map<std::string, Log> order_;
  std::vector<Seen> seen_;
  uint32_t last_event_ = 0;
  uint32_t refused_ = 0;
};

class HubModel : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, HubModel, ::testing::Range(1u, 13u));

TEST_P(HubModel, RandomLifeOverThreeShards_KeepsOrderCountsAndMembers) {
  Model(GetParam()).run(4'000);
}

}  // namespace
}  // namespace kilat::hub
