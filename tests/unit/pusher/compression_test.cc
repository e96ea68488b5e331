// permessage-deflate in all its ways: whoever reads compressed reads the same as who reads plain.
#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct Compression : SessionTest {};
KILAT_SESSION_TEST(Compression);

const SessionOptions kShared{.socket_id = {}, .format = kDeflatedFormat, .deflate = true};
const SessionOptions kOwn{
    .socket_id = {}, .format = kOwnFormat, .client_takeover = true, .deflate = true, .server_takeover = true};
const SessionOptions kOwnAlone{.socket_id = {}, .format = kOwnFormat, .deflate = true, .server_window_bits = 9};

std::string payload(int number) {
  return json_string(R"({"order":)" + std::to_string(number) + R"(,"text":"the same words again and again é"})");
}

TEST_P(Compression, AllFormats_ReadTheSameTexts) {
  World world(shards());
  std::vector<Client*> clients;
  for (const SessionOptions& options : {SessionOptions{}, kShared, kOwn, kOwnAlone}) {
    clients.push_back(&world.connect(0, options));
    clients.push_back(&world.connect(1, options));
  }
  for (Client* client : clients) {
    client->subscribe("c");
    EXPECT_THAT(client->read(), ElementsAre(succeeded("c")));
  }
  Log expected;
  for (int i = 0; i < 30; ++i) {
    const std::string data = i % 3 == 0 ? "1" : i == 7 ? json_string(std::string(70'000, 'x')) : payload(i);
    world.publish("c", "e", data);
    expected.push_back(event_text("c", "e", data));
  }
  for (Client* client : clients) EXPECT_EQ(client->read(), expected);
}

TEST_P(Compression, CompressedFrames_AreSmallerAndTinyOnesPlain) {
  World world(shards());
  for (const SessionOptions& options : {kShared, kOwn, kOwnAlone}) {
    Client& client = world.connect(1, options);
    client.subscribe("c");
    client.read();
    world.publish("c", "e", json_string(std::string(1'000, 'x')));
    const std::string large = client.take_bytes();
    EXPECT_LT(large.size(), 200U);
    EXPECT_EQ(static_cast<unsigned char>(large[0]), 0xc1);
    world.publish("c", "e", "1");
    EXPECT_EQ(static_cast<unsigned char>(client.take_bytes()[0]), 0x81);
    client.drop();
    world.pump();
  }
}

TEST_P(Compression, Takeover_MakesTheSecondMessageSmaller) {
  World world(shards());
  Client& client = world.connect(1, kOwn);
  client.subscribe("c");
  client.read();
  world.publish("c", "e", payload(1));
  const size_t first = client.take_bytes().size();
  world.publish("c", "e", payload(2));
  EXPECT_LT(client.take_bytes().size(), first / 2);
}

TEST_P(Compression, ExcludedSocketWithItsOwnCompressor_KeepsItsContextWhole) {
  World world(shards());
  Client& a = world.connect(0, kOwn);
  Client& b = world.connect(1, kOwn);
  a.subscribe("c"), b.subscribe("c");
  a.read(), b.read();
  for (int i = 0; i < 6; ++i) world.publish("c", "e", payload(i), (i % 2 == 0 ? a : b).session().socket_id());
  EXPECT_THAT(a.read(), ElementsAre(event_text("c", "e", payload(1)), event_text("c", "e", payload(3)),
                                    event_text("c", "e", payload(5))));
  EXPECT_THAT(b.read(), ElementsAre(event_text("c", "e", payload(0)), event_text("c", "e", payload(2)),
                                    event_text("c", "e", payload(4))));
}

TEST_P(Compression, CompressedInput_IsUnderstood) {
  World world(shards());
  for (const SessionOptions& options : {kShared, kOwn}) {
    Client& client = world.connect(1, options);
    ws::Deflater deflater({.takeover = options.client_takeover});
    for (int i = 0; i < 3; ++i) {
      std::string compressed;
      ASSERT_TRUE(deflater.deflate(R"({"event":"pusher:ping","data":{}})", compressed));
      client.feed(ws::encode_masked_frame(ws::Opcode::kText, compressed, kMask, true));
      EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:pong","data":{}})"));
    }
  }
}

TEST_P(Compression, BrokenOrExplodingInput_ClosesWithItsRow) {
  World world(shards(), app_settings(), {.message_bytes_max = 10'000});
  Client& broken = world.connect(1, kShared);
  broken.feed(ws::encode_masked_frame(ws::Opcode::kText, "\xff\xff\xff\xff", kMask, true));
  expect_closed(broken, Reason::kWsDeflateInvalid);
  Client& bomb = world.connect(1, kShared);
  ws::Deflater deflater;
  std::string compressed;
  ASSERT_TRUE(deflater.deflate(std::string(1'000'000, ' '), compressed));
  ASSERT_LT(compressed.size(), 10'000U);
  bomb.feed(ws::encode_masked_frame(ws::Opcode::kText, compressed, kMask, true));
  expect_closed(bomb, Reason::kWsInflatedTooBig);
}

}  // namespace
}  // namespace kilat::pusher::testing
