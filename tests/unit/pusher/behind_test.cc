// A Pusher client that is behind on a conflating channel: what it reads when it goes on, in all formats.
#include <random>

#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

hub::AppSettings conflating_app() {
  hub::AppSettings app = app_settings();
  app.flow = {"live conflate=100ms key=/id"};
  return app;
}

/// A value that does not compress well, so that two of one key fill more than half of the soft limit in every format.
std::string value(std::string_view key, int number) {
  std::mt19937 random(static_cast<uint32_t>(number));
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>('0' + random() % 64);
  std::erase(text, '\\');
  return R"({"id":")" + std::string(key) + R"(","v":)" + std::to_string(number) + R"(,"p":")" + text + R"("})";
}

std::string missed(std::string_view channel, int count) {
  return R"({"event":"kilat:missed","channel":)" + json_string(channel) + R"(,"data":"{\"missed\":)" +
         std::to_string(count) + R"(}"})";
}

struct Behind : SessionTest {
  World world{shards(), conflating_app()};

  void tick(std::string_view channel, std::string_view keys, int number) {
    for (const char key : keys) world.publish(channel, "e", value({&key, 1}, number));
    world.pass(100);
  }
  Log read_all(Client& client) {
    Log all;
    for (Log got = client.read(); !got.empty(); got = client.read()) {
      all.insert(all.end(), got.begin(), got.end());
      world.pump();
    }
    return all;
  }
};
KILAT_SESSION_TEST(Behind);

TEST_P(Behind, InEveryFormat_TheNewestOfEachKeyComes_AndTheCount) {
  const SessionOptions kShared{.socket_id = {}, .format = kDeflatedFormat, .deflate = true};
  const SessionOptions kOwn{
      .socket_id = {}, .format = kOwnFormat, .client_takeover = true, .deflate = true, .server_takeover = true};
  for (const SessionOptions& options : {SessionOptions{}, kShared, kOwn}) {
    Client& client = world.connect(0, options);
    client.subscribe("live");
    client.read();
    for (int i = 1; i <= 4; ++i) tick("live", "ab", i);
    const Log log = read_all(client);
    // How many fit before depends on the format; then all the rest is the newest.
    ASSERT_GE(log.size(), 4U);
    EXPECT_EQ(log[log.size() - 2], event_text("live", "e", value("a", 4)));
    EXPECT_EQ(log.back(), event_text("live", "e", value("b", 4)));
    EXPECT_EQ(log[log.size() - 3], missed("live", static_cast<int>(8 - (log.size() - 1))));
    client.drop();
  }
}

TEST_P(Behind, ChannelFoldedForOneClient_ConflatesAsWell) {
  Client& client = world.connect();
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"raw","flow":{"conflate":100,"key":"/id"}}})");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("raw")));
  for (int i = 1; i <= 4; ++i) tick("raw", "ab", i);
  EXPECT_THAT(read_all(client),
              ElementsAre(event_text("raw", "e", value("a", 1)), missed("raw", 5),
                          event_text("raw", "e", value("a", 4)), event_text("raw", "e", value("b", 4))));
  // Subscribing again changes nothing about that.
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"raw"}})");
  client.read();
  for (int i = 5; i <= 7; ++i) tick("raw", "ab", i);
  EXPECT_THAT(read_all(client),
              ElementsAre(event_text("raw", "e", value("a", 5)), missed("raw", 3),
                          event_text("raw", "e", value("a", 7)), event_text("raw", "e", value("b", 7))));
}

TEST_P(Behind, ChannelFoldedForOneClient_IsForgottenWhenItLeaves) {
  Client& client = world.connect();
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"raw","flow":{"conflate":100,"key":"/id"}}})");
  client.read();
  for (int i = 1; i <= 3; ++i) tick("raw", "ab", i);
  client.unsubscribe("raw");
  EXPECT_EQ(client.session().outbox().aside(), 0U);
  EXPECT_THAT(read_all(client), ElementsAre(event_text("raw", "e", value("a", 1))));
}

// The app's rule sends every 100 ms, the client's own every 300 ms: what that leaves out was not missed.
TEST_P(Behind, ConflatingChannelFoldedAgain_IsFoldedBeforeItWaits) {
  Client& client = world.connect();
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"live","flow":{"conflate":300,"key":"/id"}}})");
  client.read();
  for (int i = 1; i <= 13; ++i) tick("live", "ab", i);
  EXPECT_THAT(read_all(client),
              ElementsAre(event_text("live", "e", value("a", 3)), missed("live", 5),
                          event_text("live", "e", value("a", 12)), event_text("live", "e", value("b", 12))));
  world.pass(300);
  EXPECT_THAT(read_all(client),
              ElementsAre(event_text("live", "e", value("a", 13)), event_text("live", "e", value("b", 13))));
}

TEST_P(Behind, Goodbye_StandsBehindTheNewest) {
  Client& client = world.connect();
  client.subscribe("live");
  client.read();
  for (int i = 1; i <= 3; ++i) tick("live", "ab", i);
  client.session().close(Reason::kServerDraining);
  Log log = client.read();
  ASSERT_GE(log.size(), 4U);
  EXPECT_EQ(log[0], event_text("live", "e", value("a", 1)));
  EXPECT_EQ(log[1], missed("live", 3));
  EXPECT_EQ(log[2], event_text("live", "e", value("a", 3)));
  EXPECT_EQ(log[3], event_text("live", "e", value("b", 3)));
  log.erase(log.begin(), log.begin() + 4);
  EXPECT_THAT(log, ElementsAreArray(goodbye(Reason::kServerDraining)));
}

}  // namespace
}  // namespace kilat::pusher::testing
