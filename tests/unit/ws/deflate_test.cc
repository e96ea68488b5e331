#include "ws/deflate.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace kilat::ws {
namespace {

constexpr uint32_t kPlenty = 1 << 26;

std::string bytes(std::initializer_list<int> list) {
  return {list.begin(), list.end()};
}

std::string random_text(std::mt19937& random, size_t size, int alphabet) {
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(random() % static_cast<unsigned>(alphabet));
  return text;
}

std::string deflated(Deflater& deflater, std::string_view message) {
  std::string out;
  EXPECT_TRUE(deflater.deflate(message, out));
  return out;
}

std::string inflated(Inflater& inflater, std::string_view message, uint32_t max = kPlenty) {
  Buffer out;
  const Reason reason = inflater.inflate(message, max, out);
  if (reason != Reason::kNone) return std::string(reason_row(reason).id);
  return {out.view().begin(), out.view().end()};
}

Reason refusal(std::string_view message, uint32_t max = kPlenty) {
  Inflater inflater;
  Buffer out;
  return inflater.inflate(message, max, out);
}

TEST(Inflater, ExamplesOfTheRfc_AreRead) {
  Inflater inflater;
  // RFC 7692 section 7.2.3: one block; stored block; final block; two blocks.
  EXPECT_EQ(inflated(inflater, bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), "Hello");
  EXPECT_EQ(inflated(inflater, bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})), "Hello");
  EXPECT_EQ(inflated(inflater, bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), "Hello");
  EXPECT_EQ(inflated(inflater, bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})),
            "Hello");
  EXPECT_EQ(inflated(inflater, bytes({0x00})), "");
  EXPECT_EQ(inflated(inflater, bytes({0x02, 0x00})), "");
}

TEST(Inflater, SharedWindowOfTheRfc_NeedsTakeover) {
  const std::string first = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  const std::string second = bytes({0xf2, 0x00, 0x11, 0x00, 0x00});
  Inflater keeping(15, true);
  EXPECT_EQ(inflated(keeping, first), "Hello");
  EXPECT_EQ(inflated(keeping, second), "Hello");
  Inflater forgetting(15, false);
  EXPECT_EQ(inflated(forgetting, first), "Hello");
  EXPECT_EQ(inflated(forgetting, second), "ws_deflate_invalid");
  EXPECT_EQ(inflated(forgetting, first), "Hello");
}

TEST(Inflater, WindowOverAFinalBlock_IsKept) {
  Inflater inflater(15, true);
  EXPECT_EQ(inflated(inflater, bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00})), "Hello");
  EXPECT_EQ(inflated(inflater, bytes({0xf2, 0x00, 0x11, 0x00, 0x00})), "Hello");
}

TEST(Inflater, BrokenOrCutData_IsInvalid) {
  EXPECT_EQ(refusal(""), Reason::kWsDeflateInvalid);
  EXPECT_EQ(refusal(bytes({0xff, 0xff, 0xff})), Reason::kWsDeflateInvalid);
  EXPECT_EQ(refusal(bytes({0x06})), Reason::kWsDeflateInvalid);
  Deflater deflater;
  std::mt19937 random(1);
  const std::string whole = deflated(deflater, random_text(random, 2000, 20));
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_EQ(refusal(std::string_view(whole).substr(0, size)), Reason::kWsDeflateInvalid) << size;
  }
  // A stored block whose last four bytes are missing would take the tail as its text.
  EXPECT_EQ(refusal(bytes({0x00, 0x08, 0x00, 0xf7, 0xff, 'a', 'b', 'c', 'd'})), Reason::kWsDeflateInvalid);
}

TEST(Inflater, Limit_IsExactAndNothingBiggerIsAllocated) {
  Deflater deflater;
  for (const uint32_t size : {0u, 1u, 63u, 64u, 255u, 256u, 1000u, 65536u}) {
    const std::string message = deflated(deflater, std::string(size, 'a'));
    Inflater inflater;
    Buffer out;
    EXPECT_EQ(inflater.inflate(message, size, out), Reason::kNone) << size;
    EXPECT_EQ(out.size(), size);
    EXPECT_LE(out.capacity(), size);
    if (size == 0) continue;
    EXPECT_EQ(refusal(message, size - 1), Reason::kWsInflatedTooBig) << size;
  }
}

TEST(Inflater, Bomb_StopsAtTheLimit) {
  Deflater deflater({.level = 9});
  const std::string bomb = deflated(deflater, std::string(1 << 20, '\0'));
  EXPECT_LT(bomb.size(), 1100u);
  Inflater inflater;
  Buffer out;
  EXPECT_EQ(inflater.inflate(bomb, 10'000, out), Reason::kWsInflatedTooBig);
  EXPECT_LE(out.capacity(), 10'000u);
  // The shared Inflater serves the next message as if nothing had been.
  EXPECT_EQ(inflated(inflater, bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})), "Hello");
}

TEST(Inflater, ManyFinalBlocks_AreReadQuickly) {
  std::string message;
  for (int i = 0; i < 50'000; ++i) message += bytes({0x03, 0x00});
  message += '\0';
  Inflater inflater;
  EXPECT_EQ(inflated(inflater, message), "");
}

TEST(Inflater, Memory_IsTakenByTheFirstMessage) {
  Inflater inflater;
  Deflater deflater;
  EXPECT_FALSE(inflater.holds_memory());
  EXPECT_FALSE(deflater.holds_memory());
  inflated(inflater, deflated(deflater, "x"));
  EXPECT_TRUE(inflater.holds_memory());
  EXPECT_TRUE(deflater.holds_memory());
}

TEST(Deflater, EveryOption_ComesBackAsItWas) {
  std::mt19937 random(7);
  for (const bool takeover : {false, true}) {
    for (int window = 9; window <= 15; ++window) {
      for (const int mem_level : {1, 8, 9}) {
        for (const int level : {1, 6, 9}) {
          Deflater deflater({.window_bits = static_cast<uint8_t>(window),
                             .mem_level = static_cast<uint8_t>(mem_level),
                             .level = static_cast<int8_t>(level),
                             .takeover = takeover});
          Inflater inflater(static_cast<uint8_t>(window), takeover);
          for (const size_t size : {0u, 0u, 1u, 5u, 200u, 3000u, 0u, 70'000u}) {
            const std::string text = random_text(random, size, size % 2 == 0 ? 6 : 256);
            ASSERT_EQ(inflated(inflater, deflated(deflater, text)), text);
          }
        }
      }
    }
  }
}

TEST(Deflater, Incompressible_StaysUnderTheAllowanceOfTheReader) {
  std::mt19937 random(11);
  for (const int mem_level : {1, 8}) {
    Deflater deflater({.window_bits = 9, .mem_level = static_cast<uint8_t>(mem_level)});
    for (const size_t size : {1u, 100u, 1000u, 65536u}) {
      const std::string out = deflated(deflater, random_text(random, size, 256));
      EXPECT_LE(out.size(), size + size / 8 + size / 64 + 64);
    }
  }
}

TEST(Deflater, WithoutTakeover_GivesTheSameBytesEachTimeAndReadersOfAnyKindUnderstandThem) {
  Deflater shared({.takeover = false});
  const std::string first = deflated(shared, "one event for all of its readers, one event");
  EXPECT_EQ(deflated(shared, "one event for all of its readers, one event"), first);
  Inflater keeping(15, true);
  Inflater forgetting(15, false);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(inflated(keeping, first), "one event for all of its readers, one event");
    EXPECT_EQ(inflated(forgetting, first), "one event for all of its readers, one event");
  }
}

TEST(Deflater, WithTakeover_MakesARepeatedMessageSmaller) {
  Deflater deflater({.takeover = true});
  const std::string text = R"({"event":"price","data":{"symbol":"ACME","bid":12.25,"ask":12.5}})";
  const size_t first = deflated(deflater, text).size();
  EXPECT_LT(deflated(deflater, text).size() * 3, first);
}

TEST(Deflater, Output_IsAppended) {
  Deflater deflater;
  std::string out = "header";
  ASSERT_TRUE(deflater.deflate("Hello", out));
  EXPECT_TRUE(out.starts_with("header"));
  Inflater inflater;
  EXPECT_EQ(inflated(inflater, out.substr(6)), "Hello");
}

}  // namespace
}  // namespace kilat::ws
