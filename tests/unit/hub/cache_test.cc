// Cache channels (docs/protocol.md).
#include <gtest/gtest.h>

#include <string>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

constexpr uint64_t kTtlMs = 3'600'000;

struct CacheTest : testing::HubTest {};
KILAT_HUB_TEST(CacheTest);

TEST_P(CacheTest, LastEventOnly_IsGivenToALaterJoiner) {
  for (const char* prefix : {"cache-a", "private-cache-a", "private-encrypted-cache-a"}) {
    World world(shards());
    const std::string channel = world.name_at(at(1), prefix);
    world.publish(at(2), channel, "1");
    world.publish(at(2), channel, "2");
    world.pump();
    Client& client = world.connect(at(0));
    world.join(client, channel);
    world.pump();
    EXPECT_EQ(client.log(), Log{channel + " joined cached 2"});
    world.publish(at(2), channel, "3");
    world.join(client, channel);
    world.pump();
    const Log log = client.log();
    EXPECT_EQ(log.size(), 2U);
    EXPECT_EQ(std::ranges::count(log, channel + ": 3"), 1);
  }
}

TEST_P(CacheTest, PresenceCacheChannel_HasMembersAndTheLastEvent) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "presence-cache-a");
  world.publish(at(2), channel, "1");
  world.pump();
  Client& client = world.connect(at(0));
  world.join(client, channel, "u");
  world.pump();
  EXPECT_EQ(client.log(), Log{channel + " joined [u] cached 1"});
  world.leave(client, channel);
  world.join(client, channel, "u");
  world.pump();
  EXPECT_EQ(client.log().back(), channel + " joined [u] cached 1");
}

TEST_P(CacheTest, OtherChannelsAndOtherKinds_AreNotCached) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "private-cache-a");
  world.publish(at(2), "my-cache-a", "x");
  world.publish(at(2), {.from_client = true, .channel = channel, .data = "from a client"});
  world.publish(at(2), {.kind = Publication::Kind::kKick, .channel = channel});
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
  world.publish(at(2), channel, "kept");
  world.publish(at(2), {.from_client = true, .channel = channel, .data = "from a client"});
  world.pump();
  Client& client = world.connect(at(0));
  world.join(client, channel);
  world.pump();
  EXPECT_EQ(client.log(), Log{channel + " joined cached kept"});
}

TEST_P(CacheTest, AfterItsTimeToLive_IsGone) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "cache-a");
  world.publish(at(2), channel, "1");
  world.pump();
  world.pass(kTtlMs - 1);
  EXPECT_EQ(world.ask(0, {.kind = Query::Kind::kChannel, .name = channel}).cache_ttl_ms, 1U);
  world.publish(at(2), channel, "2");
  world.pump();
  world.pass(kTtlMs - 1);
  const QueryReply reply = world.ask(0, {.kind = Query::Kind::kChannel, .name = channel});
  ASSERT_TRUE(reply.cached);
  EXPECT_EQ(reply.cached->data(), "2");
  EXPECT_EQ(world.channels_left(), 1U);
  world.pass(1);
  EXPECT_FALSE(world.ask(0, {.kind = Query::Kind::kChannel, .name = channel}).cached);
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(CacheTest, Expiry_LeavesTheSubscribers) {
  World world(shards());
  const std::string channel = world.name_at(at(1), "cache-a");
  Client& client = world.connect(at(0));
  world.join(client, channel);
  world.pump();
  world.publish(at(2), channel, "1");
  world.pass(kTtlMs);
  client.log();
  world.publish(at(2), channel, "2");
  world.pump();
  EXPECT_EQ(client.log(), Log{channel + ": 2"});
}

TEST_P(CacheTest, CachedChannelWithoutReaders_IsNotOccupied) {
  World world(shards());
  world.publish(at(2), "cache-a", "1");
  world.pump();
  EXPECT_TRUE(world.ask(0, {.kind = Query::Kind::kChannels, .name = ""}).channels.empty());
}

TEST(Cache, OverItsBytes_DropsTheOldestFirst) {
  World world(1);
  const std::string megabyte(1'000'000, 'x');
  Client& reader = world.connect(0);
  world.join(reader, "cache-0");
  for (int i = 0; i < 67; ++i) world.publish(0, "cache-" + std::to_string(i), megabyte);
  // 64 MiB hold 67 of them; renewing the oldest one makes it the youngest.
  world.publish(0, "cache-0", megabyte);
  world.publish(0, "cache-67", megabyte);
  reader.log();
  const auto cached = [&](int i) {
    return static_cast<bool>(
        world.ask(0, {.kind = Query::Kind::kChannel, .name = "cache-" + std::to_string(i)}).cached);
  };
  EXPECT_TRUE(cached(0));
  EXPECT_FALSE(cached(1));
  EXPECT_TRUE(cached(2));
  EXPECT_TRUE(cached(67));
  EXPECT_EQ(world[0].hub.home().channel_count(), 67U)
      << "the channel of a dropped event that nobody reads is forgotten";
  for (int i = 2; i < 68; ++i) world.publish(0, "cache-" + std::to_string(i), "small");
  world.publish(0, "cache-1", megabyte);
  EXPECT_TRUE(cached(0));
  EXPECT_TRUE(cached(1));
}

TEST(Cache, EmptyEventsToEverNewChannels_AreBoundedToo) {
  World world(1);
  const uint64_t most = HomeHub::kCacheBytesMax / HomeHub::kCachedOverheadBytes;
  for (uint64_t i = 0; i < most + 100; ++i) world.publish(0, "cache-" + std::to_string(i), "");
  EXPECT_LE(world[0].hub.home().channel_count(), most);
  EXPECT_GT(world[0].hub.home().channel_count(), most / 2);
}

}  // namespace
}  // namespace kilat::hub
