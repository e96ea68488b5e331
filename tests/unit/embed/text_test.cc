#include "embed/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kilat::embed {
namespace {

TEST(Text, Values_ComeBackAsTheyWere) {
  const auto args = args_of_list(R"([1, -2.5, "é", [null, true], {"a": 18446744073709551615}])", {});
  ASSERT_TRUE(args);
  EXPECT_EQ(list_of(args->message()), R"([1,-2.5E0,"é",[null,true],{"a":18446744073709551615}])");
}

TEST(Text, Bytes_AreFoundByTheirPlaceholders) {
  io::Message message;
  message.add(io::Bytes{"one"});
  message.add(json::object{{"deep", message.attach({"two"})}});
  const auto list = list_of(message);
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, R"([{"_placeholder":true,"num":0},{"deep":{"_placeholder":true,"num":1}}])");
  const auto args = args_of_list(*list, message.attachments);
  ASSERT_TRUE(args);
  EXPECT_EQ(args->bytes(0)->data, "one");
  EXPECT_EQ(args->bytes((*args)[1].at("deep"))->data, "two");
  EXPECT_FALSE(args->bytes(1));
}

TEST(Text, Query_IsDecodedAndTheFirstOfANameCounts) {
  using Query = std::map<std::string, std::string>;
  EXPECT_EQ(query_of("a=1&a=2&b=x%20y+z&%C3%A9=&c"), (Query{{"a", "1"}, {"b", "x y z"}, {"é", ""}, {"c", ""}}));
  EXPECT_EQ(query_of("a=%4&b=%zz"), (Query{{"a", "%4"}, {"b", "%zz"}}));
  EXPECT_EQ(query_of(""), Query{});
}

TEST(Text, Header_IsFoundInAnyCaseAndTheFirstCounts) {
  const std::vector<std::pair<std::string, std::string>> headers{{"Host", "x"}, {"X-Color", "red"}, {"x-color", "2"}};
  EXPECT_EQ(find_header(headers, "x-cOLOR"), "red");
  EXPECT_EQ(find_header(headers, "x-colo"), "");
}

TEST(Text, PlaceholderOfNothing_IsNoBytes) {
  for (const char* list : {R"([{"_placeholder":true,"num":1}])", R"([{"_placeholder":true,"num":-1}])",
                           R"([{"_placeholder":1,"num":0}])", R"([{"_placeholder":true}])", R"([{"num":0}])"}) {
    const auto args = args_of_list(list, std::vector<std::string>{"x"});
    ASSERT_TRUE(args) << list;
    EXPECT_FALSE(args->bytes(0)) << list;
  }
}

TEST(Text, WhatNoClientCouldRead_IsNotSent) {
  io::Message broken;
  broken.add(std::string("\xff\xfe"));
  EXPECT_FALSE(list_of(broken));
  io::Message many;
  for (int i = 0; i < 11; ++i) many.add(io::Bytes{"x"});
  EXPECT_FALSE(list_of(many));
}

TEST(Text, DeepValue_IsReadAsDeepAsTheServerReads) {
  const std::string deep = std::string(500, '[') + std::string(500, ']');
  EXPECT_TRUE(args_of_list(deep, {}));
  EXPECT_FALSE(value_of(std::string(5'000, '[') + std::string(5'000, ']')));
  EXPECT_FALSE(value_of("[1"));
}

}  // namespace
}  // namespace kilat::embed
