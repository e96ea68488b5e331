#include "base/member_data.h"

#include <gtest/gtest.h>

#include "base/json_parser.h"

namespace kilat {
namespace {

std::optional<MemberData> member(std::string_view text, MemberKind kind = MemberKind::kPresence) {
  JsonParser parser;
  return parse_member(parser, text, kind);
}

TEST(Member, IdsAsStringOrWholeNumber_AreTheirText) {
  EXPECT_EQ(member(R"({"user_id":"abc"})")->user_id, "abc");
  EXPECT_EQ(member(R"({"user_id":10})")->user_id, "10");
  EXPECT_EQ(member(R"({"user_id":-3})")->user_id, "-3");
  EXPECT_EQ(member(R"({"user_id":18446744073709551615})")->user_id, "18446744073709551615");
  EXPECT_EQ(member(R"({"user_id":"\u00e9"})")->user_id, "é");
}

TEST(Member, WithoutAUsableId_IsRefused) {
  for (const char* text : {"", "x", "[]", "{}", R"({"user_id":""})", R"({"user_id":null})", R"({"user_id":1.5})",
                           R"({"user_id":true})", R"({"user_id":{}})", R"({"id":"1"})"}) {
    EXPECT_FALSE(member(text)) << text;
  }
}

TEST(Member, UserInfo_IsKeptAsItCame) {
  EXPECT_EQ(member(R"({"user_id":1,"user_info":{ "n" : "é" }})")->user_info, R"({ "n" : "é" })");
  EXPECT_EQ(member(R"({"user_id":1})")->user_info, "");
  EXPECT_EQ(member(R"({"user_id":1,"user_info":null})")->user_info, "");
  for (const char* info : {"5", "\"x\"", "[]", "true"}) {
    EXPECT_FALSE(member(std::string(R"({"user_id":1,"user_info":)") + info + "}")) << info;
  }
}

TEST(Member, OfASignIn_NeedsAStringId) {
  EXPECT_EQ(member(R"({"id":"42"})", MemberKind::kSignin)->user_id, "42");
  EXPECT_FALSE(member(R"({"id":42})", MemberKind::kSignin));
  EXPECT_FALSE(member(R"({"id":""})", MemberKind::kSignin));
  EXPECT_FALSE(member(R"({"user_id":"42"})", MemberKind::kSignin));
}

TEST(Member, Watchlist_HasEachIdOnceInOrder) {
  const auto data = member(R"({"id":"1","watchlist":["b","a","b",7,"7",null,"",[],"c"]})", MemberKind::kSignin);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->watchlist, (std::vector<std::string>{"b", "a", "7", "c"}));
  EXPECT_TRUE(member(R"({"id":"1","watchlist":"b"})", MemberKind::kSignin)->watchlist.empty());
}

TEST(Member, TokenOfASignIn_HasANameOfOurOwn) {
  std::string json;
  append_member(json, MemberKind::kSignin, "7", R"({"n":1})", "a.b.c");
  EXPECT_EQ(json, R"({"id":"7","user_info":{"n":1},"kilat_token":"a.b.c"})");
  EXPECT_EQ(member(json, MemberKind::kSignin)->token, "a.b.c");
  EXPECT_EQ(member(R"({"id":"7","token":"of the application"})", MemberKind::kSignin)->token, "");
  EXPECT_EQ(member(R"({"user_id":"7","kilat_token":"a.b.c"})")->token, "");
}

TEST(Member, OfPresence_HasNoWatchlist) {
  EXPECT_TRUE(member(R"({"user_id":"1","watchlist":["b"]})")->watchlist.empty());
}

}  // namespace
}  // namespace kilat
