// What a parser holds of a request, and that a pool keeps nothing large.
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "http/request_parser.h"

namespace kilat::http {
namespace {

Status feed(RequestParser& parser, const std::string& bytes) {
  std::span<const char> in(bytes);
  return parser.feed(in);
}

TEST(ParserMemory, UnfinishedRequest_IsCountedUntilItIsReleased) {
  RequestParser parser;
  EXPECT_EQ(parser.buffered(), 0u);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n";
  EXPECT_EQ(feed(parser, head + std::string(400'000, 'x')), Status::kNeedMore);
  EXPECT_GE(parser.buffered(), 400'000u);
  parser.release();
  EXPECT_EQ(parser.buffered(), 0u);
}

TEST(ParserMemory, LargeBody_IsNotKeptForTheNextRequest) {
  ParserPool pool;
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n";
  {
    RequestParser parser({}, &pool);
    EXPECT_EQ(feed(parser, head + std::string(500'000, 'x')), Status::kComplete);
    parser.reset();
    EXPECT_LE(parser.buffered(), 16'384u) << "on the same connection";
    EXPECT_EQ(feed(parser, head + std::string(400'000, 'x')), Status::kNeedMore);
  }
  RequestParser next({}, &pool);
  EXPECT_EQ(feed(next, "GET / HTTP/1.1\r\n"), Status::kNeedMore);
  EXPECT_LE(next.buffered(), 16'384u) << "on another one";
}

TEST(ParserMemory, Parser_IsFreshOnlyBeforeTheFirstByteOfARequest) {
  RequestParser parser;
  EXPECT_TRUE(parser.fresh());
  for (const char* bytes : {"\r", "\n", "G"}) {
    EXPECT_EQ(feed(parser, bytes), Status::kNeedMore);
    EXPECT_FALSE(parser.fresh()) << bytes;
  }
  EXPECT_EQ(feed(parser, "ET / HTTP/1.1\r\nHost: x\r\n\r\n"), Status::kComplete);
  EXPECT_FALSE(parser.fresh());
  parser.reset();
  EXPECT_TRUE(parser.fresh());
}

TEST(ParserMemory, RefusedRequest_LeavesNothingInThePool) {
  ParserPool pool;
  {
    RequestParser parser({}, &pool);
    EXPECT_EQ(feed(parser, "\x16"), Status::kError);
    EXPECT_FALSE(parser.fresh());
  }
  RequestParser next({}, &pool);
  EXPECT_EQ(feed(next, "GET / HTTP/1.1\r\n"), Status::kNeedMore);
  EXPECT_EQ(next.error(), Reason::kNone);
}

}  // namespace
}  // namespace kilat::http
