#include "base/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace kilat {
namespace {

using namespace std::string_literals;

std::string encoded(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

// RFC 4648, section 10.
TEST(Base64, VectorsOfTheRfc_BothWays) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encoded(bytes), text);
    std::string decoded;
    EXPECT_TRUE(base64_decode(text, decoded)) << text;
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64, EveryByte_SurvivesInBothAlphabets) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view part = std::string_view(bytes).substr(bytes.size() - size);
    std::string decoded;
    ASSERT_TRUE(base64_decode(encoded(part), decoded));
    ASSERT_EQ(decoded, part);
    ASSERT_EQ(base64url_decode(base64url_encode(part)), part);
  }
}

TEST(Base64, Output_IsAppended) {
  std::string text = "b";
  append_base64(text, "\x01\x02\x03");
  EXPECT_EQ(text, "bAQID");
  std::string bytes = "x";
  EXPECT_TRUE(base64_decode("AQID", bytes));
  EXPECT_EQ(bytes, "x\x01\x02\x03");
}

TEST(Base64, TheAlphabets_AreNotMixed) {
  const std::string bytes = "\xfb\xff\xbe";
  EXPECT_EQ(encoded(bytes), "+/++");
  EXPECT_EQ(base64url_encode(bytes), "-_--");
  std::string decoded;
  EXPECT_FALSE(base64_decode("-_--", decoded));
  EXPECT_FALSE(base64url_decode("+/++"));
}

TEST(Base64, Padding_MayBeMissingAndIsNeverInTheAlphabetForUrls) {
  std::string decoded;
  EXPECT_TRUE(base64_decode("Zg", decoded));
  EXPECT_TRUE(base64_decode("Zm8", decoded));
  EXPECT_EQ(decoded, "ffo");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  EXPECT_FALSE(base64url_decode("Zg=="));
}

TEST(Base64, Malformed_IsRefused) {
  for (const std::string& text : {"A"s, "AAAAA"s, "AA=A"s, "=AAA"s, "A==="s, "===="s, "AAA=AAAA"s, "AA AA"s, "AAAA\n"s,
                                  "AAA\0"s, "AAA\x80"s, "AA.A"s}) {
    std::string decoded;
    EXPECT_FALSE(base64_decode(text, decoded)) << text;
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
}

}  // namespace
}  // namespace kilat
