#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct ClientEvent : SessionTest {};
KILAT_SESSION_TEST(ClientEvent);

std::string trigger(std::string_view channel, std::string_view data, std::string_view event = "client-x") {
  return R"({"event":)" + json_string(event) + R"(,"channel":)" + json_string(channel) + R"(,"data":)" +
         std::string(data) + "}";
}

TEST_P(ClientEvent, OnAPrivateChannel_ReachesAllButTheSender) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  Client& c = world.connect(0);
  for (Client* client : {&a, &b, &c}) client->subscribe_private("private-c"), client->read();
  for (const char* data : {R"({"a": [1,"é"]})", R"("text")", "7", "null", "1e3"}) {
    b.say(trigger("private-c", data));
    EXPECT_THAT(a.read(), ElementsAre(event_text("private-c", "client-x", data)));
    EXPECT_THAT(c.read(), ElementsAre(event_text("private-c", "client-x", data)));
  }
  EXPECT_THAT(b.read(), IsEmpty());
}

TEST_P(ClientEvent, OnAPresenceChannel_CarriesTheTrueUserId) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_presence("presence-c", R"({"user_id":1})");
  b.subscribe_presence("presence-c", R"({"user_id":"2"})");
  a.read(), b.read();
  b.say(R"({"event":"client-x","channel":"presence-c","data":{},"user_id":"999"})");
  EXPECT_THAT(a.read(), ElementsAre(event_text("presence-c", "client-x", "{}", "2")));
}

TEST_P(ClientEvent, SwitchedOff_IsRefused) {
  hub::AppSettings app = app_settings();
  app.client_events = false;
  World world(shards(), app);
  Client& client = world.connect(1);
  client.subscribe_private("private-c");
  client.read();
  client.say(trigger("private-c", "{}"));
  EXPECT_THAT(client.read(), ElementsAre(error(Reason::kClientEventsDisabled, "private-c")));
  EXPECT_FALSE(client.finished());
}

TEST_P(ClientEvent, OnOtherKindsOfChannels_NeedsTheOption) {
  for (const bool allowed : {false, true}) {
    hub::AppSettings app = app_settings();
    app.client_events_on_public = allowed;
    app.client_events_on_encrypted = allowed;
    World world(shards(), app);
    Client& a = world.connect(0);
    Client& b = world.connect(1);
    a.subscribe("c"), b.subscribe("c");
    a.subscribe_private("private-encrypted-c"), b.subscribe_private("private-encrypted-c");
    a.read(), b.read();
    for (const char* channel : {"c", "private-encrypted-c"}) {
      a.say(trigger(channel, "1"));
      if (allowed) {
        EXPECT_THAT(b.read(), ElementsAre(event_text(channel, "client-x", "1")));
      } else {
        EXPECT_THAT(a.read(), ElementsAre(error(Reason::kClientEventChannelRefused, channel)));
        EXPECT_THAT(b.read(), IsEmpty());
      }
    }
    a.sign_in(R"({"id":"1"})");
    a.read();
    a.say(trigger("#server-to-user-1", "1"));
    EXPECT_THAT(a.read(), ElementsAre(error(Reason::kClientEventChannelRefused, "#server-to-user-1")));
  }
}

TEST_P(ClientEvent, WithoutASubscription_IsRefused) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_private("private-c");
  a.read();
  b.say(trigger("private-c", "1"));
  EXPECT_THAT(b.read(), ElementsAre(error(Reason::kClientEventNotSubscribed, "private-c")));
  EXPECT_THAT(a.read(), IsEmpty());
}

TEST_P(ClientEvent, OverTheLimits_IsRefused) {
  hub::AppSettings app = app_settings();
  app.event_bytes_max = 10;
  World world(shards(), app);
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_private("private-c"), b.subscribe_private("private-c");
  a.read(), b.read();
  const std::string name = "client-" + std::string(193, 'x');
  a.say(trigger("private-c", "1", name));
  a.say(trigger("private-c", "1", name + "x"));
  a.say(trigger("private-c", R"("12345678")"));
  a.say(trigger("private-c", R"("123456789")"));
  EXPECT_THAT(a.read(), ElementsAre(error(Reason::kClientEventNameTooLong, "private-c"),
                                    error(Reason::kClientEventTooBig, "private-c")));
  EXPECT_THAT(b.read(),
              ElementsAre(event_text("private-c", name, "1"), event_text("private-c", "client-x", R"("12345678")")));
}

TEST_P(ClientEvent, OverTheRate_IsDroppedUntilTokensAreBack) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_private("private-c"), b.subscribe_private("private-c");
  a.read(), b.read();
  for (int i = 0; i < 11; ++i) a.say(trigger("private-c", std::to_string(i)));
  EXPECT_THAT(a.read(), ElementsAre(error(Reason::kClientEventRateLimited, "private-c")));
  EXPECT_EQ(b.read().size(), 10U);
  world.pass(100);
  a.say(trigger("private-c", "1")), a.say(trigger("private-c", "2"));
  EXPECT_EQ(a.read().size(), 1U);
  EXPECT_EQ(b.read().size(), 1U);
  world.pass(60'000);
  for (int i = 0; i < 11; ++i) a.say(trigger("private-c", std::to_string(i)));
  EXPECT_EQ(a.read().size(), 1U);
  EXPECT_EQ(b.read().size(), 10U);
}

TEST_P(ClientEvent, RateZero_MeansNoLimit) {
  hub::AppSettings app = app_settings();
  app.client_events_per_second = 0;
  World world(shards(), app);
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_private("private-c"), b.subscribe_private("private-c");
  a.read(), b.read();
  for (int i = 0; i < 200; ++i) a.say(trigger("private-c", std::to_string(i)));
  EXPECT_THAT(a.read(), IsEmpty());
  EXPECT_EQ(b.read().size(), 200U);
}

TEST_P(ClientEvent, OnACacheChannel_IsDeliveredButNotCached) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe_private("private-cache-c"), b.subscribe_private("private-cache-c");
  a.read(), b.read();
  a.say(trigger("private-cache-c", "1"));
  EXPECT_EQ(b.read().size(), 1U);
  Client& late = world.connect(1);
  late.subscribe_private("private-cache-c");
  EXPECT_THAT(late.read(), ElementsAre(succeeded("private-cache-c"), HasSubstr("pusher:cache_miss")));
}

// The home is on the other shard and its ring is full: nothing may be lost silently, nor reordered.
TEST_P(ClientEvent, OverCapacity_IsTold) {
  if (shards() == 1) return;
  hub::AppSettings app = app_settings();
  app.client_events_per_second = 0;
  World world(shards(), app, {}, 16);
  std::string channel;
  for (int i = 0; channel.empty() || hub::home_of(0, channel, 2) != 1; ++i) channel = "private-" + std::to_string(i);
  Client& sender = world.connect(0);
  Client& reader = world.connect(1);
  sender.subscribe_private(channel), reader.subscribe_private(channel);
  sender.read(), reader.read();
  for (int i = 0; i < 40; ++i) {
    sender.feed(ws::encode_masked_frame(ws::Opcode::kText, trigger(channel, std::to_string(i)), kMask));
  }
  const Log refusals = sender.read();
  world.pump();
  const Log events = reader.read();
  EXPECT_GT(refusals.size(), 0U);
  EXPECT_EQ(refusals.size() + events.size(), 40U);
  for (const std::string& text : refusals) EXPECT_EQ(text, error(Reason::kClientEventOverCapacity, channel));
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i], event_text(channel, "client-x", std::to_string(i)));
}

TEST_P(ClientEvent, RefusalsOnLongNames_StayValidText) {
  hub::AppSettings app = app_settings();
  app.channel_name_max = 10;
  app.event_name_max = 20;
  World world(shards(), app);
  Client& client = world.connect(1);
  client.say(trigger("private-xéééééé", "1"));
  client.say(trigger("private-ééééééé", "1"));
  client.say(R"({"event":"xééééééééééééééééééé"})");
  client.say(R"({"event":"éééééééééééééééééééé"})");
  const Log log = client.read();
  ASSERT_EQ(log.size(), 4U);
  for (const std::string& text : log) EXPECT_TRUE(text.starts_with(R"({"event":"pusher:error")")) << text;
}

}  // namespace
}  // namespace kilat::pusher::testing
