#include "http/response.h"

#include <gtest/gtest.h>

#include <string>

#include "base/reason.h"

namespace kilat::http {
namespace {

std::string written(const Response& response, const ResponseOptions& options) {
  std::string out;
  append_response(out, response, options);
  return out;
}

TEST(Response, Json_IsWrittenWhole) {
  EXPECT_EQ(written({.content_type = "application/json", .body = "{}", .headers = {{"Retry-After", "1"}}},
                    {.date = "Sun, 06 Nov 1994 08:49:37 GMT"}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
            "Retry-After: 1\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(Response, Connection_IsNamedOnlyWhereItIsNotTheDefault) {
  EXPECT_EQ(written({.status = 404}, {}), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written({.status = 404}, {.keep_alive = false}),
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written({.status = 404}, {.minor_version = 0}),
            "HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
}

TEST(Response, Head_TellsTheLengthWithoutTheBody) {
  EXPECT_EQ(written({.body = "hello"}, {.head_only = true}), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(Response, StatusWithoutBody_HasNoLength) {
  EXPECT_EQ(written({.status = 204, .body = "x"}, {}), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(written({.status = 304}, {}), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(
      written({.status = 101, .headers = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}}, {.keep_alive = false}),
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST(Response, HeaderValues_CannotBeginALine) {
  const std::string out =
      written({.headers = {{"X", "a\r\nSet-Cookie: b\n\rc"}, {"Bad Name", "x"}, {"A\r\nB", "x"}, {"", "x"}}},
              {.cors = {.allow_origin = "https://a\r\nEvil: 1"}});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://a  Evil: 1\r\nX: a  Set-Cookie: b  c\r\n"
            "Content-Length: 0\r\n\r\n");
}

TEST(Response, FramingHeaders_OfTheCallerAreIgnored) {
  EXPECT_EQ(written({.body = "x", .headers = {{"content-length", "9"}, {"Transfer-Encoding", "chunked"}}}, {}),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
}

TEST(Response, Preflight_HasTheLists) {
  EXPECT_EQ(
      written({.status = 204}, {.cors = {.allow_origin = "https://a", .vary_origin = true, .preflight = true}}),
      "HTTP/1.1 204 No Content\r\nVary: Origin\r\nAccess-Control-Allow-Origin: https://a\r\n"
      "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS\r\n"
      "Access-Control-Allow-Headers: Origin, Content-Type, X-Auth-Token, X-Requested-With, Accept, Authorization, "
      "X-CSRF-TOKEN, XSRF-TOKEN, X-XSRF-TOKEN, X-Socket-Id\r\nAccess-Control-Max-Age: 7200\r\n\r\n");
}

TEST(Response, SeveralAnswers_FollowEachOther) {
  std::string out;
  append_response(out, {.body = "1"}, {});
  append_response(out, {.body = "2"}, {});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
}

TEST(ResponseStream, Chunks_AreFramed) {
  std::string out;
  EXPECT_TRUE(append_stream_head(out, {.content_type = "text/event-stream"}, {}));
  append_chunk(out, "hello");
  append_chunk(out, "");
  append_chunk(out, std::string(255, 'x'));
  append_last_chunk(out);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\nff\r\n" +
                std::string(255, 'x') + "\r\n0\r\n\r\n");
}

TEST(ResponseStream, OldClient_ReadsUntilTheEnd) {
  std::string out;
  EXPECT_FALSE(append_stream_head(out, {}, {.keep_alive = true, .minor_version = 0}));
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(ResponseStream, HeadRequest_HasNoChunks) {
  std::string out;
  EXPECT_FALSE(append_stream_head(out, {}, {.head_only = true}));
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(HttpDate, Format_IsImfFixdate) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1709251199), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(StatusText, EveryStatusOfTheReasonTable_HasAName) {
  for (const ReasonRow& row : reason_table()) {
    EXPECT_TRUE(row.http_status == 0 || status_text(row.http_status) != "Unknown") << row.id;
  }
  EXPECT_EQ(status_text(299), "Unknown");
}

}  // namespace
}  // namespace kilat::http
