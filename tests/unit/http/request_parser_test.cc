#include "http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "http/request_builder.h"

namespace kilat::http {
namespace {

using testing::ElementsAre;

/// A parser that has taken `text`, and what it said and left.
struct Parsed {
  explicit Parsed(std::string_view text, ParserLimits limits = {}) : parser(limits) {
    std::span<const char> in(text);
    status = parser.feed(in);
    rest.assign(in.begin(), in.end());
  }
  const Request* operator->() const { return &parser.request(); }

  RequestParser parser;
  Status status;
  std::string rest;
};

Reason refusal(std::string_view text, ParserLimits limits = {}) {
  const Parsed parsed(text, limits);
  EXPECT_EQ(parsed.status == Status::kError, parsed.parser.error() != Reason::kNone);
  return parsed.parser.error();
}

std::string get(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}

TEST(RequestParser, Get_HasItsParts) {
  const Parsed parsed("GET /apps/1/channels?info=a%2Cb?c HTTP/1.1\r\nHost: x.example\r\nAccept: */*\r\nEmpty:\r\n\r\n");
  ASSERT_EQ(parsed.status, Status::kComplete);
  EXPECT_EQ(parsed->method(), Method::kGet);
  EXPECT_EQ(parsed->method_text(), "GET");
  EXPECT_EQ(parsed->target(), "/apps/1/channels?info=a%2Cb?c");
  EXPECT_EQ(parsed->path(), "/apps/1/channels");
  EXPECT_EQ(parsed->query(), "info=a%2Cb?c");
  EXPECT_EQ(parsed->minor_version(), 1);
  EXPECT_EQ(parsed->header("HOST"), "x.example");
  EXPECT_EQ(parsed->header("accept"), "*/*");
  EXPECT_TRUE(parsed->has_header("empty"));
  EXPECT_EQ(parsed->header("empty"), "");
  EXPECT_FALSE(parsed->has_header("missing"));
  EXPECT_EQ(parsed->header("missing"), "");
  EXPECT_EQ(parsed->body(), "");
  EXPECT_EQ(parsed->header_count(), 3U);
}

TEST(RequestParser, Methods_AreKnownWithCase) {
  const std::pair<std::string, Method> kCases[] = {
      {"GET", Method::kGet},     {"HEAD", Method::kHead},      {"POST", Method::kPost},       {"PUT", Method::kPut},
      {"PATCH", Method::kPatch}, {"DELETE", Method::kDelete},  {"OPTIONS", Method::kOptions}, {"get", Method::kOther},
      {"BREW", Method::kOther},  {"M-SEARCH", Method::kOther},
  };
  for (const auto& [text, method] : kCases) {
    const Parsed parsed(text + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(parsed.status, Status::kComplete) << text;
    EXPECT_EQ(parsed->method(), method) << text;
    EXPECT_EQ(parsed->method_text(), text);
  }
}

TEST(RequestParser, AbsoluteTarget_GivesPathAndQuery) {
  const Parsed plain("GET http://h:80/a/b?c=d HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(plain->path(), "/a/b");
  EXPECT_EQ(plain->query(), "c=d");
  const Parsed bare("GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(bare->path(), "/");
  EXPECT_EQ(bare->query(), "");
  const Parsed query("GET http://h?c=d HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(query->path(), "/");
  EXPECT_EQ(query->query(), "c=d");
  const Parsed colons("GET /a://b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(colons->path(), "/a://b");
}

TEST(RequestParser, AsteriskTarget_IsForOptionsOnly) {
  const Parsed options("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_EQ(options.status, Status::kComplete);
  EXPECT_EQ(options->path(), "*");
  EXPECT_EQ(refusal("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), Reason::kHttpMalformed);
}

TEST(RequestParser, TargetOfUnknownForm_IsRefused) {
  for (const std::string target : {"foo", "h:443", "ftp://h/", "http:///x", "http://", "?a=b", "/a#b"}) {
    EXPECT_EQ(refusal("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), Reason::kHttpMalformed) << target;
  }
  EXPECT_EQ(refusal("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), Reason::kHttpMalformed);
}

TEST(RequestParser, RepeatedHeaders_AreJoinedInOrder) {
  const Parsed parsed(get("Accept: a\r\nCookie: x=1\r\naccept: b\r\nOther: o\r\nCOOKIE: y=2\r\nACCEPT: c\r\n"));
  EXPECT_EQ(parsed->header("accept"), "a, b, c");
  EXPECT_EQ(parsed->header("cookie"), "x=1; y=2");
  EXPECT_EQ(parsed->header("other"), "o");
  std::vector<std::string> values;
  for (const Request::Header header : parsed->headers()) values.emplace_back(header.value);
  EXPECT_THAT(values, ElementsAre("a", "a", "x=1", "b", "o", "y=2", "c"));
}

TEST(RequestParser, KeepAlive_FollowsVersionAndConnection) {
  const auto keeps = [](std::string_view version, std::string_view lines) {
    const Parsed parsed("GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(lines) + "\r\n");
    EXPECT_EQ(parsed.status, Status::kComplete);
    return parsed->keep_alive();
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: upgrade\r\nConnection: keep-alive , close\r\n"));
  EXPECT_TRUE(keeps("HTTP/1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestParser, Upgrade_NeedsBothHeadersAndVersionOne) {
  EXPECT_TRUE(Parsed(get("Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"))->upgrade());
  EXPECT_FALSE(Parsed(get("Upgrade: websocket\r\n"))->upgrade());
  EXPECT_FALSE(Parsed(get("Connection: upgrade\r\n"))->upgrade());
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")->upgrade());
}

TEST(RequestParser, BytesBehindTheRequest_StayInTheInput) {
  const Parsed upgrade(get("Upgrade: websocket\r\nConnection: upgrade\r\n") + "\x81\x80 frame");
  EXPECT_EQ(upgrade.rest, "\x81\x80 frame");
  Parsed body("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET ");
  EXPECT_EQ(body.rest, "GET ");
  std::span<const char> in(body.rest);
  EXPECT_EQ(body.parser.feed(in), Status::kComplete) << "sticky until reset()";
  EXPECT_EQ(in.size(), 4U);
}

TEST(RequestParser, Body_IsFollowedByReadableZeros) {
  for (const std::string text : {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
                                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n"}) {
    const Parsed parsed(text);
    ASSERT_EQ(parsed.status, Status::kComplete);
    EXPECT_EQ(parsed->body(), "{\"a\":1}");
    EXPECT_EQ(std::string(parsed->body().end(), kBodyPadding), std::string(kBodyPadding, '\0'));
  }
  const Parsed none(get(""));
  EXPECT_EQ(std::string(none->body().data(), kBodyPadding), std::string(kBodyPadding, '\0'));
}

TEST(RequestParser, LargeBody_ComesThroughWhole) {
  std::string body(3'000'000, 'x');
  for (size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>(i / 1000);
  const Parsed parsed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + body);
  ASSERT_EQ(parsed.status, Status::kComplete);
  EXPECT_EQ(parsed->body(), body);
}

TEST(RequestParser, ChunkTrailers_AreDroppedAndCannotChangeTheHeader) {
  const Parsed parsed(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "A;x=y;q=\"v\"\r\n0123456789\r\n0;last\r\nHost: evil\r\nConnection: close\r\nX-Sum: 1\r\n\r\n");
  ASSERT_EQ(parsed.status, Status::kComplete);
  EXPECT_EQ(parsed->body(), "0123456789");
  EXPECT_EQ(parsed->header("host"), "a");
  EXPECT_FALSE(parsed->has_header("x-sum"));
  EXPECT_TRUE(parsed->keep_alive());
}

TEST(RequestParser, BrokenChunks_AreRefused) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"x\r\n", "\r\n", "-1\r\n", "0x5\r\n\r\n", " 5\r\nhello", "5 \r\nhello", "5;=\r\nhello",
                                 "5\nhello", "5\r\nhello5", "5\r\nhello\n", "10000000000000000\r\n", "0\r\nA b\r\n\r\n",
                                 "0\r\n A: b\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n", "0\r\nA: b\n\r\n"}) {
    const Reason reason = refusal(head + body);
    EXPECT_NE(reason, Reason::kNone) << body;
    EXPECT_TRUE(reason == Reason::kHttpMalformed || reason == Reason::kHttpBodyTooLarge) << body;
  }
}

TEST(RequestParser, ExpectContinue_IsToldOnceBeforeTheBody) {
  Parsed parsed("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_EQ(parsed.status, Status::kExpectContinue);
  EXPECT_EQ(parsed->path(), "/x");
  std::span<const char> nothing;
  EXPECT_EQ(parsed.parser.feed(nothing), Status::kNeedMore);
  std::span<const char> body(std::string_view("ab"));
  EXPECT_EQ(parsed.parser.feed(body), Status::kComplete);
  EXPECT_EQ(parsed->body(), "ab");
}

TEST(RequestParser, ExpectContinue_WithoutABodyOrInVersionZero_IsIgnored) {
  EXPECT_EQ(Parsed(get("Expect: 100-continue\r\n")).status, Status::kComplete);
  EXPECT_EQ(Parsed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx").status, Status::kComplete);
}

TEST(RequestParser, ExpectContinue_WithTooLargeABody_IsRefusedAtOnce) {
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
                    {.body_bytes_max = 10}),
            Reason::kHttpBodyTooLarge);
}

TEST(RequestParser, HeaderLimit_IsExact) {
  const std::string request = get("X: y\r\n");
  const auto size = static_cast<uint32_t>(request.size());
  EXPECT_EQ(Parsed(request, {.header_bytes_max = size}).status, Status::kComplete);
  EXPECT_EQ(refusal(request, {.header_bytes_max = size - 1}), Reason::kHttpHeaderTooLarge);
  EXPECT_EQ(refusal("GET /" + std::string(20'000, 'a')), Reason::kHttpHeaderTooLarge);
}

TEST(RequestParser, TooManyHeaderLines_AreRefused) {
  std::string lines;
  for (size_t i = 1; i < kHeaderLinesMax; ++i) lines += "a: b\r\n";
  EXPECT_EQ(Parsed(get(lines)).status, Status::kComplete);
  EXPECT_EQ(refusal(get(lines + "a: b\r\n")), Reason::kHttpHeaderTooLarge);
}

TEST(RequestParser, BodyLimit_IsExactForLengthAndForChunks) {
  const ParserLimits limits{.body_bytes_max = 10};
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(Parsed(head + "Content-Length: 10\r\n\r\n0123456789", limits).status, Status::kComplete);
  EXPECT_EQ(refusal(head + "Content-Length: 11\r\n\r\n", limits), Reason::kHttpBodyTooLarge);
  const std::string chunks = head + "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n";
  EXPECT_EQ(Parsed(chunks + "4\r\nghij\r\n0\r\n\r\n", limits).status, Status::kComplete);
  EXPECT_EQ(refusal(chunks + "5\r\n", limits), Reason::kHttpBodyTooLarge);
}

TEST(RequestParser, ForeignVersion_IsToldFromRubbish) {
  for (const std::string version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/3.1"}) {
    EXPECT_EQ(refusal("GET / " + version + "\r\nHost: a\r\n\r\n"), Reason::kHttpVersionUnsupported) << version;
  }
  for (const std::string version : {"http/1.1", "HTTP/1.1 ", "HTTP/11", "HTTP/1.x", "FTP/1.1", "x HTTP/1.1", ""}) {
    EXPECT_EQ(refusal("GET / " + version + "\r\nHost: a\r\n\r\n"), Reason::kHttpMalformed) << version;
  }
}

TEST(RequestParser, Host_MustBeThereOnceAndPlain) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), Reason::kHttpMalformed);
  EXPECT_EQ(refusal(get("Host: a\r\n")), Reason::kHttpMalformed);
  for (const std::string host : {"a b", "a,b", "a/b", "u@a", "a\tb"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), Reason::kHttpMalformed) << host;
  }
  EXPECT_EQ(Parsed("GET / HTTP/1.0\r\n\r\n").status, Status::kComplete);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nHost:\r\n\r\n").status, Status::kComplete);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nHost: [::1]:6001\r\n\r\n").status, Status::kComplete);
}

TEST(RequestParser, SmugglingAttempts_AreRefused) {
  for (const std::string lines : {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                                  "Content-Length: 3\r\nContent-Length: 4\r\n",
                                  "Content-Length: 3\r\nContent-Length: 3\r\n",
                                  "Content-Length: 3, 3\r\n",
                                  "Content-Length: 3,4\r\n",
                                  "Content-Length: +3\r\n",
                                  "Content-Length: -3\r\n",
                                  "Content-Length: 0x3\r\n",
                                  "Content-Length: 3 3\r\n",
                                  "Content-Length:\r\n",
                                  "Content-Length: 99999999999999999999\r\n",
                                  "Transfer-Encoding: gzip\r\n",
                                  "Transfer-Encoding: identity\r\n",
                                  "Transfer-Encoding: gzip, chunked\r\n",
                                  "Transfer-Encoding: chunked, chunked\r\n",
                                  "Transfer-Encoding: chunked, identity\r\n",
                                  "Transfer-Encoding: xchunked\r\n",
                                  "Transfer-Encoding: \"chunked\"\r\n",
                                  "Transfer-Encoding:\r\n",
                                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                                  "Transfer-Encoding : chunked\r\n",
                                  "Transfer-Encoding\t: chunked\r\n",
                                  "Transfer-Encoding:\x0b"
                                  "chunked\r\n",
                                  "Content-Length : 3\r\n",
                                  "X: a\r\n Content-Length: 3\r\n",
                                  "X: a\r\n\tb\r\n",
                                  "X: a\nContent-Length: 3\r\n",
                                  "X: a\rContent-Length: 3\r\n",
                                  ": empty name\r\n",
                                  "no colon\r\n",
                                  "X\x80: a\r\n"}) {
    EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"), Reason::kHttpMalformed) << lines;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Reason::kHttpMalformed);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), Reason::kHttpMalformed);
}

TEST(RequestParser, BrokenRequestLine_IsRefused) {
  for (const std::string line : {"GET", "GET /", "GET  / HTTP/1.1", "G(T / HTTP/1.1", "GET /\x01 HTTP/1.1",
                                 " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET / HTTP/1.1 x"}) {
    EXPECT_EQ(refusal(line + "\r\nHost: a\r\n\r\n"), Reason::kHttpMalformed) << line;
  }
}

TEST(RequestParser, TlsHelloOnThePlainPort_IsRefusedByItsFirstByte) {
  EXPECT_EQ(refusal("\x16"), Reason::kHttpMalformed);
}

TEST(RequestParser, Started_TellsIdleFromSlow) {
  RequestParser parser;
  EXPECT_FALSE(parser.started());
  std::span<const char> empty_line(std::string_view("\r\n"));
  EXPECT_EQ(parser.feed(empty_line), Status::kNeedMore);
  EXPECT_FALSE(parser.started());
  std::span<const char> byte(std::string_view("G"));
  EXPECT_EQ(parser.feed(byte), Status::kNeedMore);
  EXPECT_TRUE(parser.started());
  parser.reset();
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, AfterResetAndRelease_NothingIsLeftOfTheOldRequest) {
  RequestParser parser;
  for (int round = 0; round < 4; ++round) {
    const std::string big(100'000, 'b');
    const std::string first = "POST /a?b HTTP/1.0\r\nX: 1\r\nX: 2\r\nContent-Length: 100000\r\n\r\n" + big;
    std::span<const char> in(first);
    ASSERT_EQ(parser.feed(in), Status::kComplete);
    EXPECT_EQ(parser.request().body(), big);
    round % 2 == 0 ? parser.reset() : parser.release();
    const std::string second = get("");
    in = second;
    ASSERT_EQ(parser.feed(in), Status::kComplete);
    EXPECT_EQ(parser.request().query(), "");
    EXPECT_EQ(parser.request().body(), "");
    EXPECT_FALSE(parser.request().has_header("x"));
    EXPECT_TRUE(parser.request().keep_alive());
    parser.reset();
  }
}

TEST(RequestParser, AfterARefusal_TakesNothingUntilReset) {
  Parsed parsed("BAD\r\n\r\n");
  ASSERT_EQ(parsed.status, Status::kError);
  const std::string good = get("");
  std::span<const char> in(good);
  EXPECT_EQ(parsed.parser.feed(in), Status::kError);
  EXPECT_EQ(in.size(), good.size());
  parsed.parser.reset();
  EXPECT_EQ(parsed.parser.error(), Reason::kNone);
  EXPECT_EQ(parsed.parser.feed(in), Status::kComplete);
}

TEST(RequestParser, Moved_GoesOnWhereItWas) {
  RequestParser first;
  std::span<const char> in(std::string_view("GET / HT"));
  EXPECT_EQ(first.feed(in), Status::kNeedMore);
  RequestParser second(std::move(first));
  in = std::span<const char>(std::string_view("TP/1.0\r\n\r\n"));
  EXPECT_EQ(second.feed(in), Status::kComplete);
}

}  // namespace
}  // namespace kilat::http
