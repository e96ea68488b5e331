#include "hub/channel_name.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat::hub {
namespace {

using Access = ChannelKind::Access;

struct Row {
  const char* name;
  Access access;
  bool cache;
};

// The table of docs/protocol.md, and its traps: prefixes are anchored and include their dash.
constexpr Row kRows[] = {
    {"#server-to-user-42", Access::kUser, false},
    {"presence-cache-a", Access::kPresence, true},
    {"presence-a", Access::kPresence, false},
    {"private-encrypted-cache-a", Access::kEncrypted, true},
    {"private-encrypted-a", Access::kEncrypted, false},
    {"private-cache-a", Access::kPrivate, true},
    {"private-a", Access::kPrivate, false},
    {"cache-a", Access::kPublic, true},
    {"a", Access::kPublic, false},
    {"", Access::kPublic, false},
    {"private", Access::kPublic, false},
    {"presence", Access::kPublic, false},
    {"cache", Access::kPublic, false},
    {"privatechat", Access::kPublic, false},
    {"presences-1", Access::kPublic, false},
    {"my-private-a", Access::kPublic, false},
    {"my-presence-a", Access::kPublic, false},
    {"my-cache-a", Access::kPublic, false},
    {"#private-a", Access::kPublic, false},
    {"Private-a", Access::kPublic, false},
    {"server-to-user-42", Access::kPublic, false},
    {"private-", Access::kPrivate, false},
    {"private-encrypted", Access::kPrivate, false},
    {"private-cache", Access::kPrivate, false},
    {"private-encrypted-cache", Access::kEncrypted, false},
    {"private-presence-a", Access::kPrivate, false},
    {"presence-cache", Access::kPresence, false},
    {"presence-encrypted-a", Access::kPresence, false},
    {"cache-private-a", Access::kPublic, true},
    {"private-cache-encrypted-a", Access::kPrivate, true},
};

TEST(ChannelKind, OfEveryPrefixAndTrap_IsThatOfTheTable) {
  for (const Row& row : kRows) EXPECT_EQ(kind_of(row.name), (ChannelKind{row.access, row.cache})) << row.name;
}

TEST(ChannelKind, Questions_AgreeWithTheAccess) {
  EXPECT_FALSE(kind_of("a").needs_signature());
  EXPECT_FALSE(kind_of("#server-to-user-1").needs_signature());
  EXPECT_TRUE(kind_of("private-a").needs_signature());
  EXPECT_TRUE(kind_of("private-encrypted-a").needs_signature());
  EXPECT_TRUE(kind_of("presence-a").needs_signature());
  EXPECT_TRUE(kind_of("presence-cache-a").presence());
  EXPECT_TRUE(kind_of("private-encrypted-cache-a").encrypted());
  EXPECT_TRUE(kind_of("#server-to-user-1").user());
}

TEST(ChannelName, StrictPattern_IsThatOfTheServerLibraries) {
  for (int c = 0; c < 256; ++c) {
    const std::string name = std::string("a") + static_cast<char>(c) + "b";
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         (c != 0 && std::string("-_=@,.;").find(static_cast<char>(c)) != std::string::npos);
    EXPECT_EQ(valid_channel_name(name, true), allowed) << c;
  }
}

TEST(ChannelName, LaxPattern_RefusesControlCharactersOnly) {
  for (int c = 0; c < 256; ++c) {
    const std::string name = std::string("a") + static_cast<char>(c) + "b";
    EXPECT_EQ(valid_channel_name(name, false), c >= 0x20 && c != 0x7f) << c;
  }
  EXPECT_TRUE(valid_channel_name("private-App/User:1 ünï", false));
  EXPECT_FALSE(valid_channel_name("private-App/User:1", true));
}

TEST(ChannelName, EmptyOrWithAForeignHash_IsRefused) {
  for (const bool strict : {true, false}) {
    EXPECT_FALSE(valid_channel_name("", strict));
    EXPECT_FALSE(valid_channel_name("#", strict));
    EXPECT_FALSE(valid_channel_name("#a", strict));
    EXPECT_FALSE(valid_channel_name("##server-to-user-1", strict));
    EXPECT_FALSE(valid_channel_name("#server-to-user-", strict));
    EXPECT_TRUE(valid_channel_name("#server-to-user-1", strict));
    EXPECT_TRUE(valid_channel_name("a", strict));
  }
  EXPECT_FALSE(valid_channel_name("a#b", true));
  EXPECT_FALSE(valid_channel_name("#server-to-user-a b", true));
}

TEST(ChannelName, UserOfAUserChannel_IsWhatFollowsThePrefix) {
  EXPECT_EQ(user_of("#server-to-user-42"), "42");
  EXPECT_EQ(user_of("#server-to-user-a-b"), "a-b");
}

}  // namespace
}  // namespace kilat::hub
