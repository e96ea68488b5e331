#include "flow/json_pointer.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/json_text.h"
#include "flow/event_data.h"

namespace kilat::flow {
namespace {

// The document of RFC 6901 section 5, and more.
constexpr std::string_view kDocument = R"({ "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
  "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8, "~1": 9, "arr": [ 10 , [ 11, {"x" : 12.500 } ] ], "0": {"1": true},
  "twice": 1, "twice": 2, "big": -12345678901234567890.12345678901234567890e-400, "null": null, "\u00e9": 13 })";

std::optional<std::string> key_at(std::string_view json, std::string_view pointer, bool as_literal = false) {
  const auto parsed = JsonPointer::parse(pointer);
  EXPECT_TRUE(parsed) << pointer;
  EventData data;
  const std::string bytes = as_literal ? json_string(json) : std::string(json);
  data.assign(bytes);
  EXPECT_TRUE(data.is_json());
  const auto key = data.key_at(*parsed);
  return key ? std::optional(std::string(*key)) : std::nullopt;
}

TEST(JsonPointer, ExamplesOfTheRfc_PointWhereItSays) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/foo/0", "bar"}, {"/", "0"},       {"/a~1b", "1"}, {"/c%d", "2"},     {"/e^f", "3"},
      {"/g|h", "4"},     {"/i\\j", "5"},   {"/k\"l", "6"}, {"/ ", "7"},       {"/m~0n", "8"},
      {"/~01", "9"},     {"#/c%25d", "2"}, {"#/%20", "7"}, {"#/foo/1", "baz"}};
  for (const bool as_literal : {false, true}) {
    for (const auto& [pointer, value] : cases) EXPECT_EQ(key_at(kDocument, pointer, as_literal), value) << pointer;
  }
}

TEST(JsonPointer, ArraysAndObjects_AreWalked) {
  EXPECT_EQ(key_at(kDocument, "/arr/0"), "10");
  EXPECT_EQ(key_at(kDocument, "/arr/1/1/x"), "12.500");
  EXPECT_EQ(key_at(kDocument, "/0/1"), "true") << "digits may be the name of a member";
  EXPECT_EQ(key_at(kDocument, "/twice"), "1") << "the first of two counts";
  EXPECT_EQ(key_at(kDocument, "/é"), "13");
  for (const std::string_view nowhere : {"/foo/2", "/foo/00", "/foo/01", "/foo/-", "/foo/+1", "/foo/0/0", "/nope",
                                         "/foo/", "/arr/18446744073709551616", "/foo/1e0", "/null/x"}) {
    EXPECT_EQ(key_at(kDocument, nowhere), std::nullopt) << nowhere;
  }
  for (const std::string_view no_key : {"/foo", "/null", "", "/arr/1"}) {
    EXPECT_EQ(key_at(kDocument, no_key), std::nullopt) << no_key;
  }
}

TEST(JsonPointer, WholeDocument_IsTheEmptyText) {
  EXPECT_EQ(key_at("  \"x\" ", ""), "x");
  EXPECT_EQ(key_at(" 12.0 ", ""), "12.0");
  EXPECT_EQ(key_at("12.0", "", true), "12.0");
  EXPECT_EQ(key_at("false", ""), "false");
}

TEST(JsonPointer, BadText_IsRefused) {
  for (const std::string_view bad : {"a", "/~", "/~2", "/a/~", "#a", "#/%", "#/%2", "#/%zz"}) {
    EXPECT_FALSE(JsonPointer::parse(bad)) << bad;
  }
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "/a";
  EXPECT_FALSE(JsonPointer::parse(deep));
  EXPECT_TRUE(JsonPointer::parse(deep.substr(2)));
}

TEST(EventData, Numbers_KeepTheirDigits) {
  EventData data;
  data.assign(kDocument);
  ASSERT_TRUE(data.is_json());
  EXPECT_EQ(data.number_at(*JsonPointer::parse("/big")), "-12345678901234567890.12345678901234567890e-400");
  EXPECT_EQ(data.number_at(*JsonPointer::parse("/foo/0")), std::nullopt) << "a text is no number";
  EXPECT_EQ(data.number_at(*JsonPointer::parse("/0/1")), std::nullopt);
}

TEST(EventData, WhatIsNoJson_IsSaidSo) {
  EventData data;
  for (const std::string_view bad :
       {"", "\"", "\"text\"", "\"\"", "{", "{\"a\":1,}", "nul", "\"{\\\"a\\\":}\"", "01", "\"\\ud800\"", "\xff"}) {
    data.assign(bad);
    EXPECT_FALSE(data.is_json()) << bad;
    EXPECT_FALSE(data.is_json()) << "asked twice: " << bad;
  }
  data.assign("\"1\"");
  EXPECT_TRUE(data.is_json());
  EXPECT_EQ(data.text(), "1");
}

TEST(EventData, Inside_IsCarriedOverByteForByte) {
  EventData data;
  std::string out;
  data.append_inside(out, R"("{\"a\":\u0031.50,\/ \\u00e9}")", Form::kLiteral);
  EXPECT_EQ(out, R"({\"a\":\u0031.50,\/ \\u00e9})");
  out.clear();
  data.append_inside(out, R"("{\"a\":\u0031.50}")", Form::kRaw);
  EXPECT_EQ(out, R"({"a":1.50})") << "without the literal its escapes go, and nothing else";
  out.clear();
  data.append_inside(out, "{\"a\":\n1.50}", Form::kLiteral);
  EXPECT_EQ(out, R"({\"a\":\n1.50})");
  EXPECT_EQ(in_form("[1]", Form::kRaw), "[1]");
  EXPECT_EQ(in_form("[\"a\"]", Form::kLiteral), R"("[\"a\"]")");
}

}  // namespace
}  // namespace kilat::flow
