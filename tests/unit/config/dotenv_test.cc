#include "config/dotenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kilat::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> parse(std::string_view text) {
  return parse_dotenv(text, {});
}

TEST(Dotenv, Assignments_AreReadWithAndWithoutQuotes) {
  EXPECT_THAT(parse("A=1\nexport B = two words # comment\r\nC='#1 \\n'\nD=\"a\\\"b\\n\"\nE=\nF=p#q\n"),
              ElementsAre("A=1", "B=two words", "C=#1 \\n", "D=a\"b\n", "E=", "F=p#q"));
}

TEST(Dotenv, WhatIsNoAssignment_IsLeftOut) {
  EXPECT_THAT(parse("# A=1\n\nnothing\n=x\nA B=1\n"), IsEmpty());
}

TEST(Dotenv, Variables_ComeFromTheEnvironmentOrEarlierLines) {
  const std::vector<std::string> environment{"HOST=h"};
  EXPECT_THAT(parse_dotenv("P=1\nA=${HOST}:${P}\nB='${P}'\nC=\"$P ${Q}${P\"\n", environment),
              ElementsAre("P=1", "A=h:1", "B=${P}", "C=$P ${P"));
}

TEST(Dotenv, ValuesThatGrowByThemselves_AreBounded) {
  std::string text = "A=xxxxxxxx\n";
  for (int i = 0; i < 64; ++i) text += "A" + std::to_string(i) + "=${A}${A}\nA=${A}${A}\n";
  for (const std::string& entry : parse(text)) EXPECT_LE(entry.size(), 5000U);
}

TEST(Dotenv, UnfinishedQuotesAndBraces_DoNoHarm) {
  EXPECT_THAT(parse("A=\"x\nB='y\nC=${\nD=\"\\"), ElementsAre("A=x", "B=y", "C=${", "D=\\"));
}

}  // namespace
}  // namespace kilat::config
