// Whatever the network does to the bytes, the outcome is the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/http/transcript.h"

namespace kilat::http {
namespace {

constexpr ParserLimits kSmall{.header_bytes_max = 300, .body_bytes_max = 40};

std::vector<std::string> recorded() {
  using namespace std::string_literals;
  return {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\nGET /app/key?protocol=7&client=js HTTP/1.1\r\nHost: a:6001\r\nUpgrade: websocket\r\n"
      "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "POST /apps/1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
      "\r\nDELETE /last HTTP/1.0\r\nConnection: keep-alive\r\n\r\nPOST /part HT",
      "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;name=\"quoted; text\";x\r\n world\r\n000\r\nX-Trailer: 1\r\nHost: evil\r\n\r\n"
      "GET /after HTTP/1.1\r\nHost: b\r\n\r\n",
      "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
      "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      "GET /repeated HTTP/1.1\r\nHost: a\r\nAccept: x\r\nCookie: a=1\r\naccept:\t y \r\nCookie: "
      "b=2\r\nACCEPT:z\r\n\r\n",
      "HEAD http://h.example:80?x=1 HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      // Refused ones: the same refusal at every split.
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,
      "\r\n\r\nGET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s,
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 41\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + std::string(32, 'x') + "\r\n9\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloGET",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(1100, 'e'),
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(1500, 't'),
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'h') + "\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300 - 32, 'h') + "\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(301 - 32, 'h') + "\r\n\r\n",
  };
}

TEST(RequestParser, AnyTwoPieces_GiveTheSameAsTheWhole) {
  for (const std::string& input : recorded()) {
    const std::string whole = transcript(input, kSmall);
    EXPECT_EQ(whole.find("PADDING"), std::string::npos);
    for (size_t cut = 1; cut < input.size(); ++cut) {
      ASSERT_EQ(transcript(input, std::vector<size_t>{cut}, kSmall), whole) << input << "\ncut at " << cut;
    }
  }
}

TEST(RequestParser, PiecesOfEverySmallSize_GiveTheSameAsTheWhole) {
  for (const std::string& input : recorded()) {
    const std::string whole = transcript(input, kSmall);
    for (const size_t step : {1, 2, 3, 5, 7, 11, 64}) {
      ASSERT_EQ(transcript(input, every(step, input.size()), kSmall), whole) << input << "\nstep " << step;
    }
  }
}

TEST(RequestParser, PipelinedRequests_ComeOutInOrder) {
  EXPECT_EQ(
      transcript(recorded()[2], kSmall),
      "method=[POST] target=[/apps/1/events] path=[/apps/1/events] query=[] minor=[1] keep_alive=[1] upgrade=[0] "
      "Host=[a] joined=[a] Content-Length=[5] joined=[5] body=[hello] \n"
      "method=[GET] target=[/next] path=[/next] query=[] minor=[1] keep_alive=[1] upgrade=[0] Host=[a] joined=[a] "
      "body=[] \n"
      "method=[DELETE] target=[/last] path=[/last] query=[] minor=[0] keep_alive=[1] upgrade=[0] "
      "Connection=[keep-alive] joined=[keep-alive] body=[] \npartial");
}

TEST(RequestParser, RecordedRefusals_AreWhatTheyShouldBe) {
  std::vector<std::string> ends;
  for (const std::string& input : recorded()) {
    const std::string whole = transcript(input, kSmall);
    ends.push_back(whole.substr(whole.rfind('\n') + 1));
  }
  const std::string bad = "error http_malformed";
  const std::string header = "error http_header_too_large";
  const std::string body = "error http_body_too_large";
  EXPECT_THAT(ends, testing::ElementsAre("idle", "idle", "partial", "idle", "idle", "idle", "idle",  // taken
                                         bad, bad, bad, bad, bad, bad, bad, "error http_version_unsupported", body,
                                         body, bad, bad, bad, header, header, "idle", header));
}

TEST(RequestParser, EmptyPieces_ChangeNothing) {
  RequestParser parser;
  std::span<const char> nothing;
  EXPECT_EQ(parser.feed(nothing), Status::kNeedMore);
  EXPECT_FALSE(parser.started());
  const std::string_view text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t i = 0; i < text.size(); ++i) {
    std::span<const char> byte(text.substr(i, 1));
    EXPECT_EQ(parser.feed(byte), i + 1 < text.size() ? Status::kNeedMore : Status::kComplete);
    EXPECT_EQ(parser.feed(nothing), i + 1 < text.size() ? Status::kNeedMore : Status::kComplete);
  }
}

}  // namespace
}  // namespace kilat::http
