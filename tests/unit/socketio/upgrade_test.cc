// From long-polling to a WebSocket: every order of what can happen.
#include <algorithm>

#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Upgrading : SocketIoTest {
  World world{shards()};
  Poller poller{world, 1};

  Upgrading() {
    EXPECT_EQ(poller.post("40\x1e"
                          R"(42["subscribe","c"])"),
              "ok");
    EXPECT_THAT(poller.get(), StartsWith("40{"));
  }
  Client& probe() {
    Client* client = world.open_upgrade(poller.sid(), 0);
    EXPECT_NE(client, nullptr);
    EXPECT_THAT(client->read(), IsEmpty());
    return *client;
  }
  void event(std::string_view data) { world.publish("c", "m", data); }
};
KILAT_SOCKETIO_TEST(Upgrading);

TEST_P(Upgrading, ByTheBook_MovesEverythingInOrder) {
  EXPECT_EQ(poller.get(), "<waiting>");
  Client& client = probe();
  client.say("2probe");
  EXPECT_THAT(client.read(), ElementsAre("3probe"));
  EXPECT_EQ(poller.waiting(), "6");
  event("1");
  client.say("5");
  event("2");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])", R"(42["m",2])"));
  client.say(R"(421["subscribe","d"])");
  EXPECT_THAT(client.read(), ElementsAre(R"(431[{"ok":true}])"));
  EXPECT_EQ(world.sessions(), 1U);
}

TEST_P(Upgrading, UntilTheEnd_EventsGoOverPolling) {
  Client& client = probe();
  client.say("2probe");
  client.read();
  event("1");
  EXPECT_EQ(poller.get(), R"(42["m",1])");
  EXPECT_EQ(poller.post(R"(421["subscribe","d"])"), "ok");
  EXPECT_EQ(poller.get(), R"(431[{"ok":true}])");
  EXPECT_THAT(client.read(), IsEmpty());
}

TEST_P(Upgrading, PollsWhileProbing_AreLetGoEveryTenthOfASecond) {
  Client& client = probe();
  EXPECT_EQ(poller.get(), "<waiting>");
  client.say("2probe");
  EXPECT_EQ(poller.waiting(), "6");
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(99);
  EXPECT_EQ(poller.waiting(), "<waiting>");
  world.pass(1);
  EXPECT_EQ(poller.waiting(), "6");
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(100);
  EXPECT_EQ(poller.waiting(), "6");
}

TEST_P(Upgrading, WithoutAProbe_IsTaken) {
  Client& client = probe();
  client.say("5");
  event("1");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Upgrading, PollThatStillWaits_GetsTheEnd) {
  Client& client = probe();
  client.say("2probe");
  EXPECT_EQ(poller.get(), "<waiting>");
  client.say("5");
  EXPECT_EQ(poller.waiting(), "1");
  event("1");
  EXPECT_THAT(client.read(), ElementsAre("3probe", R"(42["m",1])"));
}

TEST_P(Upgrading, RequestsAfterwards_AreBadRequests) {
  Client& client = probe();
  client.say("2probe");
  client.say("5");
  client.read();
  EXPECT_EQ(poller.get(), R"(<400 {"code":3,"message":"Bad request"}>)");
  EXPECT_EQ(poller.post(R"(42["subscribe","d"])"), R"(<400 {"code":3,"message":"Bad request"}>)");
  expect_open(client);
}

TEST_P(Upgrading, OtherFirstWords_CloseOnlyThatSocket) {
  for (const char* text : {"40", "2", "2probe2", "3probe", "6", "1", "", "4", "7", "50"}) {
    Client& client = probe();
    client.say(text);
    expect_closed(client, Reason::kEioPacketInvalid);
    EXPECT_EQ(poller.get(), "<waiting>") << text;
    event("1");
    EXPECT_EQ(poller.waiting(), R"(42["m",1])");
  }
  Client& client = probe();
  client.say_binary("2probe");
  expect_closed(client, Reason::kEioPacketInvalid);
}

TEST_P(Upgrading, NoEnd_ClosesTheSocketAfterItsTimeout) {
  Client& client = probe();
  client.say("2probe");
  client.read();
  world.pass(9'999);
  expect_open(client);
  world.pass(1);
  expect_closed(client, Reason::kEioUpgradeTimeout);
  EXPECT_EQ(poller.get(), "<waiting>");
  world.pass(1'000);
  EXPECT_EQ(poller.waiting(), "<waiting>");  // no more noops
}

TEST_P(Upgrading, SecondSocket_IsClosedAndTheFirstGoesOn) {
  Client& first = probe();
  first.say("2probe");
  first.read();
  expect_closed(*world.open_upgrade(poller.sid()), Reason::kEioUpgradeRefused);
  first.say("5");
  expect_closed(*world.open_upgrade(poller.sid()), Reason::kEioUpgradeRefused);
  event("1");
  EXPECT_THAT(first.read(), ElementsAre(R"(42["m",1])"));
}

TEST_P(Upgrading, SocketWithTheIdOfAWebSocketSession_IsRefused) {
  Client& owner = world.open(1);
  const std::string handshake = owner.read().at(0);
  const std::string sid = handshake.substr(9, 20);
  Client* thief = world.open_upgrade(sid);
  ASSERT_NE(thief, nullptr);
  expect_closed(*thief, Reason::kEioUpgradeRefused);
  expect_open(owner);
}

TEST_P(Upgrading, ProbeThatIsLost_MayBeTriedAgain) {
  probe().drop();
  Client& again = probe();
  again.say("2probe");
  EXPECT_THAT(again.read(), ElementsAre("3probe"));
  again.drop();
  EXPECT_EQ(poller.get(), "<waiting>");
  probe().say("5");
  EXPECT_EQ(poller.waiting(), "1");
}

TEST_P(Upgrading, CloseFrameOfTheProbe_LeavesTheSession) {
  Client& client = probe();
  client.say("2probe");
  client.feed(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", kMask));
  EXPECT_THAT(client.read(), ElementsAre("3probe", "<close 1000>"));
  expect_finished(client, Reason::kClientClosed);
  EXPECT_EQ(poller.get(), "<waiting>");
  event("1");
  EXPECT_EQ(poller.waiting(), R"(42["m",1])");
}

TEST_P(Upgrading, BrokenFrameOfTheProbe_LeavesTheSession) {
  Client& client = probe();
  client.feed(ws::encode_frame(ws::Opcode::kText, "2probe"));  // not masked
  EXPECT_THAT(client.read(), ElementsAre("<close 1002>"));
  EXPECT_EQ(poller.get(), "<waiting>");
}

TEST_P(Upgrading, SessionThatEnds_ClosesItsProbe) {
  for (const bool by_goodbye : {true, false}) {
    Poller other(world, 1);
    Client* client = world.open_upgrade(other.sid());
    ASSERT_NE(client, nullptr);
    client->say("2probe");
    EXPECT_EQ(other.post(by_goodbye ? "1" : "4x"), "ok");
    EXPECT_THAT(client->read(), ElementsAre("3probe", "<close 1005>"));
    expect_finished(*client, by_goodbye ? Reason::kClientClosed : Reason::kSioPacketInvalid);
  }
}

TEST_P(Upgrading, SessionThatIsOver_TakesNoProbe) {
  EXPECT_EQ(poller.post("4x"), "ok");
  Client* client = world.open_upgrade(poller.sid());
  if (client != nullptr) expect_closed(*client, Reason::kEioUpgradeRefused);
  EXPECT_EQ(poller.get(), "1");
  EXPECT_EQ(world.open_upgrade(poller.sid()), nullptr);
}

TEST_P(Upgrading, HalfABinaryPacket_IsFinishedOverTheNewTransport) {
  EXPECT_EQ(poller.post(R"(451-["x",{"_placeholder":true,"num":0}])"), "ok");
  Client& client = probe();
  client.say("5");
  client.say_binary("\x01");
  client.say(R"(421["subscribe","d"])");
  EXPECT_THAT(client.read(), ElementsAre(R"(431[{"ok":true}])"));
}

TEST_P(Upgrading, BinaryThatWasQueued_ComesAsBinary) {
  EXPECT_EQ(world.post("emit", R"({"event":"b","args":[{"$binary":"AQID"}],"rooms":["c"]})"), "{}");
  Client& client = probe();
  client.say("5");
  EXPECT_THAT(client.read(), ElementsAre(R"(451-["b",{"_placeholder":true,"num":0}])", "bAQID"));
}

TEST_P(Upgrading, ClientWithoutBinary_GetsTextBeforeAndAfter) {
  Poller plain(world, 1, "&b64=1");
  EXPECT_EQ(plain.post("40\x1e"
                       R"(42["subscribe","c"])"),
            "ok");
  EXPECT_THAT(plain.get(), StartsWith("40{"));
  const std::string emit = R"({"event":"b","args":[{"$binary":"AQID"}],"rooms":["c"]})";
  world.post("emit", emit);
  Client* client = world.open_upgrade(plain.sid());
  ASSERT_NE(client, nullptr);
  client->say("5");
  world.post("emit", emit);
  const std::string header = R"(451-["b",{"_placeholder":true,"num":0}])";
  ws::EventLog events;
  ws::Reader reader({.from_server = true});
  ws::feed(reader, client->take_bytes(), events);
  ASSERT_EQ(events.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(events[i].kind, ws::Event::Kind::kText);
    EXPECT_EQ(events[i].payload, i % 2 == 0 ? header : "bAQID");
  }
}

// Whatever comes in whatever order: the client hears every event once and in order, and
// nothing is left of the session.
TEST_P(Upgrading, EveryOrder_LosesNothing) {
  std::string order = "2G5EEc";
  std::ranges::sort(order);
  do {
    World other(shards());
    Poller client(other, 1);
    EXPECT_EQ(client.post("40\x1e"
                          R"(42["subscribe","c"])"),
              "ok");
    EXPECT_THAT(client.get(), StartsWith("40{"));
    Client* socket = other.open_upgrade(client.sid());
    ASSERT_NE(socket, nullptr);
    std::string heard;
    int sent = 0;
    const auto hear = [&](std::string_view text) {
      for (size_t at = text.find(R"(42["m",)"); at != std::string_view::npos; at = text.find(R"(42["m",)", at + 1)) {
        heard += text[at + 7];
      }
    };
    bool polls = false;
    bool closed = false;
    const bool sins = order.find('5') < order.find('2') && order.find('2') < order.find('c');
    for (const char step : order) {
      switch (step) {
        case '2': socket->say("2probe"); break;  // a sin once it is the transport
        case '5': socket->say("5"); break;
        case 'G':
          hear(client.get());
          polls = true;
          break;
        case 'E':
          if (!closed) other.publish("c", "m", std::to_string(sent++));
          break;
        default: {
          // The client goes.
          if (polls) hear(client.waiting());
          for (const std::string& text : socket->read()) hear(text);
          if (!socket->finished() && socket->link().session() != nullptr && !socket->link().session()->polls()) {
            socket->say("1");
          } else {
            hear(client.get());
            client.post("1");
          }
          closed = true;
        }
      }
      if (polls) hear(client.waiting());
      for (const std::string& text : socket->read()) hear(text);
    }
    const std::string all = std::string("01").substr(0, static_cast<size_t>(sent));
    if (sins) {
      EXPECT_THAT(all, StartsWith(heard)) << order;
      EXPECT_EQ(socket->finished(), Reason::kEioPacketInvalid) << order;
    } else {
      EXPECT_EQ(heard, all) << order;
    }
    EXPECT_EQ(other.sessions(), 0U) << order;
    EXPECT_EQ(other.sockets(), 0U) << order;
    EXPECT_EQ(other.admitted(), 0) << order;
    ASSERT_TRUE(socket->finished()) << order;
  } while (std::ranges::next_permutation(order).found);
}

}  // namespace
}  // namespace kilat::socketio::testing
