#include "unit/app/server_test.h"

namespace kilat::app::testing {
namespace {

struct HttpSessionTest : ServerTest {};
KILAT_SERVER_TEST(HttpSessionTest);

TEST_P(HttpSessionTest, HealthPaths_AreAnswered) {
  start();
  for (const char* path : {"/", "/ready", "/accept-traffic"}) {
    const HttpAnswer answer = call(http_get(path));
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "OK");
  }
  EXPECT_EQ(call(http_get("/up")).body, R"({"health":"OK"})");
  EXPECT_EQ(call(http_get("/nope")).status, 404);
  EXPECT_EQ(call("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").status, 405);
  EXPECT_EQ(call("OPTIONS /apps/3/events HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n\r\n").status, 204);
  EXPECT_EQ(call("nonsense\r\n\r\n").status, 400);
}

TEST_P(HttpSessionTest, PipelinedRequests_AreAnsweredInOrderAlsoAcrossShards) {
  start();
  std::string bytes;
  for (int i = 0; i < 30; ++i) {
    bytes += event_request("channel-" + std::to_string(i), "x");
    bytes += http_get("/nope");
    bytes += api_request("GET", "/apps/3/channels");
    bytes += http_get("/up");
  }
  Socket socket(port());
  ASSERT_TRUE(socket.send(bytes));
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(read_answer(socket).body, "{}") << i;
    ASSERT_EQ(read_answer(socket).status, 404) << i;
    ASSERT_THAT(read_answer(socket).body, HasSubstr(R"({"channels":)")) << i;
    ASSERT_EQ(read_answer(socket).body, R"({"health":"OK"})") << i;
  }
  socket.send(http_get("/up"));
  EXPECT_EQ(read_answer(socket).status, 200);
}

// A burst that fills the pipeline to its bound, exactly and beyond, in one piece.
TEST_P(HttpSessionTest, FullPipeline_GoesOn) {
  start();
  for (const size_t count : {HttpSession::kPipelineMax, HttpSession::kPipelineMax + 1, 5 * HttpSession::kPipelineMax}) {
    for (const std::string& request : {http_get("/up"), event_request("channel-1", "x"), event_request("c-2", "x")}) {
      std::string bytes;
      for (size_t i = 0; i < count; ++i) bytes += request;
      Socket socket(port());
      ASSERT_TRUE(socket.send(bytes));
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(read_answer(socket).status, 200) << i << " of " << count;
      socket.send(http_get("/up"));
      ASSERT_EQ(read_answer(socket).status, 200) << "after " << count;
    }
  }
}

TEST_P(HttpSessionTest, ConnectionClose_EndsAfterTheAnswer) {
  start();
  Socket socket(port());
  socket.send(http_get("/up", "Connection: close\r\n") + http_get("/up"));
  const HttpAnswer answer = read_answer(socket);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_TRUE(socket.wait_for_end());
  EXPECT_TRUE(socket.in().empty());
}

TEST_P(HttpSessionTest, BodyInPiecesAndContinue_AreTaken) {
  start();
  const std::string request = event_request("c", "split");
  Socket socket(port());
  for (size_t at = 0; at < request.size(); at += 40) socket.send(std::string_view(request).substr(at, 40));
  EXPECT_EQ(read_answer(socket).status, 200);
  std::string expecting = event_request("c", "expect");
  expecting.insert(expecting.find("Host:"), "Expect: 100-continue\r\n");
  const size_t body = expecting.find("\r\n\r\n") + 4;
  socket.send(expecting.substr(0, body));
  EXPECT_EQ(socket.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send(expecting.substr(body));
  EXPECT_EQ(read_answer(socket).status, 200);
}

TEST_P(HttpSessionTest, TooLargeRequests_AreRefusedAndClosed) {
  config::Settings with = settings(shards());
  with.http.header_bytes_max = 1'000;
  with.http.body_bytes_max = 1'000;
  start(with);
  Socket header(port());
  header.send(http_get("/up", "X: " + std::string(2'000, 'x') + "\r\n"));
  EXPECT_EQ(read_answer(header).status, 431);
  EXPECT_TRUE(header.wait_for_end());
  Socket body(port());
  body.send("POST /apps/3/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(read_answer(body).status, 413);
  EXPECT_TRUE(body.wait_for_end());
}

TEST_P(HttpSessionTest, SilentConnections_AreEndedByTheirLimits) {
  config::Settings with = settings(shards());
  with.http.handshake_timeout_ms = 150;
  with.http.request_timeout_ms = 200;
  with.http.keep_alive_timeout_ms = 250;
  start(with);
  Socket silent(port());
  Socket cut(port());
  cut.send("GET / HT");
  Socket idle(port());
  idle.send(http_get("/up"));
  Socket slow(port());
  slow.send(http_get("/up") + "GET / HT");
  EXPECT_EQ(read_answer(idle).status, 200);
  EXPECT_EQ(read_answer(slow).status, 200);
  for (Socket* socket : {&silent, &cut, &slow}) {
    EXPECT_EQ(read_answer(*socket).status, 408);
    EXPECT_TRUE(socket->wait_for_end());
  }
  EXPECT_TRUE(idle.wait_for_end());
  EXPECT_TRUE(idle.in().empty());
}

TEST_P(HttpSessionTest, EmptyLineInTwoParts_IsSkippedBetweenRequests) {
  start();
  Socket socket(port());
  // RFC 9112, section 2.2: the line that some clients send behind a body.
  socket.send(http_get("/up") + "\r");
  EXPECT_EQ(read_answer(socket).status, 200);
  socket.send("\n" + http_get("/up"));
  EXPECT_EQ(read_answer(socket).status, 200);
}

TEST_P(HttpSessionTest, ConnectionInUse_OutlivesTheLimitsOfItsEarlierRequests) {
  config::Settings with = settings(shards());
  with.http.handshake_timeout_ms = 400;
  start(with);
  Socket socket(port());
  for (int i = 0; i < 2; ++i) {
    socket.send(http_get("/up"));
    EXPECT_EQ(read_answer(socket).status, 200) << i;
    // Past the limit of the first request, for which the timer was armed.
    ::usleep(600'000);
  }
  socket.send(http_get("/up"));
  EXPECT_EQ(read_answer(socket).status, 200);
}

TEST_P(HttpSessionTest, Prefix_MovesEverythingButHealth) {
  config::Settings with = settings(shards());
  with.server.path_prefix = "/ws";
  start(with);
  EXPECT_EQ(call(http_get("/ready")).status, 200);
  EXPECT_EQ(call(http_get("/ws/ready")).status, 200);
  EXPECT_EQ(call(upgrade_request("/app/app-key")).status, 404);
  WsClient client(port(), {}, "/ws/app/app-key?protocol=7");
  EXPECT_FALSE(client.greet().empty());
}

// --- tail

TEST_P(HttpSessionTest, Tail_StreamsTheEventsOfAllShards) {
  start();
  std::vector<Socket> taps;
  for (int i = 0; i < 4; ++i) {
    taps.emplace_back(port());
    taps.back().send(api_request("GET", "/apps/3/tail"));
    EXPECT_THAT(taps.back().until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  }
  // The tap reaches the other shards soon after its head was sent.
  while (taps[0].in().find("warm") == std::string::npos || taps[3].in().find("warm") == std::string::npos) {
    ASSERT_EQ(publish("c1", "warm"), 200);
    for (Socket& tap : taps) tap.fill(20);
  }
  for (int i = 0; i < 20; ++i) ASSERT_EQ(publish("c" + std::to_string(i), "number-" + std::to_string(i)), 200);
  for (Socket& tap : taps) {
    for (int i = 0; i < 20; ++i) {
      const std::string mark = "number-" + std::to_string(i) + "\"";
      while (tap.in().find(mark) == std::string::npos) ASSERT_TRUE(tap.fill()) << mark;
    }
  }
  taps[0].close();
  taps[1].reset();
  ASSERT_EQ(publish("c1", "after"), 200);
  while (taps[3].in().find("after") == std::string::npos) ASSERT_TRUE(taps[3].fill());
}

TEST_P(HttpSessionTest, TailWithHead_IsAnsweredWithoutAStream) {
  start();
  Socket socket(port());
  const std::string request = api_request("HEAD", "/apps/3/tail");
  socket.send(request);
  EXPECT_THAT(socket.until("\r\n\r\n"), HasSubstr("200"));
  publish("c", "x");
  EXPECT_FALSE(socket.fill(100));
}

}  // namespace
}  // namespace kilat::app::testing
