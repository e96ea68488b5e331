// The life of a session that polls. Its requests arrive at a shard that is not its own where there are two.
#include "socketio/payload.h"
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Polling : SocketIoTest {
  static World::Setup small() {
    World::Setup setup;
    setup.options.message_bytes_max = 2'000;
    return setup;
  }
  World world{shards(), small()};
  Poller poller{world, 1};

  Polling() { poller.arrive_at(0); }
  void join() {
    EXPECT_EQ(poller.post("40"), "ok");
    EXPECT_THAT(poller.get(), StartsWith("40{\"sid\":"));
  }
};
KILAT_SOCKETIO_TEST(Polling);

TEST_P(Polling, Poll_IsHeldUntilThereIsSomething) {
  EXPECT_EQ(poller.get(), "<waiting>");
  EXPECT_EQ(poller.post("40"), "ok");
  EXPECT_THAT(poller.waiting(), StartsWith(R"(40{"sid":")"));
}

TEST_P(Polling, WhatGathers_IsAnsweredAtOnceInOneBody) {
  join();
  EXPECT_EQ(poller.post(R"(42["subscribe","c"])"), "ok");
  for (const char* data : {"0", "1", "2"}) world.publish("c", "m", data);
  EXPECT_EQ(poller.get(),
            "42[\"m\",0]\x1e"
            "42[\"m\",1]\x1e"
            "42[\"m\",2]");
  EXPECT_EQ(poller.get(), "<waiting>");
  world.publish("c", "m", "3");
  EXPECT_EQ(poller.waiting(), R"(42["m",3])");
}

TEST_P(Polling, AnswerToAPost_IsNeverCached) {
  const std::optional<http::Response> response = world.answer(poller.send("POST", "40"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "ok");
  EXPECT_EQ(response->content_type, "text/html");
  EXPECT_EQ(response->cache_control, "no-store");
}

TEST_P(Polling, ManyPackets_FitIntoOnePost) {
  std::string body = "40";
  for (int i = 0; i < 200; ++i)
    body +=
        "\x1e"
        "3";
  body +=
      "\x1e"
      R"(420["subscribe","c"])";
  EXPECT_EQ(poller.post(body), "ok");
  EXPECT_THAT(poller.get(), HasSubstr("\x1e"
                                      R"(430[{"ok":true}])"));
}

TEST_P(Polling, BodyOverTheLimit_IsRefusedAndTheSessionLives) {
  EXPECT_EQ(poller.post("6" + std::string(2'000, 'x')), "<413>");
  EXPECT_EQ(poller.post("6" + std::string(1'999, 'x')), "ok");
  EXPECT_EQ(poller.get(), "<waiting>");
}

TEST_P(Polling, PacketsThatSayNothing_AreTaken) {
  for (const char* body : {"3", "5", "6", "0"}) EXPECT_EQ(poller.post(body), "ok");
  EXPECT_EQ(poller.get(), "<waiting>");
}

TEST_P(Polling, PacketsThatAreNone_EndTheSession) {
  for (const char* body : {"", "40\x1e",
                           "\x1e"
                           "40",
                           "7x", "2", "2probe",
                           "40\x1e"
                           "abc",
                           "bA", "b*"}) {
    Poller other(world, 1);
    EXPECT_EQ(other.post(body), "ok") << body;
    expect_gone(other);
  }
}

TEST_P(Polling, WithAPollWaiting_BrokenPacketsEndIt) {
  EXPECT_EQ(poller.get(), "<waiting>");
  const World::Sent held = poller.poll();
  EXPECT_EQ(poller.post("7x"), "ok");
  EXPECT_EQ(world.answer_text(held), "1");
  expect_gone(poller);
}

TEST_P(Polling, OctetStream_EndsTheSession) {
  EXPECT_EQ(poller.post("40", "Content-Type: application/octet-stream\r\n"), "<400>");
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(Polling, SocketIoErrors_AreToldByTheNextPoll) {
  for (const char* body : {"4", "4x", "bAQID", "b", R"(42["early"])", "40[]"}) {
    Poller other(world, 1);
    EXPECT_EQ(other.post(body), "ok");
    EXPECT_EQ(other.get(), "1") << body;
    expect_gone(other);
  }
}

TEST_P(Polling, WhatWasQueued_ComesBeforeTheEnd) {
  EXPECT_EQ(poller.post("40\x1e"
                        "4x"),
            "ok");
  EXPECT_THAT(poller.get(), MatchesRegex("40\\{\"sid\":\"[^\"]*\"\\}"));
  EXPECT_EQ(poller.get(), "1");
  expect_gone(poller);
}

TEST_P(Polling, Goodbye_LetsThePollGo) {
  EXPECT_EQ(poller.get(), "<waiting>");
  const World::Sent held = poller.poll();
  EXPECT_EQ(poller.post("1\x1e"
                        "40"),
            "ok");
  EXPECT_EQ(world.answer_text(held), "6");
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.sockets(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Polling, TwoPollsAtOnce_EndTheSession) {
  EXPECT_EQ(poller.get(), "<waiting>");
  const World::Sent first = poller.poll();
  EXPECT_EQ(poller.get(), "<400>");
  EXPECT_EQ(world.answer_text(first), "1");
  expect_gone(poller);
}

TEST_P(Polling, LostPoll_EndsTheSession) {
  join();
  EXPECT_EQ(poller.get(), "<waiting>");
  world.lose(poller.poll());
  EXPECT_EQ(poller.waiting(), "<waiting>");
  expect_gone(poller);
  EXPECT_EQ(world.sockets(), 0U);
}

TEST_P(Polling, LossOfAPollThatWasAnswered_IsNobodysLoss) {
  join();
  const World::Sent answered = poller.poll();
  EXPECT_EQ(poller.get(), "<waiting>");
  world.lose(answered);
  EXPECT_EQ(poller.waiting(), "<waiting>");
  EXPECT_EQ(world.sessions(), 1U);
}

TEST_P(Polling, Draining_AnswersThePollWithTheEnd) {
  join();
  EXPECT_EQ(poller.get(), "<waiting>");
  world.lose(poller.poll(), true);
  EXPECT_EQ(poller.waiting(), "1");
  expect_gone(poller);
}

TEST_P(Polling, Attachments_ComeAsBase64) {
  join();
  EXPECT_EQ(poller.post(R"(42["subscribe","c"])"), "ok");
  EXPECT_EQ(world.post("emit", R"({"event":"b","args":[{"$binary":"AQID"}],"rooms":["c"]})"), "{}");
  EXPECT_EQ(poller.get(),
            "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1e"
            "bAQID");
}

TEST_P(Polling, BinaryOfTheClient_FollowsItsPacket) {
  join();
  EXPECT_EQ(poller.post("451-[\"x\",{\"_placeholder\":true,\"num\":0}]\x1e"
                        "bAQID\x1e"
                        R"(421["subscribe","c"])"),
            "ok");
  EXPECT_EQ(poller.get(), R"(431[{"ok":true}])");
}

TEST_P(Polling, LargeAnswers_AreCompressedForThoseWhoTakeIt) {
  World::Setup setup;
  setup.options.http_compression = true;
  World other(shards(), setup);
  Poller client(other, 1);
  EXPECT_EQ(client.post("40\x1e"
                        R"(42["subscribe","c"])"),
            "ok");
  EXPECT_THAT(client.get(), StartsWith("40{"));
  const std::string data = "\"" + std::string(1'500, 'x') + "\"";
  const std::string body = R"(42["m",)" + data + "]";
  for (const auto& [accept, compressed] : {std::pair("Accept-Encoding: gzip, deflate\r\n", true),
                                           std::pair("Accept-Encoding: br\r\n", false), std::pair("", false)}) {
    other.publish("c", "m", data);
    const std::optional<http::Response> response = other.answer(client.send("GET", {}, accept));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->headers.size(), compressed ? 1U : 0U);
    EXPECT_TRUE(response->body == (compressed ? gzip(body) : body)) << accept;
  }
  other.publish("c", "m", "1");
  const std::optional<http::Response> small = other.answer(client.send("GET", {}, "Accept-Encoding: gzip\r\n"));
  ASSERT_TRUE(small);
  EXPECT_EQ(small->body, R"(42["m",1])");
}

TEST_P(Polling, ClientThatDoesNotPoll_IsClosedAtTheHardLimit) {
  World::Setup setup;
  setup.limits.hard_bytes = 2'000;
  World other(shards(), setup);
  Poller slow(other, 1);
  Poller held(other, 1);
  for (Poller* client : {&slow, &held})
    EXPECT_EQ(client->post("40\x1e"
                           R"(42["subscribe","c"])"),
              "ok");
  const std::string data = "\"" + std::string(500, 'x') + "\"";
  for (int i = 0; i < 8; ++i) {
    EXPECT_THAT(held.get(), Not("<waiting>"));
    other.publish("c", "m", data);
  }
  expect_gone(slow);
  EXPECT_EQ(other.sessions(), 1U);
}

// A poll that waits takes what comes in one turn, however much it is.
TEST_P(Polling, BurstLargerThanTheLimit_ReachesAPollThatWaits) {
  World::Setup setup;
  setup.limits.hard_bytes = 2'000;
  World other(shards(), setup);
  Poller client(other, 1);
  EXPECT_EQ(client.post("40\x1e"
                        R"(42["subscribe","c"])"),
            "ok");
  client.get();
  EXPECT_EQ(client.get(), "<waiting>");
  const std::string data = "\"" + std::string(1'500, 'x') + "\"";
  other.shard(0).hub.publish(hub::Publication::make({.channel = "c", .event = "m", .data = data}));
  other.shard(0).hub.publish(hub::Publication::make({.channel = "c", .event = "m", .data = data}));
  other.pump();
  const std::string first = client.waiting();
  EXPECT_THAT(first, StartsWith(R"(42["m",)"));
  EXPECT_EQ(other.sessions(), 1U);
}

TEST_P(Polling, EchoOfTheSuite_SendsMessagesBack) {
  Poller echo(world, 1, {}, true);
  EXPECT_EQ(echo.post("4hello\x1e"
                      "bAQID"),
            "ok");
  EXPECT_EQ(echo.get(),
            "4hello\x1e"
            "bAQID");
  world.pass(24'999);
  EXPECT_EQ(echo.get(), "<waiting>");
}

}  // namespace
}  // namespace kilat::socketio::testing
