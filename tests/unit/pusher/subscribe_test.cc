#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct Subscribe : SessionTest {};
KILAT_SESSION_TEST(Subscribe);

TEST_P(Subscribe, FirstFrame_IsConnectionEstablished) {
  World world(shards());
  Client& client = world.open(1);
  EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:connection_established","data":"{\"socket_id\":\")" +
                                         client.id() + R"(\",\"activity_timeout\":120}"})"));
}

TEST_P(Subscribe, PublicChannel_ReadsItsEventsInOrder) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  for (const char* channel : {"one", "two"}) {
    a.subscribe(channel);
    b.subscribe(channel);
    EXPECT_THAT(a.read(), ElementsAre(succeeded(channel)));
    EXPECT_THAT(b.read(), ElementsAre(succeeded(channel)));
  }
  Log expected;
  for (int i = 0; i < 20; ++i) {
    world.publish("one", "e", std::to_string(i));
    expected.push_back(event_text("one", "e", std::to_string(i)));
  }
  EXPECT_EQ(a.read(), expected);
  EXPECT_EQ(b.read(), expected);
}

TEST_P(Subscribe, ExcludedSocket_AloneMissesTheEvent) {
  World world(shards());
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe("c"), b.subscribe("c");
  a.read(), b.read();
  world.publish("c", "e", "1", b.session().socket_id());
  EXPECT_THAT(a.read(), ElementsAre(event_text("c", "e", "1")));
  EXPECT_THAT(b.read(), IsEmpty());
}

TEST_P(Subscribe, Again_IsAnsweredButCountsOnce) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.subscribe("c");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("c"), succeeded("c")));
  EXPECT_EQ(client.session().subscription_count(), 1U);
  world.publish("c", "e", "1");
  EXPECT_EQ(client.read().size(), 1U);
  client.unsubscribe("c");
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Subscribe, Unsubscribe_IsSilentAndEndsTheEvents) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("c");
  client.read();
  client.unsubscribe("c");
  client.unsubscribe("c");
  client.unsubscribe("never");
  world.publish("c", "e", "1");
  EXPECT_THAT(client.read(), IsEmpty());
  EXPECT_EQ(world.channels_left(), 0U);
}

TEST_P(Subscribe, BurstOfSubscribeUnsubscribeSubscribe_EndsSubscribed) {
  World world(shards());
  for (const uint32_t at : {0U, 1U}) {
    Client& client = world.connect(at);
    std::string bytes;
    for (const char* event : {"subscribe", "unsubscribe", "subscribe"}) {
      const std::string text = std::string(R"({"event":"pusher:)") + event + R"(","data":{"channel":"c"}})";
      bytes += ws::encode_masked_frame(ws::Opcode::kText, text, kMask);
    }
    client.feed(bytes);
    world.pump();
    world.publish("c", "e", "1");
    const Log log = client.read();
    EXPECT_EQ(std::ranges::count(log, event_text("c", "e", "1")), 1);
    EXPECT_EQ(log.back(), event_text("c", "e", "1"));
    EXPECT_EQ(log.front(), succeeded("c"));
  }
}

TEST_P(Subscribe, NamesOverTheLimitOrInvalid_AreRefused) {
  World world(shards());
  Client& client = world.connect(1);
  const std::string longest(200, 'x');
  client.subscribe(longest);
  EXPECT_THAT(client.read(), ElementsAre(succeeded(longest)));
  client.subscribe(longest + "x");
  EXPECT_THAT(client.read(), ElementsAre(refused(longest + "x", Reason::kChannelNameTooLong, "LimitReached", 4009)));
  for (const char* name : {"", "#x", "#server-to-user-", "a\x01", "a\x7f"}) {
    client.subscribe(name);
    EXPECT_THAT(client.read(), ElementsAre(refused(name, Reason::kChannelNameInvalid, "ChannelNameInvalid", 4009)));
  }
}

TEST_P(Subscribe, StrictNames_RefuseWhatTheSdksPatternDoesNotMatch) {
  World lax(shards());
  World strict(shards(), app_settings(), {.strict_channel_names = true});
  for (const char* name : {"a b", "a:b", "a/b", "é"}) {
    Client& easy = lax.connect(1);
    easy.subscribe(name);
    EXPECT_THAT(easy.read(), ElementsAre(succeeded(name)));
    Client& hard = strict.connect(1);
    hard.subscribe(name);
    EXPECT_THAT(hard.read(), ElementsAre(refused(name, Reason::kChannelNameInvalid, "ChannelNameInvalid", 4009)));
  }
  Client& client = strict.connect(1);
  client.subscribe("a,b;c.d@e=f-g_h");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("a,b;c.d@e=f-g_h")));
}

TEST_P(Subscribe, EnormousNames_AreEchoedCutAtACharacter) {
  World world(shards());
  Client& client = world.connect(1);
  std::string name = "x";
  while (name.size() < 5'000) name += "é";
  client.subscribe(name);
  const Log log = client.read();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_THAT(log[0], HasSubstr("channel_name_too_long"));
  EXPECT_LT(log[0].size(), 1'200U);
}

TEST_P(Subscribe, MoreChannelsThanAllowed_AreRefused) {
  hub::AppSettings app = app_settings();
  app.subscriptions_max = 2;
  World world(shards(), app);
  Client& client = world.connect(1);
  client.subscribe("a"), client.subscribe("b"), client.subscribe("c"), client.subscribe("a");
  EXPECT_THAT(client.read(),
              ElementsAre(succeeded("a"), succeeded("b"),
                          refused("c", Reason::kTooManySubscriptions, "LimitReached", 4100), succeeded("a")));
  client.unsubscribe("a");
  client.subscribe("c");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("c")));
}

// The vectors of docs/protocol.md.
TEST_P(Subscribe, PublishedVectors_AreAccepted) {
  World world(shards());
  Client& client = world.connect(0, {.socket_id = {1234, 1234}});
  const std::string key = "278d425bdf160c739803:";
  client.subscribe("private-foobar", key + "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
  client.subscribe("private-encrypted-foo", key + "e85caab4331194145d44feae15aea9539ea50631afacbc593a9555ceadc42357");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("private-foobar"), succeeded("private-encrypted-foo")));
  client.subscribe("private-cache-foo", key + "a62de12ce80893ec63e0af7f4628cbf23565b09a27d563cd6dee8c15fe130426");
  EXPECT_EQ(client.read().at(0), succeeded("private-cache-foo"));
  client.subscribe("presence-foobar", key + "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
                   R"({"user_id":10,"user_info":{"name":"Mr. Channels"}})");
  EXPECT_THAT(client.read(),
              ElementsAre(succeeded("presence-foobar",
                                    R"({"presence":{"ids":["10"],"hash":{"10":{"name":"Mr. Channels"}},"count":1}})")));
}

TEST_P(Subscribe, ChannelDataOfAPrivateChannel_IsPartOfTheSignature) {
  World world(shards());
  Client& client = world.connect(1);
  client.subscribe("private-c", sign(client.id() + ":private-c:{\"a\":1}"), "{\"a\":1}");
  client.subscribe("private-d", sign(client.id() + ":private-d"), "{\"a\":1}");
  EXPECT_THAT(client.read(),
              ElementsAre(succeeded("private-c"), refused("private-d", Reason::kChannelAuthInvalid, "AuthError", 401)));
}

TEST_P(Subscribe, WrongAuth_IsRefusedAndTheSocketStays) {
  World world(shards());
  Client& client = world.connect(1);
  const std::string good = sign(client.id() + ":private-c");
  const std::string hex = good.substr(good.find(':') + 1);
  std::string upper = good;
  for (size_t i = good.find(':'); i < upper.size(); ++i) upper[i] = static_cast<char>(std::toupper(upper[i]));
  for (const std::string& auth :
       {std::string(), hex, ":" + hex, std::string("278d425bdf160c739803"), good + "0", good.substr(0, good.size() - 1),
        sign("9.9:private-c"), sign(client.id() + ":private-d"), upper}) {
    client.subscribe("private-c", auth);
    const Reason reason = auth == ":" + hex ? Reason::kChannelAuthKeyInvalid : Reason::kChannelAuthInvalid;
    EXPECT_THAT(client.read(), ElementsAre(refused("private-c", reason, "AuthError", 401))) << auth;
  }
  client.subscribe("private-c", "other-key:" + hex);
  EXPECT_THAT(client.read(), ElementsAre(refused("private-c", Reason::kChannelAuthKeyInvalid, "AuthError", 401)));
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"private-c","auth":null}})");
  client.say(R"({"event":"pusher:subscribe","data":{"channel":"private-c"}})");
  EXPECT_EQ(client.read().size(), 2U);
  world.publish("private-c", "e", "1");
  client.say(R"({"event":"pusher:ping"})");
  EXPECT_THAT(client.read(), ElementsAre(R"({"event":"pusher:pong","data":{}})"));
}

TEST_P(Subscribe, NamesThatOnlyLookPrivate_AreOpen) {
  World world(shards());
  Client& client = world.connect(1);
  for (const char* name : {"my-private-x", "privateer", "presences", "foo-cache-bar", "private", "Private-x"}) {
    client.subscribe(name);
    EXPECT_THAT(client.read(), ElementsAre(succeeded(name)));
  }
}

TEST_P(Subscribe, StrictErrors_UseTheErrorEvent) {
  hub::AppSettings app = app_settings();
  app.strict_errors = true;
  World world(shards(), app);
  Client& client = world.connect(1);
  client.subscribe("private-c", "x:y");
  EXPECT_THAT(client.read(), ElementsAre(HasSubstr(R"("event":"pusher:error")")));
  EXPECT_FALSE(client.finished());
}

TEST_P(Subscribe, CacheChannel_ReplaysTheLastBackendEventAfterSuccess) {
  World world(shards());
  Client& a = world.connect(0);
  a.subscribe("cache-c");
  EXPECT_THAT(a.read(),
              ElementsAre(succeeded("cache-c"), R"({"event":"pusher:cache_miss","channel":"cache-c","data":"{}"})"));
  world.publish("cache-c", "e", R"("1")");
  world.publish("cache-c", "e", R"("2")");
  Client& b = world.connect(1);
  b.subscribe("cache-c");
  EXPECT_THAT(b.read(), ElementsAre(succeeded("cache-c"), event_text("cache-c", "e", R"("2")")));
  a.read();
  world.pass(3'600'001);
  Client& c = world.connect(1);
  c.subscribe("cache-c");
  EXPECT_EQ(c.read().size(), 2U);
}

TEST_P(Subscribe, CacheChannelWithoutSubscribers_IsCachedToo) {
  World world(shards());
  world.publish("private-cache-c", "e", "1");
  Client& client = world.connect(1);
  client.subscribe_private("private-cache-c");
  EXPECT_THAT(client.read(), ElementsAre(succeeded("private-cache-c"), event_text("private-cache-c", "e", "1")));
}

TEST_P(Subscribe, SubscriptionCount_IsToldToAllOnEveryChange) {
  hub::AppSettings app = app_settings();
  app.subscription_count = true;
  World world(shards(), app);
  const auto count = [](int n) {
    return R"({"event":"pusher_internal:subscription_count","channel":"c","data":"{\"subscription_count\":)" +
           std::to_string(n) + R"(}"})";
  };
  Client& a = world.connect(0);
  Client& b = world.connect(1);
  a.subscribe("c");
  EXPECT_THAT(a.read(), ElementsAre(succeeded("c"), count(1)));
  b.subscribe("c");
  EXPECT_THAT(b.read(), ElementsAre(succeeded("c"), count(2)));
  b.drop();
  world.pump();
  EXPECT_THAT(a.read(), ElementsAre(count(2), count(1)));
}

TEST_P(Subscribe, LostConnections_LeaveNothingBehind) {
  World world(shards());
  for (uint32_t i = 0; i < 10; ++i) {
    Client& client = world.connect(i);
    client.subscribe("c");
    client.subscribe_presence("presence-c", R"({"user_id":)" + std::to_string(i % 3) + "}");
    client.sign_in(R"({"id":"u","watchlist":["v"]})");
    client.drop();
    client.drop();
    world.pump();
  }
  EXPECT_EQ(world.channels_left(), 0U);
  EXPECT_EQ(world.timers_left(), 0U);
}

}  // namespace
}  // namespace kilat::pusher::testing
