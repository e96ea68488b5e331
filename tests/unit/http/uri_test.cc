#include "http/uri.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kilat::http {
namespace {

using namespace std::string_literals;

TEST(PercentDecode, Escapes_BecomeTheirBytes) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a%2Cb%2c+%C3%A9"), "a,b,+\xC3\xA9");
  EXPECT_EQ(percent_decode("%00"), "\0"s);
  EXPECT_EQ(percent_decode("%2541"), "%41") << "decoded once only";
}

TEST(PercentDecode, Plus_IsASpaceOnlyWhenAsked) {
  EXPECT_EQ(percent_decode("a+b%2Bc", Plus::kKept), "a+b+c");
  EXPECT_EQ(percent_decode("a+b%2Bc", Plus::kSpace), "a b+c");
}

TEST(PercentDecode, BrokenEscapes_AreRefused) {
  for (const char* text : {"%", "%2", "a%", "%G0", "%0G", "%%41", "%-1", "% 1"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(Query, Items_KeepTheirOrderDecoded) {
  const Query query("b=2&a=x%20y&&flag&=v&a=again&e=&eq=a=b");
  ASSERT_EQ(query.items().size(), 7U);
  EXPECT_EQ(query.items()[0].name, "b");
  EXPECT_EQ(query.get("a"), "x y") << "the first one";
  EXPECT_EQ(query.get("flag"), "");
  EXPECT_EQ(query.get(""), "v");
  EXPECT_EQ(query.get("eq"), "a=b");
  EXPECT_FALSE(query.get("B"));
  EXPECT_FALSE(query.malformed());
  EXPECT_FALSE(query.too_many());
}

TEST(Query, WhatHasNoCode_IsAViewOfTheQueryItself) {
  const std::string raw = "a=1&b%20=2&c=x+y";
  const auto inside = [&raw](std::string_view part) { return part.data() >= raw.data() && part.data() < &raw.back(); };
  const Query query(raw);
  ASSERT_EQ(query.items().size(), 3U);
  EXPECT_TRUE(inside(query.items()[0].name) && inside(query.items()[0].value));
  EXPECT_FALSE(inside(query.items()[1].name)) << "it had to be decoded";
  EXPECT_EQ(query.items()[1].name, "b ");
  EXPECT_TRUE(inside(query.items()[2].value));
  const Query spaced(raw, Plus::kSpace);
  EXPECT_EQ(spaced.get("c"), "x y");
  EXPECT_EQ(spaced.get("b "), "2");
}

TEST(Query, BrokenEscape_IsFlaggedAndKeptAsItCame) {
  const Query query("a=%zz&b=1");
  EXPECT_TRUE(query.malformed());
  EXPECT_EQ(query.get("a"), "%zz");
  EXPECT_EQ(query.get("b"), "1");
}

TEST(Query, MoreThanTheBound_IsFlagged) {
  std::string raw = "a=1";
  for (size_t i = 1; i < kQueryItemsMax; ++i) raw += "&a=1";
  EXPECT_FALSE(Query(raw).too_many());
  EXPECT_TRUE(Query(raw + "&b").too_many());
  EXPECT_EQ(Query(raw + "&b").items().size(), kQueryItemsMax);
}

TEST(ShownUrl, HasNoPasswordAndNoQuery) {
  EXPECT_EQ(shown_url("https://id.example/jwks.json"), "https://id.example/jwks.json");
  EXPECT_EQ(shown_url("https://me:pass@id.example:8443/a@b?key=secret#x"), "https://id.example:8443/a@b");
  EXPECT_EQ(shown_url("https://me:p@ss@id.example"), "https://id.example");
  EXPECT_EQ(shown_url("https://id.example?key=secret"), "https://id.example");
}

TEST(SplitPath, Segments_AreRaw) {
  const PathSegments path = split_path("/apps/1/channels/a%2Fb");
  ASSERT_EQ(path.size(), 4U);
  EXPECT_EQ(path[0], "apps");
  EXPECT_EQ(path[3], "a%2Fb");
  EXPECT_EQ(path[4], "");
  EXPECT_EQ(path[100], "");
}

TEST(SplitPath, Edges_AreCounted) {
  EXPECT_EQ(split_path("").size(), 0U);
  EXPECT_EQ(split_path("/").size(), 0U);
  EXPECT_EQ(split_path("*").size(), 1U);
  EXPECT_EQ(split_path("/a/").size(), 2U);
  EXPECT_EQ(split_path("//").size(), 2U);
  EXPECT_FALSE(split_path("/1/2/3/4/5/6/7/8").too_many());
  EXPECT_TRUE(split_path("/1/2/3/4/5/6/7/8/").too_many());
}

}  // namespace
}  // namespace kilat::http
