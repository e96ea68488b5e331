// NDJSON bodies that come bit by bit: the same pieces at every split.
#include "ingest/line_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/ingest_record.h"
#include "unit/ingest/gzipped.h"

namespace kilat::ingest {
namespace {

using testing::gzipped;

constexpr BodyParser::Limits kLimits{.unpacked_bytes_max = 0, .reading_bytes_max = 1'000};

/// What came out of a body that was fed `step` bytes at a time, the first time `first`: of each piece its readings,
/// lines, and whether it is the last one; then the error.
struct Seen {
  std::vector<std::string> values;
  std::vector<std::string> pieces;
  std::string error;
  size_t buffered = 0;
  bool operator==(const Seen& other) const {
    return values == other.values && pieces == other.pieces && error == other.error;
  }
};

Seen read(std::string_view body, size_t first, size_t step, bool packed, const hub::IngestSettings& settings = {}) {
  BodyParser parser;
  LineStream stream(parser, settings, kLimits, packed);
  Seen seen;
  for (size_t begin = 0; begin <= body.size();) {
    const size_t size = std::min(begin == 0 ? first : step, body.size() - begin);
    stream.feed(body.substr(begin, size));
    begin += size;
    if (begin == body.size()) {
      stream.end();
      ++begin;
    }
    for (;;) {
      auto piece = stream.next(7);
      seen.buffered = std::max(seen.buffered, stream.buffered());
      if (!piece) {
        seen.error = std::string(reason_row(piece.error().reason).id) + ": " + piece.error().detail;
        return seen;
      }
      if (!*piece) break;
      store::BatchReader batch((*piece)->readings.data);
      uint32_t count = 0;
      while (const auto one = batch.next()) {
        seen.values.emplace_back(one->data);
        ++count;
      }
      EXPECT_EQ(count, (*piece)->readings.count);
      seen.pieces.push_back(std::to_string(count) + "/" + std::to_string((*piece)->lines) +
                            ((*piece)->last ? " last" : ""));
    }
  }
  return seen;
}

Seen whole(std::string_view body, bool packed = false) {
  return read(body, body.size(), body.size(), packed);
}

TEST(LineStream, ReadingsAtEverySplit_AreTheSame) {
  const std::string body = "{\"value\":1}\n\n{\"value\":22}\r\n  \n{\"channel\":\"é\"}";
  const Seen expected = whole(body);
  EXPECT_EQ(expected.values, (std::vector<std::string>{R"({"value":1})", R"({"value":22})", R"({"channel":"é"})"}));
  EXPECT_EQ(expected.pieces, std::vector<std::string>{"3/5 last"});
  const std::string packed = gzipped(body.substr(0, 20)) + gzipped(body.substr(20));
  EXPECT_EQ(whole(packed, true), expected);
  for (size_t cut = 1; cut < body.size(); ++cut) ASSERT_EQ(read(body, cut, 1'000, false), expected) << cut;
  for (size_t cut = 1; cut < packed.size(); ++cut) ASSERT_EQ(read(packed, cut, 1'000, true), expected) << cut;
  EXPECT_EQ(read(body, 1, 1, false), expected);
  EXPECT_EQ(read(packed, 1, 1, true), expected);
}

TEST(LineStream, LongBody_IsCutAtTheSameLinesHoweverItComes) {
  std::string body;
  for (int i = 0; i < 20'000; ++i)
    body += R"({"channel":"temp-)" + std::to_string(i % 10) + R"(","value":)" + std::to_string(i) + "}\n";
  const Seen expected = whole(body);
  EXPECT_EQ(expected.values.size(), 20'000U);
  EXPECT_GT(expected.pieces.size(), 4U);
  EXPECT_TRUE(expected.pieces.back().ends_with("/20000 last"));
  for (const size_t step : {997U, 65'536U, 300'000U}) EXPECT_EQ(read(body, step, step, false), expected) << step;
  const std::string packed = gzipped(body);
  for (const size_t step : {13U, 997U, 65'536U}) EXPECT_EQ(read(packed, step, step, true), expected) << step;
}

TEST(LineStream, Memory_StaysBoundedHoweverLongTheBodyIs) {
  std::string body;
  while (body.size() < 8'000'000) body += "{\"value\":1}\n";
  EXPECT_LT(read(body, 65'536, 65'536, false).buffered, 1'500'000U);
  // A thousand times as much as it looks.
  const std::string packed = gzipped(body);
  EXPECT_LT(packed.size(), 65'536U);
  EXPECT_LT(read(packed, 65'536, 65'536, true).buffered, 1'500'000U);
  const std::string blank = gzipped(std::string(8'000'000, '\n'));
  const Seen nothing = whole(blank, true);
  EXPECT_TRUE(nothing.values.empty());
  EXPECT_GT(nothing.pieces.size(), 100U);  // so that its reader may do something else in between
  EXPECT_LT(nothing.buffered, 500'000U);
}

TEST(LineStream, Refusals_NameTheLineAndComeBehindWhatWasWhole) {
  EXPECT_EQ(whole("{}\n\n{\"a\":\n{}\n").error, "ingest_body_invalid: line 3 is not JSON");
  EXPECT_EQ(whole("{}\n[1]").error, "ingest_body_invalid: line 2: a reading must be an object");
  EXPECT_EQ(whole("{}\n{\"x\":\"" + std::string(1'000, 'x') + "\"}").error,
            "api_data_too_big: line 2: app.event_bytes_max");
  hub::IngestSettings strict;
  strict.fields = {"value number required"};
  EXPECT_EQ(read("{\"value\":1}\n{}\n", 5, 5, false, strict).error, "ingest_reading_invalid: line 2: value is missing");
  const std::string rest(2 * LineStream::kPieceBytes, '\n');
  EXPECT_EQ(whole("{}" + rest + "x").error, "ingest_body_invalid: line 524289 is not JSON");
}

TEST(LineStream, LineWithoutEnd_IsRefusedBeforeItIsKept) {
  for (const size_t step : {1U, 1'000U, 100'000U}) {
    const Seen seen = read(std::string(100'000, ' '), step, step, false);
    EXPECT_EQ(seen.error, "api_data_too_big: line 1: app.event_bytes_max");
    EXPECT_LT(seen.buffered, 300'000U);
  }
}

TEST(LineStream, BrokenGzip_IsRefusedAtEverySplit) {
  const std::string packed = gzipped("{\"value\":1}\n{\"value\":2}\n");
  for (size_t cut = 0; cut < packed.size(); ++cut) {
    const std::string part = packed.substr(0, cut);
    ASSERT_EQ(read(part, 3, 3, true).error, "ingest_body_invalid: not whole gzip") << cut;
  }
  std::string wrong = packed;
  wrong[wrong.size() - 6] ^= 1;  // of the checksum
  for (const size_t step : {1U, 4U, 1'000U}) {
    EXPECT_EQ(read(wrong, step, step, true).error, "ingest_body_invalid: not gzip") << step;
    EXPECT_EQ(read("no gzip at all", step, step, true).error, "ingest_body_invalid: not gzip") << step;
  }
}

TEST(LineStream, EmptyBody_IsOneEmptyPiece) {
  EXPECT_EQ(whole("").pieces, std::vector<std::string>{"0/0 last"});
  EXPECT_EQ(whole(gzipped(""), true).pieces, std::vector<std::string>{"0/0 last"});
}

}  // namespace
}  // namespace kilat::ingest
