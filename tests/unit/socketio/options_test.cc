#include "socketio/options.h"

#include <gtest/gtest.h>

#include "hub/channel_name.h"

namespace kilat::socketio {
namespace {

constexpr std::string_view kRooms[] = {"orders",
                                       "private-orders",
                                       "presence-orders",
                                       "cache-orders",
                                       "private-cache-orders",
                                       "presence-cache-orders",
                                       "private-encrypted-orders",
                                       "private-encrypted-cache-orders",
                                       "private-",
                                       "cache-",
                                       "privateorders",
                                       "private-private-orders",
                                       "presence-private-orders",
                                       "cache-private-orders",
                                       "",
                                       "-"};

TEST(Scope, StandsBehindThePrefixOfTheKind) {
  EXPECT_EQ(channel_of("orders", "custom:"), "custom:orders");
  EXPECT_EQ(channel_of("private-orders", "custom:"), "private-custom:orders");
  EXPECT_EQ(channel_of("private-encrypted-cache-orders", "s."), "private-encrypted-cache-s.orders");
  EXPECT_EQ(channel_of("presence-cache-orders", "s."), "presence-cache-s.orders");
  EXPECT_EQ(room_of("private-custom:orders", "custom:"), "private-orders");
}

TEST(Scope, Empty_ChangesNothing) {
  for (const std::string_view room : kRooms) {
    EXPECT_EQ(channel_of(room, ""), room);
    EXPECT_EQ(room_of(room, ""), room);
  }
}

TEST(Scope, KindAndName_SurviveBothWays) {
  for (const std::string_view scope : {"custom:", "s.", "x"}) {
    for (const std::string_view room : kRooms) {
      const std::string channel = channel_of(room, scope);
      EXPECT_TRUE(hub::kind_of(room) == hub::kind_of(channel)) << channel;
      EXPECT_EQ(room_of(channel, scope), room) << channel;
    }
  }
}

// Two rooms that were one channel could read each other.
TEST(Scope, DifferentRooms_AreDifferentChannels) {
  for (const std::string_view a : kRooms) {
    for (const std::string_view b : kRooms) {
      EXPECT_EQ(channel_of(a, "custom:") == channel_of(b, "custom:"), a == b) << a << " " << b;
    }
  }
}

TEST(Scope, ChannelOfAnotherScope_KeepsItsName) {
  EXPECT_EQ(room_of("private-orders", "custom:"), "private-orders");
  EXPECT_EQ(room_of("other:orders", "custom:"), "other:orders");
}

}  // namespace
}  // namespace kilat::socketio
