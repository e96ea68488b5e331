#include "base/history_ask.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>

#include "base/history_json.h"

namespace kilat {
namespace {

std::optional<HistoryAsk> read(std::string_view json) {
  JsonParser parser;
  const auto document = parser.parse_copy(json);
  simdjson::dom::object object;
  if (!document || document->get(object) != simdjson::SUCCESS) return std::nullopt;
  return read_history_ask(object);
}

TEST(HistoryAsk, RecoverAndRewind_AreRead) {
  EXPECT_FALSE(read(R"({"channel":"c"})"));
  EXPECT_FALSE(read(R"({"recover":false})"));
  const auto positions = read(R"({"recover":true})");
  ASSERT_TRUE(positions);
  EXPECT_FALSE(positions->recover);
  const auto recover = read(R"({"recover":{"epoch":"0000abcd","offset":41}})");
  ASSERT_TRUE(recover);
  EXPECT_TRUE(recover->recover);
  EXPECT_EQ(recover->since, (Position{0xabcd, 41}));
  const auto count = read(R"({"rewind":{"count":10}})");
  ASSERT_TRUE(count);
  EXPECT_EQ(count->rewind, 10U);
  EXPECT_EQ(count->rewind_ms, 0U);
  EXPECT_EQ(read(R"({"rewind":{"seconds":30}})")->rewind_ms, 30'000U);
  const auto both = read(R"({"rewind":{"count":1},"recover":{"epoch":"0000abcd","offset":1}})");
  EXPECT_TRUE(both->recover);
  EXPECT_EQ(both->rewind, 1U);
}

TEST(HistoryAsk, WhatIsNotAsItShouldBe_MeansNothing) {
  for (const char* json : {R"({"recover":1})", R"({"recover":"yes"})", R"({"recover":null})", R"({"recover":[]})",
                           R"({"rewind":5})", R"({"rewind":"5"})"}) {
    EXPECT_FALSE(read(json)) << json;
  }
  for (const char* json :
       {R"({"recover":{}})", R"({"recover":{"epoch":7,"offset":"x"}})", R"({"recover":{"epoch":"xyz","offset":-1}})",
        R"({"recover":{"epoch":"0000ABCD","offset":1.5}})"}) {
    const auto ask = read(json);
    ASSERT_TRUE(ask) << json;
    EXPECT_TRUE(ask->recover) << "it is to be refused, not forgotten";
    EXPECT_EQ(ask->since, Position()) << json;
  }
  EXPECT_LE(read(R"({"rewind":{"seconds":18446744073709551615}})")->rewind_ms, uint64_t{366} * 86'400'000);
  EXPECT_EQ(read(R"({"rewind":{"count":-1,"seconds":-5}})")->rewind, 0U);
}

TEST(HistoryAsk, Epochs_AreEightDigits_AndNothingElseParses) {
  for (const uint32_t epoch : {1U, 0xdeadbeefU, std::numeric_limits<uint32_t>::max()}) {
    EXPECT_EQ(parse_epoch(epoch_text(epoch)), epoch);
  }
  for (const char* bad : {"", "0", "deadbee", "DEADBEEF", "deadbeef0", "+eadbeef", "deadbee ", "0x000001"}) {
    EXPECT_EQ(parse_epoch(bad), 0U) << bad;
  }
}

std::string told(Position position, bool asked, std::string_view refused, std::string json = "{") {
  append_history(json, position, asked, refused);
  return json + '}';
}

TEST(HistoryAsk, Answers_SayOnlyWhatWasAsked) {
  EXPECT_EQ(told({}, false, ""), "{}");
  EXPECT_EQ(told({1, 7}, false, ""), R"({"position":{"epoch":"00000001","offset":7}})");
  EXPECT_EQ(told({1, 7}, true, ""), R"({"position":{"epoch":"00000001","offset":7},"recovered":true})");
  EXPECT_EQ(told({}, true, "history_off"), R"({"recovered":false,"reason":"history_off"})");
  EXPECT_EQ(told({1, 7}, true, "history_epoch", R"({"ok":true)"),
            R"({"ok":true,"position":{"epoch":"00000001","offset":7},"recovered":false,"reason":"history_epoch"})");
}

}  // namespace
}  // namespace kilat
