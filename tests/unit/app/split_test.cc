// A whole server over a real socket: however the first bytes of a connection are cut, the answers are the same. Covers
// what lies between the parsers: the change from HTTP to WebSocket in the middle of an input, and pipelines.
#include "unit/app/server_test.h"

namespace kilat::app::testing {
namespace {

struct ServerSplitTest : ServerTest {
  /// Sends the bytes in two pieces and reads to the end of the connection.
  std::string answers(std::string_view bytes, size_t cut) const {
    Socket socket(port());
    socket.send(bytes.substr(0, cut));
    socket.send(bytes.substr(cut));
    EXPECT_TRUE(socket.wait_for_end()) << "cut at " << cut;
    return without_changing_parts(std::exchange(socket.in(), {}));
  }

  /// Socket ids and the clock differ from one connection to the next.
  static std::string without_changing_parts(std::string text) {
    for (const std::string_view mark : {R"(socket_id\":\")", "Date: "}) {
      for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
        at += mark.size();
        size_t end = text.find_first_of("\\\r", at);
        if (end == std::string::npos) end = text.size();
        text.replace(at, end - at, "*");
      }
    }
    return text;
  }
};
// One shard: with more, answers of channels that live elsewhere come in any order.
INSTANTIATE_TEST_SUITE_P(Shards, ServerSplitTest, ::testing::Values(1u),
                         [](const auto& shards) { return std::to_string(shards.param); });

TEST_P(ServerSplitTest, UpgradeWithFramesBehind_IsAnsweredTheSame) {
  start();
  const std::string bytes = upgrade_request() + subscribe_message("c") + text_message(kPing) +
                            subscribe_message("private-c", "wrong") +
                            ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", 1);
  const auto read = [&](size_t cut) {
    std::string text = answers(bytes, cut);
    // The greeting's frame header holds a length that depends on the socket id.
    const size_t head = text.find("\r\n\r\n");
    const size_t json = text.find('{', head);
    if (json != std::string::npos) text.erase(head + 4, json - head - 4);
    return text;
  };
  const std::string whole = read(bytes.size());
  EXPECT_THAT(whole, HasSubstr("subscription_succeeded"));
  EXPECT_THAT(whole, HasSubstr("pusher:pong"));
  EXPECT_THAT(whole, HasSubstr("channel_auth"));
  for (size_t cut = 1; cut < bytes.size(); ++cut) ASSERT_EQ(read(cut), whole) << "cut at " << cut;
}

TEST_P(ServerSplitTest, PipelinedRequests_AreAnsweredTheSame) {
  start();
  const std::string bytes = event_request("c", "x") + http_get("/up") + "POST /nope HTTP/1.1\r\nHost: x\r\n" +
                            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
                            http_get("/ready", "Connection: close\r\n");
  const std::string whole = answers(bytes, bytes.size());
  EXPECT_THAT(whole, HasSubstr("{}"));
  EXPECT_THAT(whole, HasSubstr(R"({"health":"OK"})"));
  for (size_t cut = 1; cut < bytes.size(); ++cut) ASSERT_EQ(answers(bytes, cut), whole) << "cut at " << cut;
}

}  // namespace
}  // namespace kilat::app::testing
