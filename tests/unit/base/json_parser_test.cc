#include "base/json_parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/json_text.h"

namespace kilat {
namespace {

namespace dom = simdjson::dom;

// The text in a block of its own with exactly the padding that is promised.
class Padded {
 public:
  explicit Padded(std::string_view text) : bytes_(new char[text.size() + 64]), size_(text.size()) {
    text.copy(bytes_.get(), size_);
    std::fill_n(bytes_.get() + size_, 64, '"');
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

bool valid(std::string_view text) {
  JsonParser parser;
  JsonParser copying;
  const Padded padded(text);
  const bool result = parser.parse(padded.view()).has_value();
  EXPECT_EQ(copying.parse_copy(text).has_value(), result) << text;
  return result;
}

TEST(JsonParser, StrictJson_IsTakenAndNothingElse) {
  for (const char* text : {"{}", "[]", "null", "true", "0", "-0.5e-3", R"("é😀\u00e9\ud83d\ude00")", " [1 , 2] \n",
                           R"({"a":{"b":[{}]}})", "1E2", "\"\x7f\""}) {
    EXPECT_TRUE(valid(text)) << text;
  }
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1,]",
                           "{\"a\":1,}",
                           "{\"a\"}",
                           "{a:1}",
                           "'a'",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "-",
                           "NaN",
                           "Infinity",
                           "tru",
                           "nulll",
                           "[1 2]",
                           "{} {}",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"",
                           "\xff",
                           "\"\xc3\"",
                           "\"\xed\xa0\x80\"",
                           "\xef\xbb\xbf{}",
                           "// x\n{}",
                           "[1]//"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(JsonParser, IntegersOfAnyLength_AreValid) {
  for (const char* text :
       {"18446744073709551615", "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890",
        "[1,{\"a\":99999999999999999999999}]", "0.12345678901234567890123456789", "1234567890123456789012.5e3"}) {
    EXPECT_TRUE(valid(text)) << text;
  }
  for (const char* text :
       {"0123456789012345678901234567890", "12345678901234567890123x", "-", "1234567890123456789012."}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(JsonParser, NumbersOutOfRange_AreValid) {
  for (const char* text :
       {"1e400", "-1E400", "1e+400", "[1e309,2]", R"({"a":99999999999999999999e99999999999999999999})",
        "1.7976931348623159e308", "0e400", "1e-400", "1e-99999999999999999999", "1e00000000000000000400",
        "1234567890123456789012345e300", "0.00001e310"}) {
    EXPECT_TRUE(valid(text)) << text;
  }
  for (const char* text : {"1e400x", "1e400e400", "1e++400", "01e400", ".1e400", "1.e400", "1e400.5", "e400", "[1e400",
                           "1e400+", "[1e400,1e]", "[1e400,1e+]", "1e-"}) {
    EXPECT_FALSE(valid(text)) << text;
  }
}

TEST(JsonParser, NumbersOutOfRange_LeaveTheRestOfTheDocumentWhole) {
  JsonParser parser;
  const Padded text(R"({"e400":"1e400 \" 1e400","n":1e400,"m":-12e+3,"z":[1e5]})");
  const auto root = parser.parse(text.view());
  ASSERT_TRUE(root);
  const dom::object object = root->get_object();
  EXPECT_EQ(string_member(object, "e400"), "1e400 \" 1e400");
  EXPECT_EQ(find_raw(object, text.view(), "n")->raw, "1e400");
  EXPECT_TRUE(find_raw(object, text.view(), "n")->value.is_double());
  EXPECT_EQ(double(object["m"]), -12'000.0);
}

TEST(JsonParser, LongIntegers_LeaveTheRestOfTheDocumentWhole) {
  JsonParser parser;
  const std::string digits(40, '7');
  const Padded text(R"({"a":")" + digits + R"(\"","b":)" + digits + R"(,"c":"\\","d":"x"})");
  const auto root = parser.parse(text.view());
  ASSERT_TRUE(root);
  const dom::object object = root->get_object();
  EXPECT_EQ(string_member(object, "a"), digits + "\"");
  EXPECT_EQ(string_member(object, "d"), "x");
  EXPECT_EQ(find_raw(object, text.view(), "b")->raw, digits);
  EXPECT_EQ(find_raw(object, text.view(), "d")->raw, R"("x")");
}

TEST(JsonParser, DocumentThatHoldsLessThanItsText_IsSaidToBeMended) {
  JsonParser parser;
  for (const auto& [text, mended] : std::vector<std::pair<std::string, bool>>{
           {R"({"a":18446744073709551616})", true},
           {R"({"a":18446744073709551615,"b":-9223372036854775808,"c":1.25,"d":1e300})", false},
           {R"(["\ud800"])", true},
           {R"(["\ud83d\ude00","12345678901234567890123"])", false},
           {"1e400", true},
           {"{}", false}}) {
    ASSERT_TRUE(parser.parse_copy(text)) << text;
    EXPECT_EQ(parser.mended(), mended) << text;
  }
}

TEST(JsonParser, Nesting_IsBoundedAlsoAfterSmallDocuments) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  for (const char* first : {"", "1", "[[]]"}) {
    JsonParser parser;
    parser.parse_copy(first);
    EXPECT_TRUE(parser.parse_copy(nested(JsonParser::kDepthMax - 1))) << first;
    EXPECT_FALSE(parser.parse_copy(nested(JsonParser::kDepthMax + 1))) << first;
    EXPECT_FALSE(parser.parse_copy(nested(100'000))) << first;
  }
}

TEST(JsonParser, IsReusable_WithDocumentsOfAllSizes) {
  JsonParser parser;
  for (const size_t size : {0U, 1U, 31U, 32U, 33U, 70'000U, 5U}) {
    EXPECT_FALSE(parser.parse_copy("[" + std::string(size, ' ')));
    const auto root = parser.parse_copy(json_string(std::string(size, 'x')));
    ASSERT_TRUE(root);
    EXPECT_EQ(std::string_view(*root).size(), size);
  }
}

TEST(FindRaw, EscapedKeys_AreTheKeysTheyStandFor) {
  JsonParser parser;
  const Padded text(R"({"x":0,"d\u0061ta": [1] ,"data":2})");
  const auto root = parser.parse(text.view());
  ASSERT_TRUE(root);
  const auto found = find_raw(root->get_object(), text.view(), "data");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->raw, "[1]");
  EXPECT_TRUE(found->value.is_array());
  EXPECT_FALSE(find_raw(root->get_object(), text.view(), "dat"));
}

TEST(FindRaw, ValueAndText_AreTheSameMember) {
  JsonParser parser;
  JsonParser again;
  const Padded text(R"({"k":"v","k":1,"":{"k":2},"a":[true,{"k":3}],"z":"\u00e9"})");
  const auto root = parser.parse(text.view());
  ASSERT_TRUE(root);
  for (const char* key : {"k", "", "a", "z"}) {
    const auto found = find_raw(root->get_object(), text.view(), key);
    ASSERT_TRUE(found) << key;
    const auto reparsed = again.parse_copy(found->raw);
    ASSERT_TRUE(reparsed) << key;
    EXPECT_EQ(simdjson::minify(*reparsed), simdjson::minify(found->value));
  }
}

TEST(StringMember, OtherTypesAndAbsence_AreNothing) {
  JsonParser parser;
  const auto root = parser.parse_copy(R"({"s":"","n":1,"o":{},"z":null})");
  ASSERT_TRUE(root);
  const dom::object object = root->get_object();
  EXPECT_EQ(string_member(object, "s"), "");
  for (const char* key : {"n", "o", "z", "absent"}) EXPECT_FALSE(string_member(object, key)) << key;
}

}  // namespace
}  // namespace kilat
