#include "config/variables.h"

#include <gtest/gtest.h>

#include <vector>

#include "config/load.h"
#include "config/toml_reader.h"

namespace kilat::config {
namespace {

const std::vector<std::string> kVariables{"NAME=shop", "EMPTY=", "NAMES=more", "NESTED=${NAME}", "NAME=second"};

std::string expanded(std::string_view text) {
  return expand_variables(text, kVariables).value_or("refused");
}

std::string refusal(std::string_view text) {
  const auto result = expand_variables(text, kVariables);
  return result ? "taken" : result.error();
}

TEST(Variables, Reference_IsReplacedByTheFirstValue) {
  EXPECT_EQ(expanded("${NAME}"), "shop");
  EXPECT_EQ(expanded("a-${NAME}-${NAMES}!"), "a-shop-more!");
}

TEST(Variables, TextWithoutReference_StaysAsItIs) {
  EXPECT_EQ(expanded(""), "");
  EXPECT_EQ(expanded("$ {userId} $NAME } $"), "$ {userId} $NAME } $");
}

TEST(Variables, ValueThatLooksLikeAReference_IsNotExpanded) {
  EXPECT_EQ(expanded("${NESTED}"), "${NAME}");
}

TEST(Variables, MissingOrEmpty_TakesTheDefault) {
  EXPECT_EQ(expanded("${OTHER:-x}${EMPTY:-y}${NAME:-z}"), "xyshop");
  EXPECT_EQ(expanded("${OTHER:-}"), "");
}

TEST(Variables, MissingOrEmptyWithoutDefault_IsNamed) {
  EXPECT_EQ(refusal("${OTHER}"), "needs the environment variable OTHER, which is missing or empty");
  EXPECT_EQ(refusal("${EMPTY}"), "needs the environment variable EMPTY, which is missing or empty");
}

TEST(Variables, DoubledDollar_StandsForOne) {
  EXPECT_EQ(expanded("$${NAME} ${NAME}"), "${NAME} shop");
}

TEST(Variables, BrokenReference_IsRefused) {
  EXPECT_EQ(refusal("${NAME"), "has ${ without }");
  EXPECT_EQ(refusal("${}"), "has ${} without a name");
  EXPECT_EQ(refusal("${:-x}"), "has ${} without a name");
}

TEST(Variables, TextThatGetsTooLong_IsRefused) {
  const std::vector<std::string> large{"L=" + std::string(kExpandedBytesMax / 2 + 1, 'x')};
  EXPECT_TRUE(expand_variables("${L}", large));
  EXPECT_FALSE(expand_variables("${L}${L}", large));
}

TEST(Variables, File_TakesThemInTextsAndLists) {
  const Document document = read_toml(
      "[[app]]\nid = \"${NAME}\"\nkey = \"k\"\nsecret = \"${NAMES}\"\nallowed_origins = [\"${NAME}.example\"]\n",
      "kilat.toml", kVariables);
  EXPECT_EQ(render(document.diagnostics), "");
  ASSERT_EQ(document.settings.apps.size(), 1u);
  EXPECT_EQ(document.settings.apps[0].id, "shop");
  EXPECT_EQ(document.settings.apps[0].secret, "more");
  EXPECT_EQ(document.settings.apps[0].allowed_origins, std::vector<std::string>{"shop.example"});
}

TEST(Variables, FileWithAMissingOne_IsRefusedAtItsPlace) {
  const Document document =
      read_toml("[[app]]\nid = \"a\"\nkey = \"${NO_KEY}\"\nsecret = \"${NO_SECRET}\"\n", "kilat.toml", kVariables);
  const std::string shown = render(document.diagnostics);
  EXPECT_NE(shown.find("kilat.toml:3:7: error: app.key needs the environment variable NO_KEY"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("kilat.toml:4:10: error: app.secret needs the environment variable NO_SECRET"),
            std::string::npos)
      << shown;
}

}  // namespace
}  // namespace kilat::config
