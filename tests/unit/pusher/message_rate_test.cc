// Limits of what one connection may send, whatever it is.
#include <gtest/gtest.h>

#include <string>

#include "unit/pusher/world.h"

namespace kilat::pusher::testing {
namespace {

constexpr std::string_view kPing = R"({"event":"pusher:ping","data":{}})";

hub::AppSettings limited(uint32_t messages, uint32_t bytes = 0) {
  hub::AppSettings app = app_settings();
  app.client_messages_per_second = messages;
  app.client_bytes_per_second = bytes;
  app.subscriptions_max = 20;
  return app;
}

TEST(MessageRate, FloodOfPings_IsClosedWithReasonAndClients_MayComeBack) {
  World world(1, limited(10));
  Client& client = world.connect();
  // A full second, and one message for each channel it may have.
  for (int i = 0; i < 30; ++i) client.say(kPing);
  EXPECT_EQ(client.finished(), std::nullopt);
  EXPECT_EQ(client.read().size(), 30u);
  client.say(kPing);
  EXPECT_EQ(client.finished(), Reason::kClientMessagesLimited);
  const Log log = client.read();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_NE(log[0].find(R"("code":4100)"), std::string::npos) << log[0];
  EXPECT_NE(log[0].find("client_messages_limited"), std::string::npos) << log[0];
  EXPECT_TRUE(log[1].starts_with("<close 4100")) << log[1];
}

TEST(MessageRate, SubscribeAndUnsubscribe_CountAsWell) {
  World world(2, limited(10));
  Client& client = world.connect();
  for (int i = 0; i < 40 && !client.finished(); ++i) {
    client.subscribe("room");
    if (!client.finished()) client.unsubscribe("room");
  }
  EXPECT_EQ(client.finished(), Reason::kClientMessagesLimited);
  EXPECT_EQ(world.channels_left(), 0u);
}

TEST(MessageRate, WebSocketPings_CountAsWell) {
  World world(1, limited(10));
  Client& client = world.connect();
  const std::string ping = ws::encode_masked_frame(ws::Opcode::kPing, "x", kMask);
  for (int i = 0; i < 31; ++i) client.feed(ping);
  EXPECT_EQ(client.finished(), Reason::kClientMessagesLimited);
}

TEST(MessageRate, ManyMessagesInOneRead_StopAtTheLimit) {
  World world(1, limited(10));
  Client& client = world.connect();
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += ws::encode_masked_frame(ws::Opcode::kText, kPing, kMask);
  client.feed(bytes);
  EXPECT_EQ(client.finished(), Reason::kClientMessagesLimited);
  EXPECT_EQ(client.read().size(), 32u) << "30 answers, the error and the close";
}

TEST(MessageRate, SteadySender_IsNeverClosed) {
  World world(1, limited(10));
  Client& client = world.connect();
  for (int i = 0; i < 300; ++i) {
    client.say(kPing);
    world.pass(100);
    client.read();
  }
  EXPECT_EQ(client.finished(), std::nullopt);
}

TEST(MessageRate, ClientThatComesBackWithAllItsChannels_IsNotClosed) {
  hub::AppSettings app = app_settings();
  app.subscriptions_max = 5'000;
  World world(1, app);
  Client& client = world.connect();
  for (int i = 0; i < 5'000; ++i) client.subscribe("room-" + std::to_string(i));
  EXPECT_EQ(client.finished(), std::nullopt);
}

TEST(MessageRate, Off_ClosesNobody) {
  World world(1, limited(0));
  Client& client = world.connect();
  for (int i = 0; i < 10'000; ++i) client.say(kPing);
  EXPECT_EQ(client.finished(), std::nullopt);
}

TEST(MessageRate, ALimitThatAReloadBrings_HoldsForOpenConnections) {
  World world(1, limited(0));
  Client& client = world.connect();
  world.app().settings.client_messages_per_second = 10;
  for (int i = 0; i < 5'000 && !client.finished(); ++i) client.say(kPing);
  EXPECT_EQ(client.finished(), Reason::kClientMessagesLimited);
}

TEST(ByteRate, TooManyBytes_AreClosedWithReason) {
  World world(1, limited(0, 100'000));
  Client& client = world.connect();
  const std::string heartbeat = R"({"type":"heartbeat","x":")" + std::string(10'000, 'x') + "\"}";
  int said = 0;
  for (; said < 1'000 && !client.finished(); ++said) client.say(heartbeat);
  EXPECT_EQ(client.finished(), Reason::kClientBytesLimited);
  // A second of the rate, and one whole message of any size.
  EXPECT_GE(said, 20);
  EXPECT_LE(said, 30);
}

TEST(ByteRate, LargestMessageAtOnce_Passes) {
  World world(1, limited(0, 1'000));
  Client& client = world.connect();
  client.say(R"({"type":"heartbeat","x":")" + std::string(120 * 1024, 'x') + "\"}");
  EXPECT_EQ(client.finished(), std::nullopt);
}

TEST(UnfinishedMessage, IsCountedAndFreedWhenTheConnectionHasToGo) {
  World world;
  Client& client = world.connect();
  EXPECT_EQ(client.session().buffered(), 0u);
  const std::string whole = ws::encode_masked_frame(
      ws::Opcode::kText, R"({"type":"heartbeat","x":")" + std::string(50'000, 'x') + "\"}", kMask);
  client.feed(whole.substr(0, 40'000));
  EXPECT_GE(client.session().buffered(), 39'000u);
  client.feed(whole.substr(40'000));
  EXPECT_EQ(client.session().buffered(), 0u) << "whole messages are done with";
  client.feed(whole.substr(0, 40'000));
  client.session().close_silently();
  EXPECT_EQ(client.session().buffered(), 0u);
  client.feed(whole.substr(40'000));
  EXPECT_EQ(client.session().buffered(), 0u) << "nothing is taken any more";
}

}  // namespace
}  // namespace kilat::pusher::testing
