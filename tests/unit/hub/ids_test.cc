#include "hub/ids.h"

#include <gtest/gtest.h>

namespace kilat::hub {
namespace {

TEST(SocketId, Text_IsParsedBackToTheSameId) {
  for (const SocketId id :
       {SocketId{1, 0}, SocketId{1, 1}, SocketId{UINT32_MAX, UINT64_MAX}, SocketId{77, 9'999'999'999}}) {
    const auto parsed = SocketId::parse(id.text());
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(*parsed, id);
    EXPECT_TRUE(static_cast<bool>(*parsed));
  }
  EXPECT_EQ((SocketId{123, 456}.text()), "123.456");
}

TEST(SocketId, Malformed_IsNothing) {
  for (const char* text : {"", ".", "1", "1.", ".1", "1.2.3", "a.1", "1.a", "-1.2", "1.-2", "+1.2", " 1.2", "1.2 ",
                           "1,2", "0x1.2", "1.2\n", "1e3.2", "١.2"}) {
    EXPECT_FALSE(SocketId::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(SocketId::parse(std::string_view("1.2\0", 4)).has_value());
}

TEST(SocketId, WellFormedButForeign_IsTheIdOfNobody) {
  for (const char* text : {"01.2", "1.02", "00.0", "4294967296.1", "1.18446744073709551616",
                           "99999999999999999999999.99999999999999999999999", "0.5"}) {
    const auto parsed = SocketId::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_FALSE(static_cast<bool>(*parsed)) << text;
  }
}

TEST(SocketId, CompactText_IsTwentyCharactersAndParsedBack) {
  for (const SocketId id :
       {SocketId{1, 0}, SocketId{1, 1}, SocketId{UINT32_MAX, UINT64_MAX}, SocketId{64, 0x0123'4567'89ab'cdef}}) {
    const std::string text = id.compact_text();
    EXPECT_EQ(text.size(), 20U);
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    const auto parsed = SocketId::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, id);
  }
}

TEST(SocketId, CompactTextWithOneOtherCharacter_IsTheIdOfNobody) {
  const SocketId id{3, 0x0123'4567'89ab'cdef};
  const std::string text = id.compact_text();
  for (size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = other[at] == 'A' ? 'B' : 'A';
    const auto parsed = SocketId::parse(other);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_FALSE(static_cast<bool>(*parsed)) << at;
  }
}

TEST(SocketId, NearlyCompact_IsNothing) {
  const std::string text = SocketId{3, 4}.compact_text();
  EXPECT_FALSE(SocketId::parse(text.substr(1)).has_value());
  EXPECT_FALSE(SocketId::parse(text + "A").has_value());
  EXPECT_FALSE(SocketId::parse(text.substr(0, 19) + "+").has_value());
  EXPECT_FALSE(SocketId::parse(text.substr(0, 19) + "=").has_value());
  EXPECT_FALSE(SocketId::parse("private-room-of-them").has_value() && SocketId::parse("private-room-of-them")->place);
}

}  // namespace
}  // namespace kilat::hub
