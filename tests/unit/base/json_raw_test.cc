#include "base/json_raw.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat {
namespace {

using List = std::vector<std::string_view>;

TEST(JsonRaw, Member_IsTheTextOfTheValueAsWritten) {
  const std::string_view json = R"( { "a" : 1.50 , "b":"x\"}]," ,"c":[ {"d":"]"} ] ,"e":{"f":[]}, "g":null,"h":-0} )";
  const List expected{"1.50", R"("x\"}],")", R"([ {"d":"]"} ])", R"({"f":[]})", "null", "-0"};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(raw_member(json, i), expected[i]);
  EXPECT_FALSE(raw_member(json, expected.size()));
}

TEST(JsonRaw, KeysWithEscapesAndBraces_AreWalkedOver) {
  EXPECT_EQ(raw_member(R"({"a\"{[":"\\","}":2})", 1), "2");
  EXPECT_EQ(raw_member(R"({"a\"{[":"\\","}":2})", 0), R"("\\")");
}

TEST(JsonRaw, NoObject_HasNoMembers) {
  for (const char* json : {"", " ", "[]", "5", "\"{\"", "null", "{}", "{ }"}) EXPECT_FALSE(raw_member(json, 0)) << json;
}

TEST(JsonRaw, Elements_AreTheTextsInOrder) {
  EXPECT_EQ(raw_elements(" [ 1 , \"a,]\" , [ [] ] , {\"x\":[1,2]} ,true] "),
            (List{"1", R"("a,]")", "[ [] ]", R"({"x":[1,2]})", "true"}));
  EXPECT_TRUE(raw_elements("[]").empty());
  EXPECT_TRUE(raw_elements("[ \n ]").empty());
  EXPECT_TRUE(raw_elements("{}").empty());
  EXPECT_TRUE(raw_elements("").empty());
}

TEST(JsonRaw, DeepNesting_NeedsNoStack) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  const std::string object = R"({"a":)" + deep + "}";
  EXPECT_EQ(raw_member(object, 0), deep);
  const std::string array = "[" + deep + ",1]";
  EXPECT_EQ(raw_elements(array).size(), 2U);
}

// On invalid JSON the result means nothing, but every step stays inside the text.
TEST(JsonRaw, CutText_StaysInside) {
  const std::string json = R"({"a\\":{"b":["c\"",{"d":1}]},"e":"\u00e9","f":[1,[2]]})";
  for (size_t size = 0; size <= json.size(); ++size) {
    const std::string cut = json.substr(0, size);
    for (size_t index = 0; index < 4; ++index) {
      const std::string_view raw = raw_member(cut, index).value_or(std::string_view(cut));
      EXPECT_TRUE(raw.data() >= cut.data() && raw.data() + raw.size() <= cut.data() + cut.size());
    }
    for (const std::string_view element : raw_elements("[" + cut)) EXPECT_LE(element.size(), cut.size());
  }
  EXPECT_LE(raw_elements("[]]]").size(), 1U);
  EXPECT_LE(raw_elements("[\"\\").size(), 1U);
}

}  // namespace
}  // namespace kilat
