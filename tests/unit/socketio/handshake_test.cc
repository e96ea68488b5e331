// Requests to the path of Socket.IO before a session has anything to say to them: in the order of the reference server.
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {
namespace {

struct Handshake : SocketIoTest {
  std::string get(World& world, std::string_view query, std::string_view headers = {}) {
    return world.answer_text(world.send(1, "GET", query, {}, headers));
  }
  static std::string code(int number) {
    constexpr std::string_view kMessages[] = {
        "Transport unknown", "Session ID unknown", "Bad handshake method",
        "Bad request",       "Forbidden",          "Unsupported protocol version"};
    return "<400 {\"code\":" + std::to_string(number) + ",\"message\":\"" + std::string(kMessages[number]) + "\"}>";
  }
};
KILAT_SOCKETIO_TEST(Handshake);

TEST_P(Handshake, OfPolling_HasExactlyFiveKeys) {
  World world(shards());
  const World::Sent sent = world.send(1, "GET", "EIO=4&transport=polling&t=abc&sid=");
  const std::optional<http::Response> response = world.answer(sent);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "text/plain; charset=UTF-8");
  EXPECT_THAT(response->body, MatchesRegex(R"(0\{"sid":"[A-Za-z0-9_-]{20}","upgrades":\["websocket"\],)"
                                           R"("pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\})"));
  EXPECT_EQ(response->cache_control, "no-store");
  EXPECT_TRUE(response->headers.empty());
}

TEST_P(Handshake, OfAWebSocket_OffersNoUpgrade) {
  World world(shards());
  const Log log = world.open(1).read();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_THAT(log[0], StartsWith(R"(0{"sid":")"));
  EXPECT_THAT(log[0], HasSubstr(R"("upgrades":[],)"));
}

TEST_P(Handshake, Ids_DifferAndNameTheirShard) {
  World world(shards());
  Poller a(world, 1);
  Poller b(world, 1);
  EXPECT_NE(a.sid(), b.sid());
  EXPECT_EQ(world.shard(0).sio.shard_of(a.sid()), 1 % shards());
}

TEST_P(Handshake, Refusals_HaveTheCodesOfTheReference) {
  World world(shards());
  EXPECT_EQ(get(world, ""), code(0));
  EXPECT_EQ(get(world, "EIO=4"), code(0));
  EXPECT_EQ(get(world, "EIO=4&transport=abc"), code(0));
  EXPECT_EQ(get(world, "EIO=4&transport=webtransport"), code(0));
  EXPECT_EQ(get(world, "EIO=4&transport=websocket"), code(3));
  EXPECT_EQ(get(world, "EIO=4&transport=polling&j=3"), code(3));
  for (const char* version : {"EIO=3&", "EIO=5&", "EIO=&", "EIO=abc&", ""}) {
    EXPECT_EQ(get(world, std::string(version) + "transport=polling"), code(5)) << version;
  }
  for (const char* method : {"POST", "PUT", "HEAD", "OPTIONS", "DELETE", "BREW"}) {
    EXPECT_EQ(world.answer_text(world.send(0, method, "EIO=4&transport=polling")), code(2)) << method;
  }
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.admitted(), 0);
}

TEST_P(Handshake, UnknownSessions_AreCodeOne) {
  World world(shards());
  const std::string gone = Poller(world, 1).sid();
  for (const std::string& sid : {std::string("__proto__"), std::string("a"), std::string(20, 'A'), std::string(20, '_'),
                                 gone.substr(1), gone + "A", std::string("%00%0d%0a"), std::string(5'000, 'x')}) {
    EXPECT_EQ(get(world, "EIO=4&transport=polling&sid=" + sid), code(1)) << sid.substr(0, 40);
  }
}

TEST_P(Handshake, LastOfRepeatedParameters_Counts) {
  World world(shards());
  EXPECT_THAT(get(world, "EIO=4&transport=abc&transport=polling"), StartsWith("0{"));
  EXPECT_EQ(get(world, "EIO=4&transport=polling&transport=abc"), code(0));
}

TEST_P(Handshake, RequestsThatDoNotFitTheSession_AreCodeThree) {
  World world(shards());
  Poller poller(world, 1);
  const std::string sid = "&sid=" + poller.sid();
  EXPECT_EQ(get(world, "transport=polling" + sid), code(3));
  EXPECT_EQ(get(world, "EIO=3&transport=polling" + sid), code(3));
  EXPECT_EQ(get(world, "EIO=4&transport=websocket" + sid), code(3));
  EXPECT_EQ(poller.get(), "<waiting>");
}

TEST_P(Handshake, OtherMethods_LeaveTheSessionAlone) {
  World world(shards());
  Poller poller(world, 1);
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "HEAD"}) {
    EXPECT_EQ(world.answer_text(poller.send(method)), "<500>");
  }
  EXPECT_EQ(poller.post("40"), "ok");
  EXPECT_THAT(poller.get(), StartsWith("40{"));
}

TEST_P(Handshake, ForeignOrigin_IsForbidden) {
  World::Setup setup;
  setup.app.allowed_origins = {"good.example"};
  World world(shards(), setup);
  EXPECT_THAT(get(world, "EIO=4&transport=polling", "Origin: https://bad.example\r\n"),
              StartsWith("<403 {\"code\":4,"));
  EXPECT_THAT(get(world, "EIO=4&transport=polling", "Origin: https://good.example\r\n"), StartsWith("0{"));
  const WireRequest request("GET", "/socket.io/?EIO=4&transport=websocket", {}, "Origin: https://bad.example\r\n");
  EXPECT_EQ(world.shard(0).sio.check_upgrade(request.get()).refused, Reason::kOriginRefused);
}

TEST_P(Handshake, FullOrDrainingServer_AsksToComeBack) {
  World world(shards());
  EXPECT_THAT(world.answer_text(world.send(0, "GET", "EIO=4&transport=polling", {}, {}, true)), StartsWith("<503 "));
  world.shard(0).admits = Reason::kAppOverQuota;
  EXPECT_THAT(world.answer_text(world.send(0, "GET", "EIO=4&transport=polling")), HasSubstr("\"code\":4"));
  world.shard(0).admits = Reason::kNone;
  world.app().settings.enabled = false;
  EXPECT_THAT(world.answer_text(world.send(0, "GET", "EIO=4&transport=polling")), HasSubstr("\"code\":4"));
  EXPECT_EQ(world.sessions(), 0U);
}

TEST_P(Handshake, DisabledTransports_AreUnknown) {
  World::Setup setup;
  setup.options.polling = false;
  World no_polling(shards(), setup);
  EXPECT_EQ(get(no_polling, "EIO=4&transport=polling"), code(0));
  EXPECT_EQ(get(no_polling, "EIO=4&transport=websocket"), code(3));
  setup.options.polling = true;
  setup.options.websocket = false;
  World no_websocket(shards(), setup);
  EXPECT_EQ(get(no_websocket, "EIO=4&transport=websocket"), code(0));
  EXPECT_THAT(get(no_websocket, "EIO=4&transport=polling"), HasSubstr(R"("upgrades":[])"));
  const WireRequest request("GET", "/socket.io/?EIO=4&transport=websocket", {}, {});
  EXPECT_EQ(no_websocket.shard(0).sio.check_upgrade(request.get()).refused, Reason::kEioTransportUnknown);
}

TEST_P(Handshake, WithoutUpgrades_NoneIsOfferedOrTaken) {
  World::Setup setup;
  setup.options.upgrades = false;
  World world(shards(), setup);
  Poller poller(world, 1);
  EXPECT_THAT(poller.opened(), HasSubstr(R"("upgrades":[])"));
  EXPECT_EQ(world.open_upgrade(poller.sid()), nullptr);
}

TEST_P(Handshake, UpgradeRequests_AreCheckedBeforeThe101) {
  World world(shards());
  const auto refused = [&](std::string_view query) {
    const WireRequest request("GET", "/socket.io/?" + std::string(query), {}, {});
    return world.shard(0).sio.check_upgrade(request.get()).refused;
  };
  EXPECT_EQ(refused("EIO=4&transport=websocket"), Reason::kNone);
  EXPECT_EQ(refused("EIO=4"), Reason::kEioTransportUnknown);
  EXPECT_EQ(refused("EIO=4&transport=abc"), Reason::kEioTransportUnknown);
  EXPECT_EQ(refused("EIO=4&transport=polling"), Reason::kEioBadRequest);
  EXPECT_EQ(refused("EIO=3&transport=websocket"), Reason::kEioVersionUnsupported);
  EXPECT_EQ(refused("EIO=4&transport=websocket&sid=nope"), Reason::kEioSessionUnknown);
  EXPECT_EQ(refused("EIO=3&transport=websocket&sid=" + Poller(world).sid()), Reason::kEioBadRequest);
}

TEST_P(Handshake, Cookie_IsSetOnPollingOnly) {
  World::Setup setup;
  setup.options.cookie = "io";
  World world(shards(), setup);
  const std::optional<http::Response> response = world.answer(world.send(1, "GET", "EIO=4&transport=polling"));
  ASSERT_TRUE(response);
  ASSERT_EQ(response->headers.size(), 1U);
  EXPECT_EQ(response->headers[0].name, "Set-Cookie");
  EXPECT_THAT(response->headers[0].value, MatchesRegex("io=[A-Za-z0-9_-]{20}; Path=/; HttpOnly; SameSite=Lax"));
}

}  // namespace
}  // namespace kilat::socketio::testing
