// The answer never depends on how the network cuts the input: the same bytes whole, in two pieces at every place, and
// byte by byte give the same frames.
#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct Split : SessionTest {};
KILAT_SESSION_TEST(Split);

constexpr hub::SocketId kId{7, 77};
const std::string kIdText = "7.77";

std::string text(std::string_view json) {
  return ws::encode_masked_frame(ws::Opcode::kText, json, kMask);
}
std::string subscribe(std::string_view data) {
  return text(R"({"event":"pusher:subscribe","data":)" + std::string(data) + "}");
}

std::string conversation() {
  std::string bytes = text(R"({"event":"pusher:ping","data":{}})");
  bytes += subscribe(R"({"channel":"c"})");
  bytes += ws::encode_masked_frame(ws::Opcode::kText, R"({"event":"pusher:)", kMask, false, false);
  bytes += ws::encode_masked_frame(ws::Opcode::kPing, "in between", ~kMask);
  bytes += ws::encode_masked_frame(ws::Opcode::kContinuation, R"(ping"})", 0, false, true);
  bytes += subscribe(R"({"channel":"private-c","auth":")" + sign(kIdText + ":private-c") + R"("})");
  bytes += subscribe(R"({"channel":"private-d","auth":"wrong"})");
  bytes += text("no json");
  const std::string user = R"({"id":"é","watchlist":["x"]})";
  bytes += text(R"({"event":"pusher:signin","data":{"auth":")" + sign(kIdText + "::user::" + user) +
                R"(","user_data":)" + json_string(user) + "}}");
  bytes += subscribe(R"({"channel":"#server-to-user-é"})");
  bytes += text(R"({"event":"client-x","channel":"c","data":{}})");
  bytes += text(R"({"event":"other"})");
  bytes += ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", kMask);
  bytes += "behind the end";
  return bytes;
}

Log run(hub::ShardIndex shards, std::string_view bytes, size_t first, size_t step) {
  World world(shards);
  Client& client = world.open(1, {.socket_id = kId});
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = at == 0 ? first : step;
    client.feed(bytes.substr(at, size));
    at += std::min(size, bytes.size() - at);
  }
  world.pump();
  Log log = client.read();
  EXPECT_EQ(client.finished(), Reason::kClientClosed);
  return log;
}

// With two shards the answers of homes elsewhere come after the last input here, at the same place for every split.
TEST_P(Split, Conversation_ReadsTheSameHoweverItIsCut) {
  const std::string bytes = conversation();
  const Log whole = run(shards(), bytes, bytes.size(), bytes.size());
  ASSERT_GT(whole.size(), 6U);
  EXPECT_EQ(whole.back(), "<close 1000 >");
  EXPECT_EQ(run(shards(), bytes, 1, 1), whole);
  for (size_t at = 1; at < bytes.size(); ++at) {
    ASSERT_EQ(run(shards(), bytes, at, bytes.size()), whole) << "cut at " << at;
  }
}

TEST_P(Split, OneShard_AnswersTheWholeConversation) {
  const Log log = run(1, conversation(), 3, 7);
  EXPECT_THAT(
      log, ElementsAre(HasSubstr("connection_established"), HasSubstr("pusher:pong"), succeeded("c"),
                       "<pong in between>", HasSubstr("pusher:pong"), succeeded("private-c"),
                       HasSubstr("channel_auth_invalid"), HasSubstr("message_malformed"), HasSubstr("signin_success"),
                       HasSubstr("watchlist_events"), succeeded("#server-to-user-é"),
                       HasSubstr("client_event_channel_refused"), HasSubstr("event_unsupported"), "<close 1000 >"));
}

}  // namespace
}  // namespace kilat::pusher::testing
