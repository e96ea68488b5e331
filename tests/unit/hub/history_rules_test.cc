#include "hub/history_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kilat::hub {
namespace {

TEST(HistoryRule, Words_SetTheLimits) {
  const auto rule = HistoryRule::parse("alerts.{site} size=1000 age=2h bytes=256KiB durable");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->limits().size, 1'000U);
  EXPECT_EQ(rule->limits().age_ms, 7'200'000U);
  EXPECT_EQ(rule->limits().bytes, 262'144U);
  EXPECT_TRUE(rule->limits().durable);
  const auto plain = HistoryRule::parse("a");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->limits().size, HistoryLimits().size);
  EXPECT_FALSE(plain->limits().durable);
}

TEST(HistoryRule, WhatIsWrong_IsSaid) {
  for (const char* text : {"", " ", "a size=0", "a size=1000001", "a size=x", "a size=", "a size", "a age=1",
                           "a age=999ms", "a age=366d", "a bytes=1023", "a bytes=2GiB", "a lasting", "a none size=3",
                           "a Size=3", "a durable=true", "{x}{y} size=3", "a size=-1", "a size=1e3"}) {
    const auto rule = HistoryRule::parse(text);
    ASSERT_FALSE(rule) << text;
    EXPECT_FALSE(rule.error().empty()) << text;
  }
  EXPECT_FALSE(HistoryRule::parse("a" + std::string(HistoryRule::kTextMax, 'b')));
}

TEST(HistoryRules, TheFirstThatFits_Decides) {
  const std::vector<std::string> texts{"chat.private none", "chat.* size=5", "private-x size=7", "x size=9"};
  const HistoryRules rules(texts);
  EXPECT_EQ(rules.find("chat.private"), nullptr);
  EXPECT_EQ(rules.find("private-chat.private"), nullptr) << "a name is meant under all of its kinds";
  ASSERT_NE(rules.find("chat.a"), nullptr);
  EXPECT_EQ(rules.find("chat.a")->size, 5U);
  EXPECT_EQ(rules.find("presence-chat.a")->size, 5U);
  EXPECT_EQ(rules.find("private-x")->size, 7U);
  EXPECT_EQ(rules.find("x")->size, 9U);
  EXPECT_EQ(rules.find("chats"), nullptr);
  EXPECT_TRUE(HistoryRules().empty());
  EXPECT_EQ(HistoryRules().find("x"), nullptr);
}

}  // namespace
}  // namespace kilat::hub
