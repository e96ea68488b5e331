// A Socket.IO client that is behind on a conflating room: over polling, over a WebSocket, from one to the other, and
// when it comes back after its connection broke.
#include <map>

#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

std::string value(std::string_view key, int number) {
  return R"({"id":")" + std::string(key) + R"(","v":)" + std::to_string(number) + R"(,"p":")" +
         std::string(100'000, 'x') + R"("})";
}
std::string event(std::string_view key, int number) {
  return R"(42["m",)" + value(key, number) + "]";
}
std::string missed(int count) {
  return R"(42["kilat:missed",{"channel":"live","missed":)" + std::to_string(count) + "}]";
}

struct SocketBehind : SocketIoTest {
  static World::Setup setup() {
    World::Setup setup;
    setup.app.flow = {"live conflate=100ms key=/id"};
    return setup;
  }
  static void tick(World& world, std::string_view keys, int number) {
    for (const char key : keys) world.publish("live", "m", value({&key, 1}, number));
    world.pass(100);
  }
  static Log read_all(World& world, Client& client) {
    Log all;
    for (Log got = client.read(); !got.empty(); got = client.read()) {
      all.insert(all.end(), got.begin(), got.end());
      world.pump();
    }
    return all;
  }
};
KILAT_SOCKETIO_TEST(SocketBehind);

TEST_P(SocketBehind, WebSocket_GetsTheNewestOfEachKey_AndTheCount) {
  World world(shards(), setup());
  Client& client = world.join();
  client.subscribe("live");
  for (int i = 1; i <= 4; ++i) tick(world, "ab", i);
  EXPECT_THAT(read_all(world, client), ElementsAre(event("a", 1), missed(5), event("a", 4), event("b", 4)));
}

TEST_P(SocketBehind, Polling_GetsTheNewestOfEachKey_AndTheCount) {
  World world(shards(), setup());
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40\x1e"
                        R"(42["subscribe","live"])"),
            "ok");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
  for (int i = 1; i <= 4; ++i) tick(world, "ab", i);
  EXPECT_EQ(poller.get(), event("a", 1));
  EXPECT_EQ(poller.get(), missed(5) + "\x1e" + event("a", 4));
  EXPECT_EQ(poller.get(), event("b", 4));
  EXPECT_EQ(poller.get(), "<waiting>");
  tick(world, "a", 5);
  EXPECT_EQ(poller.waiting(), event("a", 5));
}

TEST_P(SocketBehind, PollingPastTheHardLimit_IsClosed) {
  World::Setup small = setup();
  small.limits = {.hard_bytes = 400'000};
  World world(shards(), small);
  Poller poller(world, 1);
  poller.post(
      "40\x1e"
      R"(42["subscribe","live"])");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
  for (int i = 1; i <= 20; ++i) tick(world, "ab", i);
  EXPECT_EQ(world.sessions(), 1U);
  tick(world, "cdefgh", 21);
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(SocketBehind, FromPollingToAWebSocket_NothingIsLost) {
  World world(shards(), setup());
  Poller poller(world, 1);
  poller.post(
      "40\x1e"
      R"(42["subscribe","live"])");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
  for (int i = 1; i <= 4; ++i) tick(world, "ab", i);
  Client* client = world.open_upgrade(poller.sid(), 0);
  ASSERT_NE(client, nullptr);
  client->say("2probe");
  EXPECT_THAT(client->read(), ElementsAre("3probe"));
  client->say("5");
  tick(world, "b", 5);
  EXPECT_THAT(read_all(world, *client), ElementsAre(event("a", 1), missed(6), event("a", 4), event("b", 5)));
}

TEST_P(SocketBehind, LeavingTheRoom_DropsWhatWaits) {
  World world(shards(), setup());
  Client& client = world.join();
  client.subscribe("live");
  for (int i = 1; i <= 3; ++i) tick(world, "ab", i);
  client.say(R"(42["unsubscribe","live"])");
  EXPECT_EQ(client.socket()->outbox().aside(), 0U);
  EXPECT_THAT(read_all(world, client), ElementsAre(event("a", 1)));
}

TEST_P(SocketBehind, ConnectionLostWhileBehind_LeavesNothing) {
  World world(shards(), setup());
  Client& client = world.join();
  client.subscribe("live");
  for (int i = 1; i <= 3; ++i) tick(world, "ab", i);
  client.drop();
  world.pump();
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.channels_left(), 0U);
}

// A connection that never catches up serves its namespaces in turn, and what waits for all of them has one bound.
TEST_P(SocketBehind, NamespacesOfOneConnection_TakeTurns) {
  World world(shards(), setup());
  Client& client = world.join();
  client.connect("/plain");
  client.subscribe("live");
  client.subscribe("live", "/plain");
  std::map<std::string, int> events;
  for (int i = 1; i <= 12; ++i) {
    tick(world, "ab", i);
    EXPECT_LT(client.socket()->outbox().aside(), 500'000U);
    for (const std::string& text : client.read()) ++events[text.substr(0, text.find('['))];
  }
  EXPECT_GE(events["42"], 4);
  EXPECT_GE(events["42/plain,"], 4);
}

TEST_P(SocketBehind, ComingBack_ItGetsWhatWaited_AndTheCount_WithOffsets) {
  World::Setup recovering = setup();
  recovering.options.recovery_ms = 3'000;
  recovering.options.recovery_bytes_max = 1 << 24;
  World world(shards(), recovering);
  Client& client = world.open(0);
  const std::string connected = client.connect().at(0);
  const size_t at = connected.find(R"("pid":")") + 7;
  const std::string pid = connected.substr(at, connected.find('"', at) - at);
  client.subscribe("live");
  for (int i = 1; i <= 4; ++i) tick(world, "ab", i);
  const Log before = client.read();
  ASSERT_EQ(before.size(), 1U);
  EXPECT_THAT(before[0], StartsWith(R"(42["m",)" + value("a", 1) + ",\""));
  const size_t begin = before[0].rfind(",\"") + 2;
  const std::string offset = before[0].substr(begin, before[0].size() - begin - 2);
  client.drop();
  tick(world, "b", 5);
  Client& again = world.open(1);
  again.read();
  again.say(R"(40{"pid":")" + pid + R"(","offset":")" + offset + "\"}");
  const Log log = read_all(world, again);
  ASSERT_EQ(log.size(), 5U);
  EXPECT_THAT(log[0], StartsWith(R"(42["kilat:missed",{"channel":"live","missed":5},")"));
  EXPECT_THAT(log[1], StartsWith(R"(42["m",)" + value("a", 4) + ",\""));
  EXPECT_THAT(log[2], StartsWith(R"(42["m",)" + value("b", 4) + ",\""));
  EXPECT_THAT(log[3], StartsWith(R"(42["m",)" + value("b", 5) + ",\""));
  EXPECT_THAT(log[4], StartsWith("40{"));
}

}  // namespace
}  // namespace kilat::socketio::testing
