#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

constexpr uint64_t kIdleMs = 150'000;  // the activity timeout and a quarter
constexpr uint64_t kPongMs = 30'000;

struct Liveness : SessionTest {};
KILAT_SESSION_TEST(Liveness);

std::string frame(ws::Opcode opcode, std::string_view payload) {
  return ws::encode_masked_frame(opcode, payload, kMask);
}

TEST_P(Liveness, PusherPing_IsAnswered) {
  World world(shards());
  Client& client = world.connect(1);
  for (const char* text : {R"({"event":"pusher:ping","data":{}})", R"({"event":"pusher:ping"})",
                           R"({"event":"pusher:ping","data":"{}"})"}) {
    client.say(text);
    EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:pong","data":{}})"));
  }
  client.say(R"({"event":"pusher:pong","data":{}})");
  client.say(R"({"type":"heartbeat"})");
  EXPECT_THAT(client.read(), IsEmpty());
}

TEST_P(Liveness, WebSocketPing_IsEchoed) {
  World world(shards());
  Client& client = world.connect(1);
  client.feed(frame(ws::Opcode::kPing, "x") + frame(ws::Opcode::kPong, "y"));
  EXPECT_THAT(client.read(), ElementsAre("<pong x>"));
}

TEST_P(Liveness, BinaryMessage_IsTakenAsText) {
  World world(shards());
  Client& client = world.connect(1);
  client.feed(frame(ws::Opcode::kBinary, R"({"event":"pusher:ping"})"));
  EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:pong","data":{}})"));
  client.feed(frame(ws::Opcode::kBinary, "\xff\xfe"));
  EXPECT_THAT(client.read(), ElementsAre(error(Reason::kMessageMalformed)));
}

TEST_P(Liveness, SilentClient_IsPingedThenClosed) {
  World world(shards());
  Client& client = world.connect(1);
  world.pass(kIdleMs - 1);
  EXPECT_THAT(client.read(), IsEmpty());
  world.pass(1);
  EXPECT_THAT(client.read(), ElementsAre("<ping >"));
  world.pass(kPongMs - 1);
  EXPECT_FALSE(client.finished());
  world.pass(1);
  expect_closed(client, Reason::kPongTimeout);
  EXPECT_EQ(world.timers_left(), 0U);
}

TEST_P(Liveness, OldProtocol_IsPingedByAnEvent) {
  World world(shards());
  Client& client = world.connect(1, {.protocol = 6, .socket_id = {}});
  world.pass(kIdleMs);
  EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:ping","data":{}})"));
}

TEST_P(Liveness, AnyInput_IsASignOfLife) {
  World world(shards());
  for (const std::string& answer : {frame(ws::Opcode::kPong, ""), frame(ws::Opcode::kPing, ""),
                                    frame(ws::Opcode::kText, R"({"event":"pusher:pong"})"),
                                    frame(ws::Opcode::kText, "not json"), std::string("\x81")}) {
    Client& client = world.connect(1);
    world.pass(kIdleMs);
    EXPECT_EQ(client.read().size(), 1U);
    world.pass(kPongMs - 1);
    client.feed(answer);
    client.read();
    world.pass(kPongMs);
    EXPECT_FALSE(client.finished());
    world.pass(kIdleMs - kPongMs);
    EXPECT_THAT(client.read(), ElementsAre("<ping >"));
    client.drop();
  }
}

TEST_P(Liveness, ReaderThatOnlyAnswersPings_StaysForever) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.read();
  size_t pings = 0;
  for (int second = 0; second < 3'600; ++second) {
    world.pass(1'000);
    world.publish("c", "e", "1");
    for (const std::string& text : client.read()) {
      if (text != "<ping >") continue;
      ++pings;
      client.feed(frame(ws::Opcode::kPong, ""));
    }
  }
  EXPECT_FALSE(client.finished());
  EXPECT_EQ(pings, 3'600U / 150);
}

TEST_P(Liveness, TimeoutsOfTheApp_AreUsed) {
  hub::AppSettings app = app_settings();
  app.activity_timeout_s = 4;
  app.pong_timeout_ms = 700;
  World world(shards(), app);
  Client& client = world.connect(1);
  world.pass(5'000);
  EXPECT_THAT(client.read(), ElementsAre("<ping >"));
  world.pass(700);
  expect_closed(client, Reason::kPongTimeout);
}

// --- what ends a connection

TEST_P(Liveness, MalformedMessages_AreToldAndInTheEndCloseTheConnection) {
  World world(shards());
  Client& client = world.connect(1);
  for (int i = 0; i < 10; ++i) client.say("not json");
  const Log log = client.read();
  EXPECT_EQ(log, Log(10, error(Reason::kMessageMalformed)));
  client.say("[]");
  expect_closed(client, Reason::kTooManyMalformed);
}

TEST_P(Liveness, MalformedMessagesOfAnotherMinute_AreForgotten) {
  World world(shards());
  Client& client = world.connect(1);
  for (int minute = 0; minute < 5; ++minute) {
    for (int i = 0; i < 10; ++i) client.say("{}");
    world.pass(60'000);
  }
  EXPECT_FALSE(client.finished());
}

TEST_P(Liveness, UnsupportedEvents_AreToldByName) {
  World world(shards());
  Client& client = world.connect(1);
  for (int i = 0; i < 20; ++i) client.say(R"({"event":"pusher:foo\"","data":{}})");
  const Log log = client.read();
  ASSERT_EQ(log.size(), 20U);
  EXPECT_EQ(log[0], error(Reason::kEventUnsupported, {}, "Unsupported event received on socket: pusher:foo\""));
  EXPECT_FALSE(client.finished());
}

TEST_P(Liveness, CloseFrame_IsAnsweredAndEndsTheSession) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.read();
  client.feed(ws::encode_masked_frame(ws::Opcode::kClose,
                                      "\x03\xe8"
                                      "bye",
                                      kMask) +
              frame(ws::Opcode::kText, R"({"event":"pusher:ping"})"));
  world.pump();
  EXPECT_THAT(client.read(), ElementsAre("<close 1000 bye>"));
  expect_finished(client, Reason::kClientClosed);
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Liveness, EmptyCloseFrame_IsAnsweredEmpty) {
  World world(shards());
  Client& client = world.connect(1);
  client.feed(frame(ws::Opcode::kClose, ""));
  EXPECT_THAT(client.read(), ElementsAre("<close 1005 >"));
  expect_finished(client, Reason::kClientClosed);
}

TEST_P(Liveness, BrokenFrames_CloseWithTheirOwnRow) {
  World world(shards(), app_settings(), {.message_bytes_max = 1'000});
  struct Sin {
    Reason reason;
    std::string bytes;
  };
  const std::string mask("\x01\x02\x03\x04", 4);
  const Sin sins[] = {
      {Reason::kWsUnmasked, ws::encode_frame(ws::Opcode::kText, "x")},
      {Reason::kWsReservedBits, "\xc1\x80" + mask},
      {Reason::kWsReservedOpcode, "\x83\x80" + mask},
      {Reason::kWsControlFragmented, "\x09\x80" + mask},
      {Reason::kWsControlTooLong, std::string("\x89\xfe\x00\x80", 4) + mask},
      {Reason::kWsLengthNotMinimal, std::string("\x81\xfe\x00\x05", 4) + mask},
      {Reason::kWsLengthInvalid, std::string("\x81\xff\x80\0\0\0\0\0\0\0", 10) + mask},
      {Reason::kWsUnexpectedContinuation, "\x80\x80" + mask},
      {Reason::kWsExpectedContinuation, "\x01\x80" + mask + "\x81\x80" + mask},
      {Reason::kWsClosePayloadInvalid, frame(ws::Opcode::kClose, "\x03")},
      {Reason::kWsCloseCodeInvalid, frame(ws::Opcode::kClose, "\x03\xed")},
      {Reason::kWsInvalidUtf8, frame(ws::Opcode::kText, "\xff")},
      {Reason::kWsMessageTooBig, frame(ws::Opcode::kText, std::string(1'001, 'x'))},
  };
  for (const Sin& sin : sins) {
    Client& client = world.connect(1);
    client.subscribe("c");
    client.read();
    client.feed(sin.bytes);
    expect_closed(client, sin.reason);
  }
}

TEST_P(Liveness, AClosingSession_HearsAndSaysNothingMore) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.read();
  client.session().close(Reason::kServerDraining);
  client.session().close(Reason::kPongTimeout);
  client.say(R"({"event":"pusher:ping"})");
  client.subscribe("d");
  world.publish("c", "e", "1");
  world.pass(1'000'000);
  expect_closed(client, Reason::kServerDraining);
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Liveness, EveryRowThatClosesAPusherConnection_SaysErrorThenClose) {
  World world(shards());
  for (const ReasonRow& row : reason_table()) {
    if (row.close_code == 0) continue;
    Client& client = world.connect(1);
    client.session().close(row.reason);
    expect_closed(client, row.reason);
  }
}

TEST_P(Liveness, SlowReader_IsRetiredWithoutAWord) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.read();
  client.session().close_silently();
  world.pump();
  EXPECT_THAT(client.read(), IsEmpty());
  EXPECT_FALSE(client.finished());
  EXPECT_EQ(world.channels_left(), 0U);
}

}  // namespace
}  // namespace kilat::pusher::testing
