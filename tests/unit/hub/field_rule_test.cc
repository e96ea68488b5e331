// Rules about members of readings.
#include "hub/field_rule.h"

#include <gtest/gtest.h>

namespace kilat::hub {
namespace {

TEST(FieldRule, WordsInAnyOrder_AreRead) {
  const auto rule = FieldRule::parse("value  required number");
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->name, "value");
  EXPECT_EQ(rule->type, FieldType::kNumber);
  EXPECT_TRUE(rule->required);
  EXPECT_EQ(FieldRule::parse("x required")->type, FieldType::kAny);
  EXPECT_FALSE(FieldRule::parse("x time")->required);
}

TEST(FieldRule, OtherTexts_AreRefused) {
  for (const char* text : {"", " ", "value", "value float", "value text number", "value text extra"}) {
    EXPECT_FALSE(FieldRule::parse(text)) << text;
  }
  EXPECT_FALSE(FieldRule::parse(std::string(600, 'x') + " text"));
}

}  // namespace
}  // namespace kilat::hub
