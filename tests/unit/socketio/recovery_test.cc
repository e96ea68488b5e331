// Clients that come back: with what they missed, once, and only while it is all there. Where there are two shards the
// client comes back to the other one, so that its session has to move.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Recovered : SocketIoTest {
  static World::Setup setup(uint32_t bytes_max = 256 * 1024) {
    World::Setup setup;
    setup.options.recovery_ms = 3'000;
    setup.options.recovery_bytes_max = bytes_max;
    return setup;
  }

  World world{shards(), setup()};
  std::string id;
  std::string pid;
  std::string offset;

  /// A client on shard 0 that reads the room "c".
  Client& first(std::string_view nsp = "/") {
    Client& client = world.open(0);
    const std::string answer = client.connect(nsp).at(0);
    id = member(answer, "sid");
    pid = member(answer, "pid");
    EXPECT_EQ(pid.size(), 20U);
    client.subscribe("c", nsp);
    return client;
  }
  /// Takes the event that is there, and keeps its offset.
  void hear(Client& client) {
    const Log log = client.read();
    ASSERT_EQ(log.size(), 1U);
    const size_t end = log[0].rfind("\"]");
    offset = log[0].substr(log[0].rfind('"', end - 1) + 1, end - log[0].rfind('"', end - 1) - 1);
  }
  std::string payload() const {
    return R"({"pid":")" + pid + "\"" + (offset.empty() ? "" : R"(,"offset":")" + offset + "\"") + "}";
  }
  std::string connected() const { return R"(40{"sid":")" + id + R"(","pid":")" + pid + "\"}"; }
  Client& back(uint32_t at = 1) {
    Client& client = world.open(at);
    client.read();
    client.say("40" + payload());
    return client;
  }
  static void expect_new(const Log& log, std::string_view old_pid) {
    ASSERT_EQ(log.size(), 1U);
    EXPECT_THAT(log[0], StartsWith("40{\"sid\":"));
    EXPECT_NE(member(log[0], "pid"), old_pid);
    EXPECT_EQ(member(log[0], "pid").size(), 20U);
  }
};
KILAT_SOCKETIO_TEST(Recovered);

TEST_P(Recovered, Events_HaveTheirOffsetAsLastArgument) {
  Client& client = first();
  world.publish("c", "m", "1");
  EXPECT_THAT(client.read(), ElementsAre(MatchesRegex(R"(42\["m",1,"[a-z0-9]+"\])")));
  world.post("emit", R"({"event":"e","rooms":["c"]})");
  EXPECT_THAT(client.read(), ElementsAre(MatchesRegex(R"(42\["e","[a-z0-9]+"\])")));
  world.post("emit", R"({"event":"e","rooms":["c"],"args":[{"$binary":"AQID"}]})");
  EXPECT_THAT(client.read(),
              ElementsAre(MatchesRegex(R"(451-\["e",\{"_placeholder":true,"num":0\},"[a-z0-9]+"\])"), "bAQID"));
}

TEST_P(Recovered, AnswersAndAskedEvents_HaveNone) {
  Client& client = first();
  EXPECT_THAT(client.subscribe("d"), ElementsAre(R"(432[{"ok":true}])"));
  world.post("emit", R"({"event":"e","args":[1],"ack_timeout_ms":10})");
  EXPECT_THAT(client.read(), ElementsAre(MatchesRegex(R"(42[0-9]+\["e",1\])")));
}

TEST_P(Recovered, MissedEvents_ComeBeforeTheAnswer) {
  Client& client = first();
  world.publish("c", "m", "1");
  hear(client);
  client.drop();
  world.publish("c", "m", "2");
  world.publish("other", "m", "x");
  world.post("emit", R"({"event":"e","args":[{"$binary":"AQID"}],"sockets":[")" + id + "\"]}");
  world.pass(2'999);
  Client& again = back();
  EXPECT_THAT(again.read(), ElementsAre(StartsWith(R"(42["m",2,")"), StartsWith(R"(451-["e",{"_placeholder")"), "bAQID",
                                        connected()));
  world.publish("c", "m", "3");
  EXPECT_THAT(again.read(), ElementsAre(StartsWith(R"(42["m",3,")")));
  EXPECT_EQ(world.sessions(), 1U);
  EXPECT_EQ(world.sockets(), 1U);
  EXPECT_EQ(world.admitted(), 1);
}

TEST_P(Recovered, ClientThatHasSeenNothing_GetsEverything) {
  Client& client = first();
  client.drop();
  world.publish("c", "m", "1");
  world.publish("c", "m", "2");
  EXPECT_THAT(back().read(), ElementsAre(StartsWith(R"(42["m",1,")"), StartsWith(R"(42["m",2,")"), connected()));
}

TEST_P(Recovered, WhatWasSentButNotSeen_ComesAgain) {
  Client& client = first();
  world.publish("c", "m", "1");
  hear(client);
  world.publish("c", "m", "2");  // on its way when the connection broke
  client.drop();
  EXPECT_THAT(back().read(), ElementsAre(StartsWith(R"(42["m",2,")"), connected()));
}

TEST_P(Recovered, OwnEvents_AreNotMissed) {
  Client& client = first();
  client.subscribe_signed("private-c");
  client.publish("private-c", "client-x", "1");
  client.drop();
  EXPECT_THAT(back().read(), ElementsAre(connected()));
}

TEST_P(Recovered, TooLate_IsAnewBeginning) {
  first().drop();
  world.pass(3'000);
  EXPECT_EQ(world.sockets(), 0U);
  Client& again = back();
  expect_new(again.read(), pid);
  world.publish("c", "m", "1");
  EXPECT_THAT(again.read(), IsEmpty());
}

TEST_P(Recovered, PayloadsOfSomebodyElse_AreANewBeginning) {
  Client& client = first();
  world.publish("c", "m", "1");
  hear(client);
  client.drop();
  for (const std::string& text :
       {R"({"pid":")" + pid + R"(","offset":"zzzzzz"})", R"({"pid":")" + pid + R"(","offset":"-1"})",
        R"({"pid":")" + pid + R"(","offset":7})", R"({"pid":")" + pid + R"(","offset":""})",
        R"({"pid":")" + pid + R"(","offset":"99999999999999999999999999"})", R"({"pid":")" + pid.substr(1) + R"("})",
        std::string(R"({"pid":7})"), R"({"pid":")" + std::string(20, 'A') + R"("})"}) {
    Client& other = world.open(1);
    other.read();
    other.say("40" + text);
    expect_new(other.read(), pid);
  }
  EXPECT_THAT(back().read(), ElementsAre(connected()));  // nobody has used it up
}

TEST_P(Recovered, SamePidTwice_IsGivenOnce) {
  first().drop();
  EXPECT_THAT(back(0).read(), ElementsAre(connected()));
  Client& client = world.open(1);
  client.drop();
  EXPECT_EQ(world.sockets(), 1U);
}

TEST_P(Recovered, ConnectionThatIsStillThere_IsTakenOver) {
  Client& old = first();
  world.publish("c", "m", "1");
  hear(old);
  world.publish("c", "m", "2");
  old.read();
  Client& again = back();
  EXPECT_THAT(again.read(), ElementsAre(StartsWith(R"(42["m",2,")"), connected()));
  expect_closed(old, Reason::kSioTakenOver);
  world.publish("c", "m", "3");
  EXPECT_THAT(again.read(), ElementsAre(StartsWith(R"(42["m",3,")")));
  EXPECT_EQ(world.sockets(), 1U);
  EXPECT_EQ(world.sessions(), 1U);
}

TEST_P(Recovered, TakenOverInOneNamespace_TheOldSessionKeepsTheOther) {
  Client& old = first();
  old.connect("/custom");
  old.subscribe("d", "/custom");
  EXPECT_THAT(back().read(), ElementsAre(connected()));
  EXPECT_FALSE(old.finished());
  world.publish("custom:d", "m", "1");
  EXPECT_THAT(old.read(), ElementsAre(StartsWith(R"(42/custom,["m",1,")")));
}

TEST_P(Recovered, PidOfAnotherNamespace_IsANewBeginning) {
  first().drop();
  Client& other = world.open(0);
  other.read();
  other.say("40/custom," + payload());
  const Log log = other.read();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_NE(member(log[0], "pid"), pid);
  EXPECT_THAT(back().read(), ElementsAre(connected()));
}

TEST_P(Recovered, AfterAGoodbye_NothingIsKept) {
  Client& client = first();
  client.say("41");
  EXPECT_EQ(world.sockets(), 0U);
  client.say("1");
  expect_new(back().read(), pid);
}

// A page that is left closes its WebSocket, too; who means it says so on the level of Socket.IO.
TEST_P(Recovered, AfterACloseOfTheTransport_TheClientMayComeBack) {
  for (const bool of_engine_io : {true, false}) {
    offset.clear();
    Client& client = first();
    if (of_engine_io) {
      client.say("1");
    } else {
      client.feed(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe9", kMask));
    }
    ASSERT_TRUE(client.finished());
    world.pump();
    EXPECT_THAT(back().read(), ElementsAre(connected()));
  }
}

TEST_P(Recovered, AfterTheBackendDisconnected_NothingIsKept) {
  for (const bool close : {false, true}) {
    offset.clear();
    first();
    world.post("disconnect", R"({"sockets":[")" + id + R"("],"close":)" + (close ? "true}" : "false}"));
    expect_new(back().read(), pid);
    world.post("disconnect", R"({"close":true})");
  }
}

TEST_P(Recovered, DisconnectWhileAway_EndsTheKeptSocket) {
  first().drop();
  EXPECT_EQ(world.post("disconnect", R"({"rooms":["c"]})"), R"({"sockets":1})");
  EXPECT_EQ(world.sockets(), 0U);
  expect_new(back().read(), pid);
}

TEST_P(Recovered, AfterASinOfTheClient_ItMayComeBack) {
  Client& client = first();
  client.say("4x");
  world.publish("c", "m", "1");
  EXPECT_THAT(back().read(), ElementsAre(StartsWith(R"(42["m",1,")"), connected()));
}

TEST_P(Recovered, MoreThanIsKept_IsANewBeginning) {
  World small(shards(), setup(1'000));
  Client& client = small.open(0);
  const std::string answer = client.connect().at(0);
  id = member(answer, "sid");
  pid = member(answer, "pid");
  client.subscribe("c");
  const std::string data = "\"" + std::string(300, 'x') + "\"";
  small.publish("c", "m", data);
  hear(client);
  client.drop();
  for (int i = 0; i < 2; ++i) small.publish("c", "m", data);
  Client& again = small.open(1);
  again.read();
  again.say("40" + payload());
  EXPECT_EQ(again.read().size(), 3U);
  again.drop();
  for (int i = 0; i < 3; ++i) small.publish("c", "m", data);
  Client& late = small.open(1);
  late.read();
  late.say("40" + payload());
  expect_new(late.read(), pid);
  EXPECT_EQ(small.sockets(), 1U);
}

TEST_P(Recovered, Volatile_HasAnOffsetButIsNotKept) {
  Client& client = first();
  world.post("emit", R"({"event":"e","args":["text"],"volatile":true})");
  hear(client);
  client.drop();
  world.post("emit", R"({"event":"e","volatile":true})");
  world.publish("c", "m", "1");
  EXPECT_THAT(back().read(), ElementsAre(StartsWith(R"(42["m",1,")"), connected()));
}

TEST_P(Recovered, UserAndPresence_AreStillThere) {
  Client& watcher = world.open(1);
  watcher.connect();
  watcher.subscribe_presence("presence-c", R"({"user_id":"w"})");
  Client& client = first();
  client.sign_in(R"({"id":"u"})");
  client.subscribe_presence("presence-c", R"({"user_id":"u"})");
  watcher.read();
  client.drop();
  world.pass(1'000);
  EXPECT_THAT(watcher.read(), IsEmpty());
  EXPECT_THAT(back().read(), ElementsAre(connected()));
  world.kick("u");
  EXPECT_EQ(world.sockets(), 1U);
  world.pass(10'000);
  EXPECT_THAT(watcher.read(), ElementsAre(HasSubstr("member_removed")));
}

TEST_P(Recovered, Listing_LeavesOutThoseWhoAreAway) {
  first().drop();
  EXPECT_EQ(world.call(1, "GET", "sockets"), R"({"sockets":[]})");
  EXPECT_EQ(world.call(1, "GET", "count"), R"({"connected":0})");
  EXPECT_EQ(world.post("emit", R"({"event":"e","ack_timeout_ms":100})"), R"({"acks":[],"asked":0,"answered":0})");
}

// --- by polling

TEST_P(Recovered, PollingClient_ComesBackWithTheRestOfItsPackets) {
  Client& client = first();
  world.publish("c", "m", "1");
  hear(client);
  client.drop();
  world.publish("c", "m", "2");
  Poller poller(world, 1);
  EXPECT_EQ(poller.get(), "<waiting>");
  EXPECT_EQ(poller.post("40" + payload() +
                        "\x1e"
                        R"(427["subscribe","d"])"),
            "ok");
  std::string all = poller.waiting();
  while (all.find("437[") == std::string::npos) {
    const std::string more = poller.get();
    ASSERT_NE(more, "<waiting>") << all;
    all += "\x1e" + more;
  }
  EXPECT_THAT(all, AllOf(StartsWith(R"(42["m",2,")"), HasSubstr("\x1e" + connected() +
                                                                "\x1e"
                                                                R"(437[{"ok":true}])")));
  world.publish("d", "m", "3");
  EXPECT_THAT(poller.get(), StartsWith(R"(42["m",3,")"));
  EXPECT_EQ(world.sessions(), 1U);
  EXPECT_EQ(poller.post("1"), "ok");
  world.pass(2'000);
  expect_gone(poller);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Recovered, PollingClientInTheMiddleOfItsUpgrade_GoesOn) {
  first().drop();
  world.publish("c", "m", "1");
  Poller poller(world, 1);
  Client* socket = world.open_upgrade(poller.sid());
  ASSERT_NE(socket, nullptr);
  socket->say("2probe");
  EXPECT_THAT(socket->read(), ElementsAre("3probe"));
  EXPECT_EQ(poller.post("40" + payload()), "ok");
  socket->say("5");
  EXPECT_THAT(socket->read(), ElementsAre(StartsWith(R"(42["m",1,")"), connected()));
  EXPECT_EQ(world.sessions(), 1U);
}

TEST_P(Recovered, UpgradeAfterTheMove_FindsTheSession) {
  first().drop();
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40" + payload()), "ok");
  Client* socket = world.open_upgrade(poller.sid(), 1);
  ASSERT_NE(socket, nullptr);
  socket->say("2probe");
  socket->say("5");
  EXPECT_THAT(socket->read(), ElementsAre("3probe", connected()));
  world.publish("c", "m", "1");
  EXPECT_THAT(socket->read(), ElementsAre(StartsWith(R"(42["m",1,")")));
}

TEST_P(Recovered, PollThatIsLostAfterTheMove_EndsTheSession) {
  first().drop();
  Poller poller(world, 1);
  EXPECT_EQ(poller.post("40" + payload()), "ok");
  EXPECT_EQ(poller.get(), connected());
  EXPECT_EQ(poller.get(), "<waiting>");
  world.lose(poller.poll());
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_THAT(back().read(), ElementsAre(connected()));  // kept again
}

// --- moving

TEST_P(Recovered, WhatTheClientSaysWhileItMoves_IsHandledThere) {
  first().drop();
  Client& client = world.open(1);
  client.read();
  std::string bytes = ws::encode_masked_frame(ws::Opcode::kText, "40" + payload(), kMask);
  bytes += ws::encode_masked_frame(ws::Opcode::kText, R"(421["subscribe","d"])", kMask);
  const std::string half = ws::encode_masked_frame(ws::Opcode::kText, R"(422["subscribe","e"])", kMask);
  client.feed(bytes + half.substr(0, 7));
  client.feed(half.substr(7));
  world.pump();
  const Log log = client.read();
  EXPECT_THAT(log, UnorderedElementsAre(connected(), R"(431[{"ok":true}])", R"(432[{"ok":true}])"));
  EXPECT_EQ(log.at(0), connected());
}

TEST_P(Recovered, ConnectionThatCannotMove_IsANewBeginningWhereItIsNot) {
  first().drop();
  Client& client = world.open(1);
  client.read();
  client.pin();
  client.say("40" + payload());
  if (shards() == 1) {
    EXPECT_THAT(client.read(), ElementsAre(connected()));
  } else {
    expect_new(client.read(), pid);
  }
  EXPECT_THAT(client.subscribe("c"), ElementsAre(HasSubstr("\"ok\":true")));
}

TEST_P(Recovered, SessionWithAnotherNamespace_DoesNotMove) {
  first().drop();
  Client& client = world.open(1);
  client.connect("/custom");
  client.say("40" + payload());
  const Log log = client.read();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_THAT(log[0], StartsWith("40{\"sid\":"));
  EXPECT_THAT(client.subscribe("c", "/custom"), ElementsAre(HasSubstr("\"ok\":true")));
}

TEST_P(Recovered, Heartbeat_GoesOnAfterTheMove) {
  first().drop();
  Client& client = world.open(1);
  client.read();
  world.pass(2'000);
  client.say("40" + payload());
  EXPECT_THAT(client.read(), ElementsAre(connected()));
  world.pass(23'000);
  EXPECT_THAT(client.read(), ElementsAre("2"));
  world.pass(20'000);
  expect_closed(client, Reason::kEioPingTimeout);
}

TEST_P(Recovered, MovedSessions_AreCountedOnce) {
  first().drop();
  Client& client = back();
  EXPECT_THAT(client.read(), ElementsAre(connected()));
  int64_t open = 0;
  for (uint32_t i = 0; i < shards(); ++i) {
    const Tally& tally = world.shard(i).sio.tally;
    open += static_cast<int64_t>(tally.sessions_opened) - static_cast<int64_t>(tally.sessions_closed);
  }
  EXPECT_EQ(open, 1);
}

TEST(RecoveredOnThreeShards, SessionThatHasMoved_GetsANewSocketForAPidOfAThirdShard) {
  World::Setup setup = Recovered::setup();
  World world(3, setup);
  std::string pids[2];
  for (uint32_t at = 0; at < 2; ++at) {
    Client& client = world.open(at);
    pids[at] = member(client.connect().at(0), "pid");
    client.drop();
  }
  Poller poller(world, 2);
  EXPECT_EQ(poller.post(R"(40{"pid":")" + pids[0] + "\"}"), "ok");
  EXPECT_THAT(poller.get(), HasSubstr(pids[0]));
  EXPECT_EQ(poller.post("41"), "ok");
  EXPECT_EQ(poller.post(R"(40{"pid":")" + pids[1] + "\"}"), "ok");
  EXPECT_THAT(poller.get(), AllOf(HasSubstr(R"(40{"sid":")"), Not(HasSubstr(pids[1]))));
}

}  // namespace
}  // namespace kilat::socketio::testing
