// Bodies that go to a sink as they come: whatever the network does to the bytes, the outcome is the same.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/http/transcript.h"

namespace kilat::http {
namespace {

constexpr ParserLimits kOffering{.header_bytes_max = 300, .body_bytes_max = 40, .offer_streams = true};
constexpr std::string_view kPost = "POST /s HTTP/1.1\r\nHost: a\r\n";

struct Gathered final : BodySink {
  std::string text;
  void on_body(std::string_view bytes) override { text += bytes; }
};

/// What comes out when `input` is fed in pieces of at most `step` bytes, the first of `first`; "stream" where a stream
/// was offered, with all that its sink was given.
std::string streamed(std::string_view input, size_t first, size_t step, bool accept) {
  std::string out;
  RequestParser parser(kOffering);
  Gathered sink;
  for (size_t begin = 0; begin < input.size();) {
    const size_t size = std::min(begin == 0 ? first : step, input.size() - begin);
    const std::vector<char> piece(input.begin() + static_cast<std::ptrdiff_t>(begin),
                                  input.begin() + static_cast<std::ptrdiff_t>(begin + size));
    begin += size;
    std::span<const char> in(piece);
    for (bool more = true; more;) {
      const Status status = parser.feed(in);
      more = !in.empty();
      if (status == Status::kError) {
        return out + "[" + sink.text + "] error " + std::string(reason_row(parser.error()).id);
      }
      if (status == Status::kExpectContinue) out += "100-continue ";
      if (status == Status::kStreamable) {
        out += "stream " + std::string(parser.request().path()) + " ";
        if (accept) parser.stream_to(sink);
        more = true;  // it may have something to say without more input
      }
      if (status == Status::kComplete) {
        out += "[" + std::exchange(sink.text, {}) + "] body=" + std::string(parser.request().body()) + "\n";
        parser.reset();
      }
    }
  }
  return out + "[" + sink.text + "]";
}

void expect_same_at_every_split(const std::string& input, bool accept, const std::string& whole) {
  EXPECT_EQ(streamed(input, input.size(), 1, accept), whole) << input;
  for (size_t cut = 1; cut < input.size(); ++cut) {
    ASSERT_EQ(streamed(input, cut, input.size(), accept), whole) << input << "\ncut at " << cut;
  }
  for (const size_t step : {1U, 2U, 3U, 5U, 7U}) {
    ASSERT_EQ(streamed(input, step, step, accept), whole) << input << "\nstep " << step;
  }
}

TEST(StreamedBody, OfAnyLengthAndFraming_ArrivesWholeAtEverySplit) {
  const std::string post(kPost);
  const std::string long_body(100, 'x');
  expect_same_at_every_split(post + "Content-Length: 100\r\n\r\n" + long_body + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                             true, "stream /s [" + long_body + "] body=\n[] body=\n[]");
  expect_same_at_every_split(
      post + "Transfer-Encoding: chunked\r\n\r\n2d\r\n" + std::string(45, 'y') + "\r\n3\r\nend\r\n0\r\n\r\n", true,
      "stream /s [" + std::string(45, 'y') + "end] body=\n[]");
  expect_same_at_every_split(post + "Expect: 100-continue\r\nContent-Length: 50\r\n\r\n" + std::string(50, 'z'), true,
                             "stream /s 100-continue [" + std::string(50, 'z') + "] body=\n[]");
  // Short and of known length: nobody is asked.
  expect_same_at_every_split(post + "Content-Length: 2\r\n\r\nhi", true, "[] body=hi\n[]");
}

TEST(StreamedBody, ThatIsNotTaken_IsGatheredAndLimitedAsAnyOther) {
  const std::string post(kPost);
  expect_same_at_every_split(post + "Content-Length: 41\r\n\r\n" + std::string(41, 'x'), false,
                             "stream /s [] error http_body_too_large");
  expect_same_at_every_split(post + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false,
                             "stream /s [] body=hi\n[]");
  expect_same_at_every_split(
      post + "Transfer-Encoding: chunked\r\n\r\n20\r\n" + std::string(32, 'x') + "\r\n9\r\nabcdefghi\r\n", false,
      "stream /s [] error http_body_too_large");
}

TEST(StreamedBody, WithBrokenChunks_IsRefusedBehindWhatWasWhole) {
  const std::string head = std::string(kPost) + "Transfer-Encoding: chunked\r\n\r\n";
  expect_same_at_every_split(head + "5\r\nhelloGET", true, "stream /s [hello] error http_malformed");
  expect_same_at_every_split(head + "5\r\nhello\r\nx\r\n", true, "stream /s [hello] error http_malformed");
}

TEST(StreamedBody, OfADoubtfulRequest_IsNeverOffered) {
  expect_same_at_every_split(std::string(kPost) + "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                             true, "[] error http_malformed");
  expect_same_at_every_split("POST /s HTTP/1.1\r\nContent-Length: 50\r\n\r\n", true, "[] error http_body_too_large");
}

TEST(StreamedBody, OfAMebibyte_LeavesTheParserSmall) {
  RequestParser parser(kOffering);
  Gathered sink;
  const std::string head = std::string(kPost) + "Content-Length: 1048576\r\n\r\n";
  std::span<const char> in(head);
  ASSERT_EQ(parser.feed(in), Status::kStreamable);
  parser.stream_to(sink);
  const std::string part(65'536, 'x');
  for (int i = 0; i < 16; ++i) {
    in = part;
    EXPECT_EQ(parser.feed(in), i < 15 ? Status::kNeedMore : Status::kComplete);
  }
  EXPECT_EQ(sink.text.size(), 1'048'576U);
  EXPECT_LT(parser.buffered(), 4'096U);
}

}  // namespace
}  // namespace kilat::http
