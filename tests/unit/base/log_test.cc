#include "base/log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

#include "base/utf8_repair.h"

namespace kilat::log {
namespace {

constexpr uint64_t kTime = 1'767'225'731'123;  // 2026-01-01T00:02:11.123Z

std::string json(std::string_view name, std::initializer_list<Field> fields) {
  return format_line(Format::kJson, false, kTime, Level::kInfo, name, fields);
}

std::string human(std::string_view name, std::initializer_list<Field> fields, bool colours = false) {
  setenv("TZ", "UTC", 1);
  tzset();
  return format_line(Format::kHuman, colours, kTime, Level::kInfo, name, fields);
}

TEST(Log, JsonLine_HasTimeLevelEventAndTypedFields) {
  EXPECT_EQ(json("ready", {{"port", 6001}, {"host", "127.0.0.1"}, {"ms", 1.5}, {"tls", false}}),
            R"({"ts":"2026-01-01T00:02:11.123Z","level":"info","event":"ready","port":6001,"host":"127.0.0.1",)"
            R"("ms":1.5,"tls":false})");
}

TEST(Log, HumanLine_IsTimeLevelEventAndPairs) {
  EXPECT_EQ(human("ready", {{"port", 6001}}), "00:02:11 info  ready port=6001");
}

TEST(Log, HumanLine_WithColours_PaintsTheLevelOnly) {
  EXPECT_EQ(human("ready", {{"port", 1}}, true), "00:02:11 \x1b[32minfo \x1b[0m ready port=1");
}

TEST(Log, QuotesControlsAndBackslashes_AreEscapedInJson) {
  EXPECT_EQ(json("e", {{"v", std::string_view("a\"b\\c\n\x01\x7f", 8)}}),
            R"({"ts":"2026-01-01T00:02:11.123Z","level":"info","event":"e","v":"a\"b\\c\n\u0001\u007f"})");
}

TEST(Log, TerminalEscapes_InAHumanValue_AreNotObeyed) {
  EXPECT_EQ(human("e", {{"v", "\x1b[2J"}}), "00:02:11 info  e v=\"\\u001b[2J\"");
}

TEST(Log, LineBreak_InAHumanValue_CannotForgeALine) {
  EXPECT_EQ(human("e", {{"v", "a\n00:00:00 info  forged"}}).find('\n'), std::string::npos);
}

TEST(Log, InvalidUtf8_BecomesTheReplacementCharacter) {
  EXPECT_NE(json("e", {{"v", "a\xff\xc0\x80z"}}).find("\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""), std::string::npos);
}

TEST(Log, LongValue_IsCutBetweenCharacters) {
  std::string text(255, 'x');
  text += "é tail";
  const std::string line = json("e", {{"v", text}});
  EXPECT_NE(line.find(std::string(255, 'x') + "…\""), std::string::npos);
}

TEST(Log, NumbersJsonCannotSay_BecomeNull) {
  EXPECT_NE(json("e", {{"v", std::numeric_limits<double>::infinity()}}).find("\"v\":null"), std::string::npos);
}

TEST(Log, Level_BelowTheConfiguredOne_IsNotEnabled) {
  init(Level::kWarn, Format::kJson, false);
  EXPECT_FALSE(enabled(Level::kInfo));
  EXPECT_TRUE(enabled(Level::kWarn));
  EXPECT_TRUE(enabled(Level::kError));
  init(level_from("debug"), Format::kJson, false);
  EXPECT_TRUE(enabled(Level::kDebug));
}

TEST(Log, Event_WritesOneLineToStandardError) {
  init(Level::kInfo, Format::kJson, false);
  testing::internal::CaptureStderr();
  event(Level::kInfo, "ready", {{"format", "{} %s %v"}});
  event(Level::kDebug, "hidden");
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_NE(out.find(R"("event":"ready","format":"{} %s %v"})"), std::string::npos);
  EXPECT_EQ(out.find("hidden"), std::string::npos);
  EXPECT_EQ(out.find('\n'), out.size() - 1);
}

TEST(Utf8Repair, WellFormedText_StaysAsItIs) {
  EXPECT_EQ(repair_utf8("aé€😀"), "aé€😀");
}

TEST(Utf8Repair, SurrogatesOverlongsAndCutSequences_AreReplacedByteByByte) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), bad + bad + bad);
  EXPECT_EQ(repair_utf8("\xf0\x80\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(repair_utf8("a\xe2\x82"), "a" + bad + bad);
}

}  // namespace
}  // namespace kilat::log
