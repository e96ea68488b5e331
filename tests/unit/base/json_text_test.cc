#include "base/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat {
namespace {

TEST(JsonText, PlainText_IsCopiedBetweenQuotes) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("Kilat ⚡ über"), "\"Kilat ⚡ über\"");
  EXPECT_EQ(json_string("a/b\x7f"), "\"a/b\x7f\"");
}

TEST(JsonText, QuotesBackslashesAndShortEscapes_AreEscaped) {
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string(R"({"a":"b\n"})"), R"("{\"a\":\"b\\n\"}")");
}

// RFC 8259, section 7: all of U+0000 to U+001F must be escaped.
TEST(JsonText, EveryControlCharacter_IsEscaped) {
  for (int c = 0; c < 0x20; ++c) {
    const std::string text = json_string(std::string(1, static_cast<char>(c)));
    ASSERT_GE(text.size(), 4U) << c;
    EXPECT_EQ(text[1], '\\') << c;
    for (const char each : text) EXPECT_GE(each, 0x20) << c;
  }
  EXPECT_EQ(json_string(std::string(1, '\0')), R"("\u0000")");
  EXPECT_EQ(json_string("\x1f"), R"("\u001f")");
  EXPECT_EQ(json_string("\v"), R"("\u000b")");
}

TEST(JsonText, SpecialAtEveryPlace_LeavesTheRestAsItIs) {
  for (size_t place = 0; place <= 5; ++place) {
    std::string text = "abcde";
    std::string expected = text;
    text.insert(place, "\n");
    expected.insert(place, "\\n");
    EXPECT_EQ(json_string(text), "\"" + expected + "\"");
  }
}

TEST(JsonText, Append_KeepsWhatWasThere) {
  std::string out = "{\"a\":";
  append_json_string(out, "b\"");
  out += ",\"n\":";
  append_json_number(out, 42);
  out += ",\"s\":\"";
  append_json_escaped(out, "\t\t");
  EXPECT_EQ(out, R"({"a":"b\"","n":42,"s":"\t\t)");
}

TEST(JsonText, Numbers_AreDecimalOverTheWholeRange) {
  std::string out;
  for (const uint64_t number : {uint64_t{0}, uint64_t{10}, UINT64_MAX}) {
    append_json_number(out, number);
    out += ' ';
  }
  EXPECT_EQ(out, "0 10 18446744073709551615 ");
}

}  // namespace
}  // namespace kilat
