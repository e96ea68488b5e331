#include "ws/frame.h"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>

#include "ws/mask.h"
#include "ws/utf8.h"

namespace kilat::ws {
namespace {

std::string header_of(Opcode opcode, uint64_t size, bool rsv1 = false, bool fin = true) {
  char out[kFrameHeaderMax];
  return {out, encode_frame_header(out, opcode, size, rsv1, fin)};
}

std::string bytes(std::initializer_list<int> list) {
  return {list.begin(), list.end()};
}

TEST(FrameHeader, EachLength_TakesItsShortestForm) {
  EXPECT_EQ(header_of(Opcode::kText, 0), bytes({0x81, 0}));
  EXPECT_EQ(header_of(Opcode::kText, 125), bytes({0x81, 125}));
  EXPECT_EQ(header_of(Opcode::kText, 126), bytes({0x81, 126, 0, 126}));
  EXPECT_EQ(header_of(Opcode::kBinary, 0xffff), bytes({0x82, 126, 0xff, 0xff}));
  EXPECT_EQ(header_of(Opcode::kBinary, 0x10000), bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(header_of(Opcode::kBinary, 0x0102030405060708), bytes({0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(FrameHeader, Bits_SayFinAndCompression) {
  EXPECT_EQ(header_of(Opcode::kText, 1, true), bytes({0xc1, 1}));
  EXPECT_EQ(header_of(Opcode::kText, 1, false, false), bytes({0x01, 1}));
  EXPECT_EQ(header_of(Opcode::kContinuation, 1, false, true), bytes({0x80, 1}));
}

TEST(Frame, ExamplesOfTheRfc_AreReproduced) {
  EXPECT_EQ(encode_frame(Opcode::kText, "Hello"), bytes({0x81, 5}) + "Hello");
  uint32_t mask;
  std::memcpy(&mask, "\x37\xfa\x21\x3d", 4);
  EXPECT_EQ(encode_masked_frame(Opcode::kText, "Hello", mask),
            bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
}

TEST(Close, CodeAndReason_AreWritten) {
  EXPECT_EQ(encode_close(4100, "too slow"), bytes({0x88, 10, 0x10, 0x04}) + "too slow");
  EXPECT_EQ(encode_close(1000, ""), bytes({0x88, 2, 0x03, 0xe8}));
}

TEST(Close, CodeNotForTheWire_GivesAnEmptyFrame) {
  for (const uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    EXPECT_EQ(encode_close(code, "x"), bytes({0x88, 0})) << code;
  }
}

TEST(Close, LongReason_IsCutBetweenCharacters) {
  EXPECT_EQ(encode_close(1000, std::string(123, 'a')).size(), 2 + 125);
  EXPECT_EQ(encode_close(1000, std::string(500, 'a')).size(), 2 + 125);
  for (const std::string_view character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    for (size_t lead = 0; lead < 5; ++lead) {
      std::string reason(lead, 'a');
      while (reason.size() < 200) reason += character;
      const std::string frame = encode_close(1000, reason);
      const std::string_view text = std::string_view(frame).substr(4);
      EXPECT_TRUE(is_utf8(text)) << lead;
      EXPECT_GT(text.size() + character.size(), kCloseReasonMax);
      EXPECT_LE(text.size(), kCloseReasonMax);
    }
  }
}

TEST(Close, AllowedCodes_AreThoseOfTheRegistry) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    const bool allowed =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    EXPECT_EQ(close_code_allowed(static_cast<uint16_t>(code)), allowed) << code;
  }
}

TEST(Mask, EverySizeAndAlignment_IsLikeByteByByte) {
  const char key[4] = {0x12, static_cast<char>(0xf4), 0x56, static_cast<char>(0x9a)};
  uint32_t mask;
  std::memcpy(&mask, key, 4);
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t size = 0; size < 100; ++size) {
      std::string text(offset + size + 1, 'z');
      for (size_t i = 0; i < size; ++i) text[offset + i] = static_cast<char>(i * 7);
      const uint32_t next = apply_mask({text.data() + offset, size}, mask);
      for (size_t i = 0; i < size; ++i) {
        ASSERT_EQ(text[offset + i], static_cast<char>(static_cast<char>(i * 7) ^ key[i % 4]));
      }
      ASSERT_EQ(text.back(), 'z');
      char turned[4];
      std::memcpy(turned, &next, 4);
      for (size_t i = 0; i < 4; ++i) ASSERT_EQ(turned[i], key[(size + i) % 4]);
    }
  }
}

TEST(Mask, Twice_IsTheTextAgainInAnyPieces) {
  const std::string text = "a realtime server unmasks every byte it is sent, so this must be quick and right";
  for (size_t split = 0; split <= text.size(); ++split) {
    std::string work = text;
    apply_mask(work, 0x8badf00d);
    const uint32_t next = apply_mask({work.data(), split}, 0x8badf00d);
    apply_mask({work.data() + split, work.size() - split}, next);
    ASSERT_EQ(work, text);
  }
}

}  // namespace
}  // namespace kilat::ws
