// What the packets of a session do, over a WebSocket: the cases of the reference server, and that it never matters how
// the network cuts them.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Packets : SocketIoTest {
  World world{shards()};
};
KILAT_SOCKETIO_TEST(Packets);

TEST_P(Packets, Connect_IsAnsweredWithTheIdOfTheSocket) {
  for (const char* packet : {"40", "40{}", "40{\"token\":\"x\"}", "40/,"}) {
    Client& client = world.open(1);
    client.read();
    client.say(packet);
    EXPECT_THAT(client.read(), ElementsAre(R"(40{"sid":")" + client.id() + "\"}")) << packet;
    EXPECT_EQ(client.id().size(), 20U);
  }
}

TEST_P(Packets, Namespaces_HaveIdsOfTheirOwn) {
  Client& client = world.join(1);
  const Log connected = client.connect("/custom");
  EXPECT_THAT(connected, ElementsAre(R"(40/custom,{"sid":")" + client.id("/custom") + "\"}"));
  EXPECT_NE(client.id(), client.id("/custom"));
  EXPECT_THAT(client.subscribe("c", "/custom"), ElementsAre(R"(43/custom,1[{"ok":true}])"));
  client.say("41/custom,");
  EXPECT_THAT(client.subscribe("c"), ElementsAre(R"(432[{"ok":true}])"));
}

TEST_P(Packets, UnknownNamespace_IsRefusedAndTheSessionStays) {
  Client& client = world.open();
  client.read();
  for (const char* packet : {"40/nope", "40/nope,", "40/nope,{\"a\":1}"}) {
    client.say(packet);
    EXPECT_THAT(client.read(), ElementsAre(R"(44/nope,{"message":"Invalid namespace"})"));
  }
  client.say("40/custom?x=1,");
  EXPECT_THAT(client.read(), ElementsAre(R"(44/custom?x=1,{"message":"Invalid namespace"})"));
  EXPECT_THAT(client.connect("/custom"), ElementsAre(HasSubstr("\"sid\"")));
}

TEST_P(Packets, TooManyNamespaces_AreRefused) {
  World::Setup setup;
  setup.options.namespaces_max = 2;
  World other(shards(), setup);
  Client& client = other.join();
  client.connect("/custom");
  EXPECT_THAT(client.connect("/plain"), ElementsAre(R"(44/plain,{"message":"Too many namespaces"})"));
  client.say("41/custom,");
  EXPECT_THAT(client.connect("/plain"), ElementsAre(HasSubstr("\"sid\"")));
}

TEST_P(Packets, AfterDisconnect_TheSameNamespaceGivesANewId) {
  Client& client = world.join(1);
  const std::string before = client.id();
  client.say("41");
  expect_open(client);
  EXPECT_EQ(world.sockets(), 0U);
  client.connect();
  EXPECT_NE(client.id(), before);
}

TEST_P(Packets, ThatAreTaken_LeaveTheSessionOpen) {
  for (const char* packet : {"0", "3", "5", "6", "3probe", "42", "421", "42[1,2]", R"(42["connection"])",
                             R"(42["error"])", R"(42["new_namespace"])", R"(42[""])", R"(421["unknown",1])", "43999[1]",
                             "43[1]", "4312", R"(42/,["e"])", R"(42["e"] )"}) {
    Client& client = world.join();
    client.say(packet);
    EXPECT_THAT(client.read(), IsEmpty()) << packet;
    EXPECT_FALSE(client.finished()) << packet;
  }
}

TEST_P(Packets, OfEngineIoThatAreNone_CloseTheSession) {
  for (const char* packet : {"", "2", "2probe", "7", "abc", "4\x1e", "bA", "b*", "{}", "\xc3\xa9"}) {
    Client& client = world.join();
    client.say(packet);
    EXPECT_THAT(client.read(), ElementsAre("<close 1005>")) << packet;
    EXPECT_TRUE(client.finished() == Reason::kEioPacketInvalid || client.finished() == Reason::kSioPacketInvalid);
    EXPECT_EQ(world.sessions(), 0U);
  }
}

TEST_P(Packets, OfSocketIoThatAreNone_CloseTheSession) {
  for (const char* packet : {"4",
                             "4x",
                             "47[\"x\"]",
                             "40[]",
                             "40null",
                             "40\"s\"",
                             "40{bad",
                             "40custom",
                             "40/a,b",
                             "40",
                             "401{}",
                             "41{}",
                             R"(44{"message":"x"})",
                             "42[]",
                             "42[null]",
                             "42[true]",
                             "42[{}]",
                             R"(42{"a":1})",
                             R"(42"x")",
                             R"(42["echo")",
                             R"(42["echo",1]x)",
                             R"(42["connect"])",
                             R"(42["connect_error"])",
                             R"(42["disconnect"])",
                             R"(42["disconnecting"])",
                             R"(42["newListener"])",
                             R"(42["removeListener"])",
                             R"(42["conn\u0065ct"])",
                             "4312{}",
                             R"(42-1["e"])",
                             R"(421.5["e"])",
                             R"(42abc["e"])",
                             R"(42 ["e"])",
                             "45",
                             "45-[\"e\"]",
                             "450-[\"e\"]",
                             "45[\"e\"]",
                             "45-1-[\"e\"]",
                             "bAQID",
                             "b",
                             "42[\"\x01\"]"}) {
    Client& client = world.join(1);
    client.say(packet);
    EXPECT_THAT(client.read(), ElementsAre("<close 1005>")) << packet;
    EXPECT_EQ(client.finished(), Reason::kSioPacketInvalid) << packet;
  }
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.sockets(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Packets, BeforeConnectOrAfterDisconnect_CloseTheSession) {
  for (const char* packet : {R"(42["echo",1])", "430[]", "41", R"(42/custom,["e"])", R"(42/zzz,["e"])"}) {
    for (const bool was_there : {true, false}) {
      Client& client = world.open(1);
      if (was_there) {
        client.say("40");
        client.say("41");
      }
      client.read();
      client.say(packet);
      expect_closed(client, Reason::kSioNotConnected);
    }
  }
  Client& refused = world.join();
  refused.say(R"(42/custom,["e"])");
  expect_closed(refused, Reason::kSioNotConnected);
}

TEST_P(Packets, CloseOfEngineIo_EndsEverything) {
  Client& client = world.join(1);
  client.connect("/custom");
  client.say("1");
  expect_closed(client, Reason::kClientClosed);
  EXPECT_EQ(world.sockets(), 0U);
}

// --- binary

TEST_P(Packets, BinaryEvent_WaitsForItsAttachments) {
  const std::string head = R"(452-["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}])";
  Client& client = world.join();
  client.say(head);
  client.say_binary("a");
  client.say("3");  // Engine.IO's own packets may come between
  client.say_binary("");
  client.say(R"(421["subscribe","c"])");
  EXPECT_THAT(client.read(), ElementsAre(R"(431[{"ok":true}])"));
  EXPECT_EQ(client.shard().sio.tally.unhandled, 1U);
}

TEST_P(Packets, AttachmentsAsBase64_AreTaken) {
  Client& client = world.join();
  client.say(R"(451-["x",{"_placeholder":true,"num":0}])");
  client.say("bAQID");
  expect_open(client);
  EXPECT_EQ(client.shard().sio.tally.unhandled, 1U);
}

TEST_P(Packets, TextWhileAttachmentsAreMissing_ClosesTheSession) {
  for (const char* packet : {R"(42["x"])", R"(451-["x",{"_placeholder":true,"num":0}])", "41", "40/custom,"}) {
    Client& client = world.join();
    client.say(R"(451-["x",{"_placeholder":true,"num":0}])");
    client.say(packet);
    expect_closed(client, Reason::kSioPacketInvalid);
  }
}

TEST_P(Packets, PlaceholdersOutOfRange_CloseTheSession) {
  for (const char* number : {"5", "-1", "\"0\"", "1", "null"}) {
    Client& client = world.join();
    client.say(R"(451-["x",{"_placeholder":true,"num":)" + std::string(number) + "}]");
    expect_open(client);
    client.say_binary("a");
    expect_closed(client, Reason::kSioPacketInvalid);
  }
}

TEST_P(Packets, BinaryForNobody_ClosesAfterTheLastAttachment) {
  Client& client = world.join();
  client.say(R"(451-/zzz,["e",{"_placeholder":true,"num":0}])");
  expect_open(client);
  client.say_binary("a");
  expect_closed(client, Reason::kSioNotConnected);
  Client& object = world.join();
  object.say("451-{}");
  object.say_binary("a");
  expect_closed(object, Reason::kSioPacketInvalid);
  Client& empty = world.join();
  empty.say("451-");
  empty.say_binary("a");
  expect_open(empty);
}

TEST_P(Packets, MoreAttachmentsThanAllowed_CloseTheSession) {
  Client& client = world.join();
  client.say(R"(4510-["x"])");
  for (int i = 0; i < 10; ++i) client.say_binary("a");
  expect_open(client);
  client.say(R"(4511-["x"])");
  expect_closed(client, Reason::kSioTooManyAttachments);
}

TEST_P(Packets, AttachmentsTooLargeTogether_CloseTheSession) {
  World::Setup setup;
  setup.options.binary_bytes_max = 1'000;
  World other(shards(), setup);
  Client& client = other.join();
  client.say(R"(453-["x"])");
  client.say_binary(std::string(500, 'x'));
  expect_open(client);
  client.say_binary(std::string(500, 'x'));
  expect_closed(client, Reason::kSioBinaryTooBig);
}

// --- the WebSocket below

TEST_P(Packets, SinsOfTheWebSocket_HaveTheirCode) {
  const auto closed_with = [&](std::string_view bytes) {
    Client& client = world.join();
    client.feed(bytes);
    const Log log = client.read();
    EXPECT_TRUE(client.finished());
    return log.empty() ? std::string() : log.back();
  };
  EXPECT_EQ(closed_with(ws::encode_frame(ws::Opcode::kText, "3")), "<close 1002>");
  EXPECT_EQ(closed_with(ws::encode_masked_frame(ws::Opcode::kText, "4\xff", kMask)), "<close 1007>");
  EXPECT_EQ(closed_with(ws::encode_masked_frame(static_cast<ws::Opcode>(3), "x", kMask)), "<close 1002>");
  EXPECT_EQ(closed_with(std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff....", 14)), "<close 1009>");
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(Packets, MessageSize_IsBoundedInclusively) {
  World::Setup setup;
  setup.options.message_bytes_max = 2'000;
  World other(shards(), setup);
  Client& client = other.join();
  client.say("6" + std::string(1'999, 'x'));
  expect_open(client);
  client.say("6" + std::string(2'000, 'x'));
  EXPECT_THAT(client.read(), ElementsAre("<close 1009>"));
}

TEST_P(Packets, CloseFrame_IsAnsweredAndEndsTheSession) {
  Client& client = world.join(1);
  client.feed(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe9", kMask));
  EXPECT_THAT(client.read(), ElementsAre("<close 1001>"));
  expect_finished(client, Reason::kClientClosed);
  world.pump();
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(Packets, LostConnection_EndsTheSession) {
  Client& client = world.join(1);
  client.subscribe("c");
  client.drop();
  world.pass(5'000);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.sockets(), 0U);
  EXPECT_EQ(world.admitted(), 0);
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Packets, TooManyMessages_CloseTheSession) {
  World::Setup setup;
  setup.app.client_messages_per_second = 10;
  setup.app.subscriptions_max = 0;
  World other(shards(), setup);
  Client& client = other.join();
  for (int i = 0; i < 50 && !client.finished(); ++i) client.say("6");
  expect_closed(client, Reason::kClientMessagesLimited);
}

TEST_P(Packets, DisabledApp_EndsItsSessions) {
  Client& root = world.join(1);
  root.connect("/shop");
  world.shard(1).sio.close_app(1);
  EXPECT_THAT(root.read(), ElementsAre("41/shop,"));
  EXPECT_THAT(root.subscribe("c"), ElementsAre(R"(431[{"ok":true}])"));
  world.shard(1).sio.close_app(0);
  EXPECT_THAT(root.read(), ElementsAre("41", "<close 1005>"));
}

TEST_P(Packets, DeflatedConversation_ReadsTheSame) {
  World::Setup setup;
  setup.options.compression = true;
  World other(shards(), setup);
  Client& plain = other.join(1);
  Client& deflated = other.join(1, "/", {.deflate = true});
  const std::string data = "\"" + std::string(3'000, 'x') + "\"";
  for (Client* client : {&plain, &deflated}) client->subscribe("c");
  other.publish("c", "m", data);
  const std::string bytes = deflated.take_bytes();
  EXPECT_LT(bytes.size(), 300U);
  EXPECT_TRUE(plain.read() == Log{R"(42["m",)" + data + "]"});
  other.publish("c", "m", data);
  EXPECT_TRUE(deflated.read() == Log{R"(42["m",)" + data + "]"});
}

TEST_P(Packets, DeflatedToAClientWithoutBinary_StaysReadable) {
  World::Setup setup;
  setup.options.compression = true;
  World other(shards(), setup);
  Client& client = other.open(1, "&b64=1", {.deflate = true});
  client.connect();
  client.subscribe("c");
  const std::string data = "\"" + std::string(300, 'x') + "\"";
  other.post("emit", R"({"event":"m","args":[)" + data + R"(,{"$binary":"AQID"}],"rooms":["c"]})");
  EXPECT_THAT(client.read(), ElementsAre(R"(451-["m",)" + data + R"(,{"_placeholder":true,"num":0}])", "bAQID"));
}

// --- splits

std::string text(std::string_view packet) {
  return ws::encode_masked_frame(ws::Opcode::kText, packet, kMask);
}

std::string conversation() {
  std::string bytes = text("40") + text(R"(421["subscribe","c"])") + text("40/custom,{\"a\":1}");
  bytes += ws::encode_masked_frame(ws::Opcode::kText, R"(42/custom,7["subscr)", kMask, false, false);
  bytes += ws::encode_masked_frame(ws::Opcode::kPing, "in between", ~kMask);
  bytes += ws::encode_masked_frame(ws::Opcode::kContinuation, R"(ibe","d"])", 1, false, true);
  bytes += text(R"(451-["x",{"_placeholder":true,"num":0}])");
  bytes += ws::encode_masked_frame(ws::Opcode::kBinary, std::string("\0\x1e\xff", 3), kMask);
  bytes += text("3") + text(R"(422["unsubscribe","c"])") + text(R"(423["publish",{"channel":"c","event":"client-x"}])");
  bytes += text("40/nope,") + text("41/custom,") + text(R"(424["signin",{}])") + text("1") + "behind the end";
  return bytes;
}

Log run(hub::ShardIndex shards, std::string_view bytes, size_t first, size_t step) {
  World world(shards);
  Client& client = world.open(1);
  client.read();
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = at == 0 ? first : step;
    client.feed(bytes.substr(at, size));
    at += std::min(size, bytes.size() - at);
  }
  world.pump();
  EXPECT_EQ(client.finished(), Reason::kClientClosed);
  Log log = client.read();
  // Ids are random.
  for (std::string& line : log) {
    if (const size_t at = line.find(R"("sid":")"); at != std::string::npos) line.replace(at + 7, 20, "ID");
  }
  return log;
}

TEST_P(Packets, Conversation_ReadsTheSameHoweverItIsCut) {
  const std::string bytes = conversation();
  const Log whole = run(shards(), bytes, bytes.size(), bytes.size());
  ASSERT_GT(whole.size(), 6U);
  EXPECT_EQ(whole.back(), "<close 1005>");
  EXPECT_EQ(run(shards(), bytes, 1, 1), whole);
  for (size_t at = 1; at < bytes.size(); ++at) {
    ASSERT_EQ(run(shards(), bytes, at, bytes.size()), whole) << "cut at " << at;
  }
}

TEST_P(Packets, OneShard_AnswersTheWholeConversation) {
  EXPECT_THAT(run(1, conversation(), 3, 7),
              ElementsAre(R"(40{"sid":"ID"})", R"(431[{"ok":true}])", R"(40/custom,{"sid":"ID"})", "<pong in between>",
                          R"(43/custom,7[{"ok":true}])", R"(432[{"ok":true}])",
                          "433[" + refusal(Reason::kClientEventChannelRefused) + "]",
                          R"(44/nope,{"message":"Invalid namespace"})",
                          "434[" + refusal(Reason::kSioArgumentsInvalid) + "]", "<close 1005>"));
}

// --- the official suite's server

TEST_P(Packets, ProtocolSuite_EchoesAsItExpects) {
  World::Setup setup;
  setup.options.protocol_suite = true;
  World other(shards(), setup);
  Client& client = other.open(1);
  client.read();
  client.say("40{\"token\":\"123\"}");
  EXPECT_THAT(client.read(), ElementsAre(StartsWith("40{"), R"(42["auth",{"token":"123"}])"));
  client.connect("/custom");
  client.say(R"(42["message",1,"2",{"3":[true]}])");
  EXPECT_THAT(client.read(), ElementsAre(R"(42["message-back",1,"2",{"3":[true]}])"));
  client.say(R"(42456["message-with-ack",1])");
  EXPECT_THAT(client.read(), ElementsAre("43456[1]"));
  client.say(R"(452-/custom,7["message-with-ack",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])");
  client.say_binary("\x01\x02\x03");
  client.say_binary("");
  EXPECT_THAT(
      client.read(),
      ElementsAre(R"(462-/custom,7[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])", "bAQID", "b"));
}

TEST_P(Packets, EngineOfTheSuite_SendsMessagesBack) {
  Client& client = world.open(1, {}, {}, true);
  client.read();
  client.say("4hello");
  client.say_binary("\x01\x02\x03");
  EXPECT_THAT(client.read(), ElementsAre("4hello", "bAQID"));
}

TEST_P(Packets, ClientWithoutBinary_GetsText) {
  Client& client = world.open(1, "&b64=1");
  client.connect();
  client.subscribe("c");
  world.post("emit", R"({"event":"b","args":[{"$binary":"AQID"}],"rooms":["c"]})");
  ws::EventLog events;
  ws::Reader reader({.from_server = true});
  ws::feed(reader, client.take_bytes(), events);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].kind, ws::Event::Kind::kText);
  EXPECT_EQ(events[1].payload, "bAQID");
}

}  // namespace
}  // namespace kilat::socketio::testing
