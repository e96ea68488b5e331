#include "cli/tail_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <vector>

namespace kilat::cli {
namespace {

std::string format(std::string_view line) {
  setenv("TZ", "UTC", 1);
  tzset();
  return format_tail_line(line);
}

TEST(TailLine, Event_IsTimeChannelNameAndData) {
  EXPECT_EQ(format(R"({"time_ms":1767225731123,"channel":"chat","event":"hello","data":"{\"text\":\"hi\"}"})"),
            R"(00:02:11.123 chat hello {"text":"hi"})");
  EXPECT_EQ(format(R"({"time_ms":1767225731123,"channel":"c","event":"e","data":{"a":[1,true]},"user_id":"7"})"),
            R"(00:02:11.123 c e {"a":[1,true]}  user 7)");
}

TEST(TailLine, DroppedEvents_AreCounted) {
  EXPECT_EQ(format(R"({"dropped":12})"), "(12 events left out: too many for this tail)");
}

TEST(TailLine, TerminalEscapesInData_AreNotObeyed) {
  EXPECT_EQ(format(R"({"time_ms":1,"channel":"c","event":"e","data":"\u001b[2J\nx"})"),
            R"(00:00:00.001 c e \u001b[2J\u000ax)");
}

TEST(TailLine, OtherText_IsShownAsItIs) {
  EXPECT_EQ(format("not json \x1b"), "not json \\u001b");
  EXPECT_EQ(format("[1]"), "[1]");
  EXPECT_EQ(format(""), "");
}

TEST(LineSplitter, AnySplitOfTheInput_GivesTheSameLines) {
  const std::string input = "one\n\ntwo three\nfour\nunfinished";
  const std::vector<std::string> expected{"one", "", "two three", "four"};
  for (size_t first = 0; first <= input.size(); ++first) {
    for (size_t second = first; second <= input.size(); ++second) {
      std::vector<std::string> lines;
      LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
      splitter.feed(std::string_view(input).substr(0, first));
      splitter.feed(std::string_view(input).substr(first, second - first));
      splitter.feed(std::string_view(input).substr(second));
      EXPECT_EQ(lines, expected) << first << " " << second;
    }
  }
}

TEST(LineSplitter, LineOverTheBound_IsLeftOutAndCounted) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  const std::string part(kTailLineBytesMax / 2 + 1, 'x');
  for (int i = 0; i < 5; ++i) splitter.feed(part);
  splitter.feed("\nnext\n");
  EXPECT_EQ(lines, std::vector<std::string>{"next"});
  EXPECT_EQ(splitter.skipped(), 1U);
}

TEST(LineSplitter, Reset_ForgetsTheUnfinishedLine) {
  std::vector<std::string> lines;
  LineSplitter splitter([&](std::string_view line) { lines.emplace_back(line); });
  splitter.feed("half of a ");
  splitter.reset();
  splitter.feed("whole\n");
  EXPECT_EQ(lines, std::vector<std::string>{"whole"});
}

}  // namespace
}  // namespace kilat::cli
