#include "api/query_answer.h"

#include <gtest/gtest.h>

namespace kilat::api {
namespace {

constexpr Info kUsers{.user_count = true};
constexpr Info kSubscriptions{.subscription_count = true};
constexpr Info kCache{.cache = true};
constexpr Info kAll{.subscription_count = true, .user_count = true, .cache = true};

TEST(QueryAnswer, Counts_AreUsersForPresenceAndSubscriptionsElsewhere) {
  EXPECT_EQ(counts_json({"presence-a", 5, 2}, kAll), R"({"user_count":2})");
  EXPECT_EQ(counts_json({"a", 5, 0}, kAll), R"({"subscription_count":5})");
  EXPECT_EQ(counts_json({"presence-a", 5, 2}, kSubscriptions), "{}");
  EXPECT_EQ(counts_json({"a", 5, 0}, kUsers), "{}");
  EXPECT_EQ(counts_json({"a", 5, 0}, {}), "{}");
}

TEST(QueryAnswer, Channels_AreAnObjectEvenWhenThereAreNone) {
  EXPECT_EQ(channels_json({}, {}), R"({"channels":{}})");
  const hub::ChannelCounts counts[] = {{"presence-a", 3, 2}, {"b\"", 1, 0}};
  EXPECT_EQ(channels_json(counts, kAll),
            R"({"channels":{"presence-a":{"user_count":2},"b\"":{"subscription_count":1}}})");
  EXPECT_EQ(channels_json(counts, {}), R"({"channels":{"presence-a":{},"b\"":{}}})");
}

TEST(QueryAnswer, UnknownChannel_IsNotOccupied) {
  EXPECT_EQ(channel_json("x", {}, {}), R"({"occupied":false})");
  EXPECT_EQ(channel_json("x", {}, kAll), R"({"occupied":false,"subscription_count":0})");
  EXPECT_EQ(channel_json("presence-x", {}, kAll), R"({"occupied":false,"user_count":0})");
}

TEST(QueryAnswer, CacheChannel_ShowsItsEventWithTheSecondsLeft) {
  hub::QueryReply reply;
  reply.channels.push_back({"cache-x", 1, 0});
  EXPECT_EQ(channel_json("cache-x", reply, kCache), R"({"occupied":true,"cache":null})");
  reply.cached = hub::Publication::make({.channel = "cache-x", .event = "e", .data = R"("{\"a\":1}")"});
  reply.cache_ttl_ms = 59'001;
  EXPECT_EQ(channel_json("cache-x", reply, kCache), R"({"occupied":true,"cache":{"data":"{\"a\":1}","ttl":60}})");
  EXPECT_EQ(channel_json("cache-x", reply, {}), R"({"occupied":true})");
  EXPECT_EQ(channel_json("x", reply, kCache), R"({"occupied":true})");
}

TEST(QueryAnswer, Users_AreObjectsWithStringIds) {
  hub::QueryReply reply;
  EXPECT_EQ(users_json(reply), R"({"users":[]})");
  reply.users = {"1", "a\"b"};
  EXPECT_EQ(users_json(reply), R"({"users":[{"id":"1"},{"id":"a\"b"}]})");
}

}  // namespace
}  // namespace kilat::api
