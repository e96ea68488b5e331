#include "ws/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kilat::ws {
namespace {

std::string encode(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCodePoint_IsTakenAndSurrogatesAreNot) {
  for (uint32_t point = 0; point <= 0x10ffff; ++point) {
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    ASSERT_EQ(is_utf8(encode(point)), !surrogate) << std::hex << point;
  }
  for (uint32_t point = 0x110000; point < 0x200000; point += 0x101) ASSERT_FALSE(is_utf8(encode(point)));
}

// Every sequence of up to three bytes, against the ranges of the RFC written another way.
bool reference(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    uint32_t point = size == 1 ? lead : lead & (0x7f >> size);
    for (size_t k = 1; k < size; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80) return false;
      point = point << 6 | (byte & 0x3f);
    }
    if (encode(point).size() != size || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += size;
  }
  return true;
}

TEST(Utf8, EveryPairOfBytesBeforeATail_AgreesWithTheReference) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (const std::string_view tail : {"\x80 and more text", "\x80\x80\x80\x80\x80\x80",
                                          "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
                                          "abc",
                                          "", "a", "\x80", "\xbf\xbf", "\x80\x80\x80"}) {
        const std::string text = std::string{static_cast<char>(a), static_cast<char>(b)}.append(tail);
        ASSERT_EQ(is_utf8(text), reference(text)) << a << " " << b << " " << tail.size();
      }
    }
  }
}

TEST(Utf8, WrongByte_FailsAtOnceAndForGood) {
  struct Case {
    std::string_view text;
    size_t first_wrong;
  };
  const Case cases[] = {
      {"\x80", 0},              // a continuation alone
      {"\xc0\xaf", 0},          // overlong slash
      {"\xc1\xbf", 0},          // overlong
      {"\xe0\x80\xaf", 1},      // overlong in three
      {"\xe0\x9f\xbf", 1},      // the longest of them
      {"\xed\xa0\x80", 1},      // first surrogate
      {"\xed\xbf\xbf", 1},      // last surrogate
      {"\xf0\x80\x80\xaf", 1},  // overlong in four
      {"\xf0\x8f\xbf\xbf", 1},  // the longest of them
      {"\xf4\x90\x80\x80", 1},  // U+110000
      {"\xf5\x80\x80\x80", 0},  // beyond
      {"\xf8\x88\x80\x80\x80", 0},
      {"\xfe", 0},
      {"\xff", 0},
      {"\xe2\x82z", 2},
      {"abcdefghijklmnopqrstuvwxyz\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80", 38},
  };
  for (const Case& c : cases) {
    Utf8 utf8;
    for (size_t i = 0; i < c.first_wrong; ++i) ASSERT_TRUE(utf8.feed(std::string{c.text[i]})) << i;
    EXPECT_FALSE(utf8.feed(std::string{c.text[c.first_wrong]}));
    EXPECT_FALSE(utf8.feed(std::string("a")));
    EXPECT_FALSE(utf8.complete());
    EXPECT_FALSE(is_utf8(c.text));
  }
}

TEST(Utf8, CutCharacter_IsFineSoFarButNotComplete) {
  for (const std::string_view text : {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "0123456789abcdefgh\xf0"}) {
    Utf8 utf8;
    EXPECT_TRUE(utf8.feed(text));
    EXPECT_FALSE(utf8.complete());
  }
  Utf8 empty;
  EXPECT_TRUE(empty.feed({}));
  EXPECT_TRUE(empty.complete());
}

TEST(Utf8, AnySplit_GivesTheSameAnswer) {
  const std::string text =
      "plain text of some length, \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80, and plain text again\xc3\xa9";
  for (size_t i = 0; i <= text.size(); ++i) {
    Utf8 utf8;
    EXPECT_TRUE(utf8.feed(std::string_view(text).substr(0, i)));
    EXPECT_TRUE(utf8.feed(std::string_view(text).substr(i)));
    EXPECT_TRUE(utf8.complete());
  }
}

TEST(Utf8, HighByteAnywhereInABlock_IsSeen) {
  for (size_t size = 1; size < 70; ++size) {
    for (size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      text[at] = '\x80';
      ASSERT_FALSE(is_utf8(text));
    }
  }
}

}  // namespace
}  // namespace kilat::ws
