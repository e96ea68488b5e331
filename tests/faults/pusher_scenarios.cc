// Pusher connections.
#include <array>
#include <string>

#include "faults/scenario.h"

namespace kilat::faults {
namespace {

using fake_net::App;

constexpr App kShared{.id = "4", .key = "shared-key"};
constexpr App kOwn{.id = "5", .key = "own-key"};
constexpr std::string_view kOffer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

bool upgrade_and_close(World& world) {
  Client client = connected(world, 0);
  client.send(fake_net::ping_frame());
  client.say(R"({"event":"pusher:ping","data":{}})");
  world.settle();
  const bool answered = client.heard("pusher:pong") && client.heard("<pong>");
  client.send(fake_net::close_frame(1000));
  world.settle();
  return answered && client.heard("<close 1000>");
}

bool refused_upgrade(World& world) {
  Client client(world, 0, {.id = "3", .key = "unknown"});
  client.upgrade();
  world.settle();
  Client plain(world, 0);
  plain.send("GET /app/app-key HTTP/1.1\r\nHost: x\r\n\r\n");
  world.settle();
  return client.heard("<close 4001>") && plain.answers(426) == 1;
}

// Joins, reads an event from the other shard, and leaves.
bool subscribe_to(World& world, std::string_view prefix) {
  const std::string here = channel_on(world, 0, prefix);
  const std::string there = channel_on(world, 1, prefix);
  Client client = connected(world, 0);
  client.subscribe(here);
  client.subscribe(there);
  world.settle();
  Client publisher(world, 1);
  publisher.publish(here, "to-here");
  publisher.publish(there, "to-there");
  world.settle();
  client.unsubscribe(here);
  client.subscribe(there);
  world.settle();
  return client.heard("to-here") && client.heard("to-there");
}

bool subscribe_public(World& world) {
  return subscribe_to(world, {});
}
bool subscribe_private(World& world) {
  return subscribe_to(world, "private-");
}
bool subscribe_presence(World& world) {
  return subscribe_to(world, "presence-");
}
bool subscribe_cache(World& world) {
  return subscribe_to(world, "cache-");
}
bool subscribe_encrypted(World& world) {
  return subscribe_to(world, "private-encrypted-");
}

bool full_presence_channel(World& world) {
  const std::string channel = channel_on(world, 1, "presence-");
  Client publisher(world, 1);
  bool refused = false;
  std::vector<Client> members;
  for (int i = 0; i < 5; ++i) {
    members.push_back(connected(world, static_cast<uint32_t>(i) % 2));
    members.back().subscribe(channel, R"({"user_id":")" + std::to_string(i) + R"(","user_info":{"n":"x"}})");
    world.settle();
    refused = members.back().heard("subscription_error");
  }
  // Leaves before the home has answered.
  members.back().subscribe(channel);
  world.step(0);
  members.back().peer().close();
  world.settle();
  return refused && members.front().heard("member_added");
}

bool cached_event(World& world) {
  const std::string channel = channel_on(world, 1, "private-cache-");
  Client publisher(world, 0);
  publisher.publish(channel, "kept");
  world.settle();
  Client client = connected(world, 0);
  client.subscribe(channel);
  world.settle();
  publisher.publish(channel, "newer");
  world.settle();
  return client.heard("kept") && client.heard("newer");
}

bool watchlist(World& world) {
  Client watcher = connected(world, 0);
  watcher.sign_in(R"({"id":"1","watchlist":["2","3"]})");
  world.settle();
  Client watched = connected(world, 1);
  watched.sign_in(R"({"id":"2","watchlist":["1"]})");
  world.settle();
  watched.peer().close();
  world.pass(4'000);
  return watcher.heard("signin_success") && watcher.heard(R"(\"online\")") && watcher.heard(R"(\"offline\")");
}

bool client_event_from(World& world, uint32_t sender_shard) {
  const std::string channel = channel_on(world, 1, "private-");
  Client reader = connected(world, 0);
  Client sender = connected(world, sender_shard);
  reader.subscribe(channel);
  sender.subscribe(channel);
  world.settle();
  sender.client_event(channel, "said");
  world.settle();
  return reader.heard("said") && !sender.heard("said");
}

bool client_event_same_shard(World& world) {
  return client_event_from(world, 0);
}
bool client_event_other_shard(World& world) {
  return client_event_from(world, 1);
}

bool deflate_with(World& world, App app) {
  Client reader = connected(world, 0, app, kOffer);
  reader.subscribe("news");
  world.settle();
  Client publisher(world, 1, app);
  for (int i = 0; i < 3; ++i) publisher.publish("news", std::string(300, 'a') + std::to_string(i));
  world.settle();
  // A message in fragments, with a ping between them.
  reader.send(ws::encode_masked_frame(ws::Opcode::kText, R"({"event":"pusher:)", 7, false, false));
  world.settle();
  reader.send(fake_net::ping_frame());
  reader.send(ws::encode_masked_frame(ws::Opcode::kContinuation, R"(ping"})", 7));
  world.settle();
  return reader.heard("aaa2") && reader.heard("pusher:pong");
}

bool deflate_shared(World& world) {
  return deflate_with(world, kShared);
}
bool deflate_own(World& world) {
  return deflate_with(world, kOwn);
}

bool slow_reader(World& world) {
  Client slow = connected(world, 0);
  Client quick = connected(world, 1);
  slow.subscribe("flood");
  quick.subscribe("flood");
  world.settle();
  slow.peer().open_window(100);
  Client publisher(world, 1);
  for (int i = 0; i < 8; ++i) {
    publisher.publish("flood", std::string(12'000, static_cast<char>('a' + i)));
    world.settle();
  }
  slow.peer().open_window(fake_net::kUnlimited);
  world.pass(3'000);
  return quick.heard("hhhh") && slow.heard("<close 4100>");
}

// It is not closed: it gets the newest of each key.
bool behind_on_a_conflating_channel(World& world) {
  Client slow = connected(world, 0, kShared);
  slow.subscribe("conflating");
  world.settle();
  slow.peer().open_window(100);
  Client publisher(world, 1, kShared);
  for (const char number : std::string_view("12345")) {
    for (const char key : std::string_view("abc")) {
      publisher.publish("conflating", std::string(R"({"id":")") + key + R"(","v":)" + number + R"(,"p":")" +
                                          std::string(3'000, 'x') + R"("})");
    }
    world.pass(100);
  }
  slow.peer().open_window(fake_net::kUnlimited);
  world.pass(1'000);
  return slow.heard("kilat:missed") && slow.heard(R"(\"id\":\"a\",\"v\":5)") && slow.heard(R"(\"id\":\"b\",\"v\":5)") &&
         slow.heard(R"(\"id\":\"c\",\"v\":5)");
}

bool partial_writes(World& world) {
  Client client = connected(world, 0);
  client.subscribe("c");
  world.settle();
  client.peer().limit_sends(7);
  Client publisher(world, 1);
  for (int i = 0; i < 20; ++i) publisher.publish("c", std::to_string(i) + "-x");
  publisher.publish("c", std::string(20'000, 'b'));
  world.settle();
  return client.heard("19-x") && client.heard("bbbb");
}

bool terminated_user(World& world) {
  Client here = connected(world, 0);
  Client there = connected(world, 1);
  here.sign_in(R"({"id":"7"})");
  there.sign_in(R"({"id":"7"})");
  world.settle();
  Client backend(world, 0);
  backend.request("POST", "/apps/3/users/7/terminate_connections", "{}");
  world.pass(500);
  return here.heard("<close 4009>") && there.heard("<close 4009>") && backend.answers(200) == 1;
}

bool ping_timeout(World& world) {
  Client client = connected(world, 0);
  client.subscribe("presence-x");
  world.settle();
  client.peer().vanish();
  world.pass(230'000);
  return client.peer().closed();
}

bool malformed_messages(World& world) {
  Client client = connected(world, 0);
  for (int i = 0; i < 12; ++i) client.say("{");
  world.settle();
  Client other = connected(world, 0);
  other.say(R"({"event":"nonsense","data":{}})");
  other.send("\xff\xff\xff\xff");
  world.settle();
  return client.heard("<close 4100>") && other.heard("<close 1002>");
}

constexpr auto kScenarios = std::to_array<Scenario>({
    {"UpgradeAndClose", upgrade_and_close},
    {"RefusedUpgrade", refused_upgrade},
    {"SubscribePublic", subscribe_public},
    {"SubscribePrivate", subscribe_private},
    {"SubscribePresence", subscribe_presence},
    {"SubscribeCache", subscribe_cache},
    {"SubscribeEncrypted", subscribe_encrypted},
    {"FullPresenceChannel", full_presence_channel},
    {"CachedEvent", cached_event},
    {"Watchlist", watchlist},
    {"ClientEventSameShard", client_event_same_shard},
    {"ClientEventOtherShard", client_event_other_shard},
    {"DeflateShared", deflate_shared},
    {"DeflateOwn", deflate_own},
    {"SlowReader", slow_reader},
    {"BehindOnAConflatingChannel", behind_on_a_conflating_channel},
    {"PartialWrites", partial_writes},
    {"TerminatedUser", terminated_user},
    {"PingTimeout", ping_timeout},
    {"MalformedMessages", malformed_messages},
});

}  // namespace

std::span<const Scenario> pusher_scenarios() {
  return kScenarios;
}

Client connected(World& world, uint32_t shard, App app, std::string_view headers) {
  Client client(world, shard, app);
  client.upgrade(headers);
  world.settle();
  client.read();
  return client;
}

}  // namespace kilat::faults
