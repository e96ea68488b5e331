// Channels that a client has folded for itself: what it may wish for, and what that costs it.
#include <string>

#include "unit/pusher/session_test.h"

namespace kilat::pusher::testing {
namespace {

struct Folded : SessionTest {
  World world{shards()};

  static std::string subscribe(std::string_view channel, std::string_view flow) {
    return R"({"event":"pusher:subscribe","data":{"channel":)" + json_string(channel) + R"(,"flow":)" +
           std::string(flow) + "}}";
  }
  static uint32_t aside(Client& client) { return client.session().outbox().aside(); }
};
KILAT_SESSION_TEST(Folded);

TEST_P(Folded, SenselessWish_IsAnswered_AndTheChannelComesAsItIs) {
  for (const char* flow :
       {R"("x")", "[]", "5", "true", "{}", R"({"conflate":0})", R"({"conflate":60001})", R"({"conflate":1.5})",
        R"({"conflate":100,"key":5})", R"({"conflate":100,"key":"a b"})", R"({"conflate":100,"max_rate":1})",
        R"({"conflate":100,"batch":1})", R"({"max_rate":0.016})", R"({"max_rate":1001})", R"({"max_rate":-1})",
        R"({"max_rate":5,"batch":true})", R"({"max_rate":null})"}) {
    SCOPED_TRACE(flow);
    Client& client = world.connect();
    client.say(subscribe("ticks", flow));
    EXPECT_THAT(client.read(), ElementsAre(HasSubstr("flow_invalid"), succeeded("ticks")));
    EXPECT_EQ(aside(client), 0U);
    client.drop();
  }
}

TEST_P(Folded, WishAtItsBounds_IsTaken) {
  for (const char* flow : {R"({"conflate":1})", R"({"conflate":60000,"key":"/k","batch":true})",
                           R"({"max_rate":0.016666666666666666})", R"({"max_rate":1000,"batch":false})", "null"}) {
    SCOPED_TRACE(flow);
    Client& client = world.connect();
    client.say(subscribe("ticks", flow));
    EXPECT_THAT(client.read(), ElementsAre(succeeded("ticks")));
    client.drop();
  }
}

TEST_P(Folded, WhatIsHeld_IsSetAside_AndTakenBack) {
  Client& client = world.connect();
  client.say(subscribe("ticks", R"({"conflate":1000,"key":"/k"})"));
  client.read();
  const uint32_t idle = aside(client);
  EXPECT_GT(idle, 1'000U);
  const std::string text(5'000, 'x');
  for (int k = 0; k < 4; ++k)
    world.publish("ticks", "e", R"({"k":)" + std::to_string(k) + R"(,"t":")" + text + R"("})");
  EXPECT_GE(aside(client), idle + 20'000);
  EXPECT_THAT(client.read(), IsEmpty());
  world.pass(1'000);
  EXPECT_EQ(client.read().size(), 4U);
  // An interval without an event, and its memory goes.
  world.pass(1'000);
  world.pass(1'000);
  EXPECT_EQ(aside(client), idle);
  client.unsubscribe("ticks");
  EXPECT_EQ(aside(client), 0U);
}

TEST_P(Folded, WhatAllChannelsHold_IsSetAside) {
  Client& client = world.connect();
  const std::string text(9'000, 'x');
  for (int channel = 0; channel < 32; ++channel) {
    client.say(subscribe("ticks-" + std::to_string(channel), R"({"conflate":60000,"key":"/k"})"));
  }
  for (int channel = 0; channel < 32; ++channel) {
    for (int k = 0; k < 20; ++k) {
      world.publish("ticks-" + std::to_string(channel), "e",
                    R"({"k":)" + std::to_string(k) + R"(,"t":")" + text + R"("})");
    }
  }
  EXPECT_GE(aside(client), 32 * 20 * 9'000U);
}

TEST_P(Folded, AppWithoutClientFlow_RefusesEachWish) {
  hub::AppSettings app = app_settings();
  app.client_flow = false;
  World plain(shards(), app);
  Client& client = plain.connect();
  client.say(subscribe("ticks", R"({"conflate":1000})"));
  EXPECT_THAT(client.read(), ElementsAre(HasSubstr("app.client_flow is off"), succeeded("ticks")));
  plain.publish("ticks", "e", "1");
  EXPECT_EQ(client.read().size(), 1U);
}

}  // namespace
}  // namespace kilat::pusher::testing
