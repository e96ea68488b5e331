// Bodies of POST /apps/ID/ingest.
#include "ingest/body.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ingest/gzip.h"
#include "store/ingest_record.h"
#include "unit/ingest/gzipped.h"

namespace kilat::ingest {
namespace {

using testing::gzipped;

constexpr std::string_view kLines = "application/x-ndjson; charset=utf-8";
constexpr uint64_t kNow = 1'795'289'633'000;

struct Given {
  std::string_view type = "application/json";
  std::string_view encoding = {};
  hub::IngestSettings settings = {};
  BodyParser::Limits limits = {.unpacked_bytes_max = 100'000, .reading_bytes_max = 10'000};
};

Result<Readings> parse(std::string body, const Given& given) {
  const size_t size = body.size();
  body.append(64, '"');
  BodyParser parser;
  return parser.parse({given.type, given.encoding, std::string_view(body).substr(0, size)}, given.settings,
                      given.limits, kNow);
}

/// "sensor|value|time|data" of each reading, or "reason: detail".
std::vector<std::string> read(std::string body, const Given& given = {}) {
  const auto readings = parse(std::move(body), given);
  if (!readings) return {std::string(reason_row(readings.error().reason).id) + ": " + readings.error().detail};
  std::vector<std::string> out;
  store::BatchReader batch(readings->data);
  while (const auto one = batch.next()) {
    out.push_back(std::string(one->sensor) + "|" + std::string(one->value) + "|" + std::to_string(one->unix_ms) + "|" +
                  std::string(one->data));
  }
  EXPECT_EQ(out.size(), readings->count);
  return out;
}

std::string error_of(std::string body, const Given& given = {}) {
  const auto out = read(std::move(body), given);
  return out.size() == 1 ? out[0] : "taken";
}

using Lines = std::vector<std::string>;
const std::string kAt = std::to_string(kNow);

TEST(IngestBody, TimeMoreThanADayAhead_IsRefused) {
  const auto at = [](uint64_t unix_ms) { return R"({"timestamp":)" + std::to_string(unix_ms) + "}"; };
  const uint64_t last = kNow + BodyParser::kAheadMsMax;
  EXPECT_EQ(read(at(last)), Lines{"||" + std::to_string(last) + "|" + at(last)});
  const std::string refusal = "ingest_reading_invalid: timestamp is more than a day ahead of the server's clock";
  EXPECT_EQ(error_of(at(last + 1)), refusal);
  EXPECT_EQ(error_of(R"({"timestamp":"9999-12-31T00:00:00Z"})"), refusal);
  EXPECT_EQ(error_of("{}\n" + at(last + 1), {.type = kLines}),
            "ingest_reading_invalid: line 2: timestamp is more than a day ahead of the server's clock");
}

TEST(IngestBody, OneObject_AnArray_AndLines_GiveTheSameReadings) {
  const Lines wanted{R"(a|1.50|1000000000000|{"channel":"a","value":1.50,"timestamp":1000000000})",
                     "b|-2e3|" + kAt + R"(|{"value":-2e3, "channel":"b"})"};
  EXPECT_EQ(read(R"( {"channel":"a","value":1.50,"timestamp":1000000000} )"), Lines{wanted[0]});
  EXPECT_EQ(read(R"([{"channel":"a","value":1.50,"timestamp":1000000000} ,
                     {"value":-2e3, "channel":"b"}])"),
            wanted);
  const std::string lines =
      "\n{\"channel\":\"a\",\"value\":1.50,\"timestamp\":1000000000}\r\n \n"
      "{\"value\":-2e3, \"channel\":\"b\"}";
  EXPECT_EQ(read(lines, {.type = kLines}), wanted);
  EXPECT_EQ(read(lines + "\n", {.type = "APPLICATION/NDJSON"}), wanted);
}

TEST(IngestBody, NumbersOfAnySize_StayAsTheyCame) {
  const std::string big = R"({"channel":123456789012345678901234567890,"value":0.1234567890123456789012345678901e400})";
  EXPECT_EQ(read(big),
            Lines{"123456789012345678901234567890|0.1234567890123456789012345678901e400|" + kAt + "|" + big});
}

TEST(IngestBody, NullsAndMissingMembers_AreNoValues) {
  EXPECT_EQ(read(R"({"channel":null,"value":null,"timestamp":null})"),
            Lines{"||" + kAt + R"(|{"channel":null,"value":null,"timestamp":null})"});
  EXPECT_EQ(read(R"({"channel":"a","value":"12"})"), Lines{"a||" + kAt + R"(|{"channel":"a","value":"12"})"});
}

TEST(IngestBody, NamesOfTheMembers_AreSettings) {
  hub::IngestSettings settings;
  settings.sensor = "id";
  settings.value = "v";
  settings.time = "at";
  EXPECT_EQ(
      read(R"({"id":"x","v":1,"at":"2026-11-21T19:33:53Z","channel":[],"timestamp":"?"})", {.settings = settings}),
      Lines{R"(x|1|1795289633000|{"id":"x","v":1,"at":"2026-11-21T19:33:53Z","channel":[],"timestamp":"?"})"});
}

TEST(IngestBody, WhatIsNoReading_IsRefusedWithItsPlace) {
  const Given lines{.type = kLines};
  EXPECT_EQ(error_of("{}\n{]\n", lines), "ingest_body_invalid: line 2 is not JSON");
  EXPECT_EQ(error_of("{}\n\n7", lines), "ingest_body_invalid: line 3: a reading must be an object");
  EXPECT_EQ(error_of("[{},7]"), "ingest_body_invalid: reading 2: a reading must be an object");
  EXPECT_EQ(error_of("7"), "ingest_body_invalid: a reading must be an object");
  EXPECT_EQ(error_of("{}{}"),
            "ingest_body_invalid: not JSON; for one reading a line, Content-Type must be application/x-ndjson");
  for (const std::string empty : {"", " \r\n", "[]", "\n\n"}) {
    EXPECT_EQ(error_of(empty, empty == "[]" ? Given{} : lines), "ingest_body_invalid: it is empty");
  }
  EXPECT_EQ(error_of(R"({"channel":{}})"),
            "ingest_reading_invalid: channel must be a text of at most 200 bytes, or a number");
  EXPECT_TRUE(error_of(R"({"channel":")" + std::string(201, 'x') + R"("})").starts_with("ingest_reading_invalid"));
  EXPECT_TRUE(error_of(R"({"timestamp":"soon"})").starts_with("ingest_reading_invalid: timestamp must be a time"));
  EXPECT_EQ(error_of(R"({"x":")" + std::string(9'990, 'x') + R"("})"), "api_data_too_big: app.event_bytes_max");
}

TEST(IngestBody, FieldRules_RefuseWhatDoesNotFit) {
  const std::vector<std::pair<std::string, Lines>> wrong{
      {"f text", {"1", "true", "[]"}}, {"f number", {"\"1\"", "true"}}, {"f integer", {"1.0", "1e2", "\"1\""}},
      {"f bool", {"1", "\"true\""}},   {"f time", {"\"x\"", "[]"}},     {"f object", {"[]", "1"}},
      {"f array", {"{}", "1"}},        {"f required", {"null"}},        {"f any required", {"null"}},
  };
  for (const auto& [rule, values] : wrong) {
    Given given;
    given.settings.fields = {rule};
    for (const std::string& value : values) {
      EXPECT_TRUE(error_of("{\"f\":" + value + "}", given).starts_with("ingest_reading_invalid: f ")) << rule << value;
    }
    EXPECT_EQ(error_of("{}", given).starts_with("ingest_reading_invalid: f is missing"), rule.ends_with("required"));
  }
  Given right;
  right.settings.fields = {"t text", "n number required", "i integer", "b bool",
                           "w time", "o object",          "a array",   "x any"};
  EXPECT_EQ(read(R"({"t":"","n":-1.5e3,"i":-7,"b":false,"w":1795289633,"o":{},"a":[],"x":null})", right).size(), 1U);
}

TEST(IngestBody, ReusedParser_FollowsTheRulesOfEachApp) {
  BodyParser parser;
  const std::string body = "{}" + std::string(64, ' ');
  hub::IngestSettings strict;
  strict.fields = {"value number required"};
  const BodyParser::Body given{{}, {}, std::string_view(body).substr(0, 2)};
  const BodyParser::Limits limits{.unpacked_bytes_max = 100, .reading_bytes_max = 100};
  EXPECT_TRUE(parser.parse(given, {}, limits, kNow));
  EXPECT_FALSE(parser.parse(given, strict, limits, kNow));
  EXPECT_TRUE(parser.parse(given, {}, limits, kNow));
}

TEST(IngestBody, Gzip_IsUnpackedBoundedAndWholeOrRefused) {
  const std::string text = "{\"value\":1}\n{\"value\":2}\n";
  Given given{.type = kLines, .encoding = "gzip"};
  EXPECT_EQ(read(gzipped(text), given).size(), 2U);
  EXPECT_EQ(read(gzipped(text) + gzipped(text), given).size(), 4U);
  given.limits.unpacked_bytes_max = text.size();
  EXPECT_EQ(read(gzipped(text), given).size(), 2U);
  given.limits.unpacked_bytes_max = text.size() - 1;
  EXPECT_TRUE(error_of(gzipped(text), given).starts_with("http_body_too_large"));
  EXPECT_TRUE(error_of(gzipped(std::string(10'000'000, ' ')), given).starts_with("http_body_too_large"));
  given.limits.unpacked_bytes_max = 100'000;
  const std::string whole = gzipped(text);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(error_of(whole.substr(0, size), given).starts_with("ingest_body_invalid")) << size;
  }
  EXPECT_TRUE(error_of(text, given).starts_with("ingest_body_invalid"));
  EXPECT_EQ(error_of(text, {.encoding = "br"}), "ingest_encoding_unknown: ");
  EXPECT_EQ(read("{}", {.encoding = "identity"}).size(), 1U);
}

TEST(IngestBody, EventData_IsAStringWithTheReadingAsItCame) {
  EXPECT_EQ(event_data(1'795'289'633'250, "s\"1", R"({"value":20.50})"),
            R"("{\"data\":{\"value\":20.50},\"timestamp\":\"2026-11-21T19:33:53.250Z\",\"channel\":\"s\\\"1\"}")");
}

}  // namespace
}  // namespace kilat::ingest
