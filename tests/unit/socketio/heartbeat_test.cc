// Heartbeats and the other deadlines of a session, by a virtual clock.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Heartbeat : SocketIoTest {
  static World::Setup fast() {
    World::Setup setup;
    setup.options.ping_interval_ms = 300;
    setup.options.ping_timeout_ms = 200;
    return setup;
  }
  World world{shards(), fast()};
};
KILAT_SOCKETIO_TEST(Heartbeat);

TEST_P(Heartbeat, FirstPing_ComesOneIntervalAfterTheHandshake) {
  Client& client = world.join(1);
  world.pass(299);
  EXPECT_THAT(client.read(), IsEmpty());
  world.pass(1);
  EXPECT_THAT(client.read(), ElementsAre("2"));
}

TEST_P(Heartbeat, NextPing_ComesOneIntervalAfterThePong) {
  Client& client = world.join();
  for (int i = 0; i < 3; ++i) {
    world.pass(300);
    EXPECT_THAT(client.read(), ElementsAre("2"));
    world.pass(50);
    client.say("3");
    world.pass(299);
    EXPECT_THAT(client.read(), IsEmpty());
    world.pass(1);
    EXPECT_THAT(client.read(), ElementsAre("2"));
    client.say("3");
  }
}

TEST_P(Heartbeat, NoPong_ClosesOneTimeoutAfterThePing) {
  Client& client = world.join(1);
  world.pass(300);
  EXPECT_THAT(client.read(), ElementsAre("2"));
  world.pass(199);
  expect_open(client);
  world.pass(1);
  expect_closed(client, Reason::kEioPingTimeout);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.sockets(), 0U);
}

TEST_P(Heartbeat, OtherTraffic_MovesTheDeadlineOnce) {
  Client& client = world.join();
  world.pass(300);
  EXPECT_THAT(client.read(), ElementsAre("2"));
  world.pass(150);
  client.say(R"(42["x"])");  // until 300 + 150 + 200 now
  world.pass(199);
  client.say(R"(42["x"])");
  expect_open(client);
  world.pass(1);
  expect_closed(client, Reason::kEioPingTimeout);
}

TEST_P(Heartbeat, EachPing_HasAnExtensionOfItsOwn) {
  Client& client = world.join();
  for (int i = 0; i < 3; ++i) {
    world.pass(300);
    EXPECT_THAT(client.read(), ElementsAre("2"));
    world.pass(199);
    client.say(R"(42["x"])");
    world.pass(199);
    client.say("3");
    expect_open(client);
  }
}

TEST_P(Heartbeat, UnsolicitedPongs_KeepNobodyAlive) {
  Client& client = world.join();
  for (int i = 0; i < 2; ++i) {
    world.pass(100);
    client.say("3");
  }
  world.pass(100);
  EXPECT_THAT(client.read(), ElementsAre("2"));
  world.pass(200);
  expect_closed(client, Reason::kEioPingTimeout);
}

TEST_P(Heartbeat, BinaryMessage_IsTraffic) {
  Client& client = world.join();
  world.pass(300);
  client.say(R"(452-["e",{"_placeholder":true,"num":0}])");
  world.pass(150);
  client.say_binary("x");
  world.pass(49);
  EXPECT_THAT(client.read(), ElementsAre("2"));
  EXPECT_FALSE(client.finished());
  world.pass(1);
  expect_closed(client, Reason::kEioPingTimeout);  // the text has moved the deadline, and only it
}

TEST_P(Heartbeat, WebSocketPongs_AreNoPongs) {
  Client& client = world.join();
  world.pass(300);
  client.read();
  client.feed(ws::encode_masked_frame(ws::Opcode::kPong, "", kMask));
  client.feed(ws::encode_masked_frame(ws::Opcode::kPing, "", kMask));
  EXPECT_THAT(client.read(), ElementsAre("<pong >"));
  world.pass(200);
  expect_closed(client, Reason::kEioPingTimeout);
}

TEST_P(Heartbeat, OfAPollingSession_GoesThroughThePoll) {
  Poller poller(world, 1);
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(300);
  EXPECT_EQ(poller.waiting(), "2");
  EXPECT_EQ(poller.post("3"), "ok");
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(299);
  EXPECT_EQ(poller.waiting(), "<waiting>");
  world.pass(1);
  EXPECT_EQ(poller.waiting(), "2");
}

TEST_P(Heartbeat, PollingSessionWithoutAPong_IsGone) {
  Poller poller(world, 1);
  world.pass(300);
  world.pass(200);
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Heartbeat, PollThatWaitsForAPongThatNeverComes_IsTold) {
  Poller poller(world, 1);
  world.pass(300);
  EXPECT_EQ(poller.get(), "2");
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(200);
  EXPECT_EQ(poller.waiting(), "1");
  expect_gone(poller);
}

// A poll that comes in the turn of the deadline finds the session gone, though its timer has not run yet.
TEST_P(Heartbeat, PollAtTheDeadline_FindsNobody) {
  Poller poller(world);
  world.pass(300);
  world.shard(0).set_now(world.now_ms() + 200);
  expect_gone(poller);
}

TEST_P(Heartbeat, Deadline_SurvivesTheUpgrade) {
  Poller poller(world, 1);
  world.pass(300);
  EXPECT_EQ(poller.get(), "2");
  Client* client = world.open_upgrade(poller.sid());
  ASSERT_NE(client, nullptr);
  client->say("2probe");
  client->say("5");
  EXPECT_THAT(client->read(), ElementsAre("3probe"));
  world.pass(199);
  expect_open(*client);
  world.pass(1);
  expect_closed(*client, Reason::kEioPingTimeout);
}

// --- other deadlines

struct Deadlines : SocketIoTest {
  static World::Setup patient(uint32_t connect_ms = 45'000) {
    World::Setup setup;
    setup.options.connect_timeout_ms = connect_ms;
    setup.options.ping_interval_ms = setup.options.ping_timeout_ms = 1'000'000;
    return setup;
  }
};
KILAT_SOCKETIO_TEST(Deadlines);

TEST_P(Deadlines, WithoutANamespace_TheSessionEndsAfterConnectTimeout) {
  World world(shards(), patient());
  Client& client = world.open(1);
  client.read();
  EXPECT_THAT(client.connect("/nope"), ElementsAre(R"(44/nope,{"message":"Invalid namespace"})"));
  world.pass(44'999);
  expect_open(client);
  world.pass(1);
  expect_closed(client, Reason::kSioConnectTimeout);
}

TEST_P(Deadlines, WithOneNamespaceJoinedAndLeft_TheSessionStays) {
  World world(shards(), patient());
  Client& client = world.join();
  client.say("41");
  world.pass(100'000);
  expect_open(client);
  EXPECT_THAT(client.connect(), ElementsAre(StartsWith(R"(40{"sid":")")));
}

TEST_P(Deadlines, PollingSessionWithoutANamespace_EndsWithItsPoll) {
  World world(shards(), patient());
  Poller poller(world, 1);
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(45'000);
  EXPECT_EQ(poller.waiting(), "1");
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(Deadlines, AttachmentsThatDoNotCome_EndTheSession) {
  World world(shards(), patient());
  Client& client = world.join();
  client.say(R"(452-["e",{"_placeholder":true,"num":0}])");
  world.pass(20'000);
  client.say_binary("x");
  world.pass(9'999);
  expect_open(client);
  world.pass(1);
  expect_closed(client, Reason::kSioBinaryTimeout);
}

TEST_P(Deadlines, AttachmentsThatCome_EndTheDeadline) {
  World world(shards(), patient());
  Client& client = world.join();
  client.say(R"(451-["e",{"_placeholder":true,"num":0}])");
  client.say_binary("x");
  world.pass(100'000);
  expect_open(client);
}

TEST_P(Deadlines, PollingSessionThatIsOver_WaitsThirtySecondsForItsPoll) {
  World world(shards(), patient());
  for (const uint64_t late_ms : {29'999, 30'000}) {
    Poller poller(world, 1);
    EXPECT_EQ(poller.post("4nonsense"), "ok");
    world.pass(late_ms);
    EXPECT_EQ(world.sessions(), late_ms < 30'000 ? 1U : 0U);
    if (late_ms < 30'000) {
      EXPECT_EQ(poller.get(), "1");
    }
    expect_gone(poller);
    EXPECT_EQ(world.admitted(), 0);
  }
}

// Whatever else it waited for, too.
TEST_P(Deadlines, PollingSessionThatIsOverWithAttachmentsMissing_EndsAsWell) {
  World world(shards(), patient());
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40\x1e"
                        R"(451-["e",{"_placeholder":true,"num":0}])"),
            "ok");
  world.pass(1'000);
  EXPECT_EQ(poller.post("4nonsense"), "ok");
  world.pass(29'000);
  world.pass(31'000);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Deadlines, PollingSessionThatIsOver_TakesNothingMore) {
  World world(shards(), patient());
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("4nonsense"), "ok");
  EXPECT_THAT(poller.post("40"), AnyOf("ok", HasSubstr("Session ID unknown")));
  EXPECT_EQ(world.sockets(), 0U);
  world.pass(15'000);
  poller.post("3");
  world.pass(15'000);
  EXPECT_EQ(world.sessions(), 0U);
}

}  // namespace
}  // namespace kilat::socketio::testing
