#include "unit/app/server_test.h"

namespace kilat::app::testing {
namespace {

struct ConnectionTest : ServerTest {
  int connections() const {
    const std::string body = call(api_request("GET", "/apps/3/connections")).body;
    return body.size() > 15 ? std::stoi(body.substr(15)) : -1;
  }
  bool connections_become(int wanted) const {
    for (int i = 0; i < 500; ++i) {
      if (connections() == wanted) return true;
      ::usleep(10'000);
    }
    return false;
  }
};
KILAT_SERVER_TEST(ConnectionTest);

TEST_P(ConnectionTest, Upgrade_SpeaksPusher) {
  start();
  WsClient client(port());
  EXPECT_THAT(client.switching(), HasSubstr("101"));
  EXPECT_THAT(client.switching(), HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  EXPECT_FALSE(client.greet().empty());
  client.say(kPing);
  EXPECT_EQ(client.next(), kPong);
}

TEST_P(ConnectionTest, BytesBehindTheUpgrade_AreHeard) {
  start();
  WsClient client(port(), subscribe_message("c") + text_message(kPing));
  EXPECT_FALSE(client.greet().empty());
  const std::string first = client.next();
  const std::string second = client.next();
  // The channel may live on the other shard, whose answer then comes after the pong.
  EXPECT_TRUE((first == kPong) != (second == kPong));
  EXPECT_EQ(publish("c", "x"), 200);
  EXPECT_EQ(client.next(), event_frame("c", "x"));
}

TEST_P(ConnectionTest, UpgradeInPieces_IsTheSame) {
  start();
  Socket socket(port());
  const std::string bytes = upgrade_request() + text_message(kPing);
  for (size_t at = 0; at < bytes.size(); ++at) socket.send(std::string_view(bytes).substr(at, 1));
  EXPECT_THAT(socket.until("\r\n\r\n"), HasSubstr("101"));
  EXPECT_FALSE(socket.until("connection_established").empty());
  EXPECT_FALSE(socket.until("pusher:pong").empty());
}

TEST_P(ConnectionTest, RequestThatIsNoUpgrade_IsTold) {
  start();
  EXPECT_EQ(call(http_get("/app/app-key")).status, 426);
  EXPECT_EQ(call(http_get("/app/app-key",
                          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
                .status,
            426);
  EXPECT_EQ(call(http_get("/app/app-key",
                          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: short\r\n"))
                .status,
            400);
}

TEST_P(ConnectionTest, RefusedHandshakes_SayErrorAndCloseWithTheRow) {
  config::Settings with = settings(shards());
  with.apps.push_back(with.apps[0]);
  with.apps[1].id = "4";
  with.apps[1].key = "picky";
  with.apps[1].allowed_origins = {"*.ok.com"};
  with.server.strict_protocol = true;
  start(with);
  const auto expect_refused = [&](std::string_view target, Reason reason) {
    WsClient client(port(), {}, target);
    EXPECT_THAT(client.next(), HasSubstr(R"("reason":")" + std::string(reason_row(reason).id) + "\"")) << target;
    EXPECT_EQ(client.next(), "<close " + std::to_string(reason_row(reason).close_code) + ">");
    EXPECT_EQ(client.next(), "<end>");
  };
  expect_refused("/app/nope?protocol=7", Reason::kAppUnknown);
  expect_refused("/app/%zz?protocol=7", Reason::kAppUnknown);
  expect_refused("/app/app-key", Reason::kProtocolMissing);
  expect_refused("/app/app-key?protocol=abc", Reason::kProtocolMalformed);
  expect_refused("/app/app-key?protocol=99", Reason::kProtocolUnsupported);
  expect_refused("/app/picky?protocol=7", Reason::kOriginRefused);
}

TEST_P(ConnectionTest, Quota_IsGivenBack) {
  config::Settings with = settings(shards());
  with.apps[0].max_connections = 1;
  start(with);
  {
    WsClient first(port());
    EXPECT_FALSE(first.greet().empty());
    WsClient second(port());
    EXPECT_THAT(second.next(), HasSubstr("app_over_quota"));
    EXPECT_EQ(second.next(), "<close 4004>");
    first.say(kPing);
    EXPECT_EQ(first.next(), kPong);
  }
  ASSERT_TRUE(connections_become(0));
  WsClient third(port());
  EXPECT_FALSE(third.greet().empty());
}

TEST_P(ConnectionTest, SignInAndKick_WorkAcrossShards) {
  start();
  std::vector<std::unique_ptr<WsClient>> tabs;
  for (int i = 0; i < 6; ++i) {
    tabs.push_back(std::make_unique<WsClient>(port()));
    const std::string id = tabs.back()->greet();
    const std::string user = R"({"id":"u"})";
    tabs.back()->say(R"({"event":"pusher:signin","data":{"auth":"app-key:)" +
                     auth::hmac_sha256_hex("app-secret", id + "::user::" + user) + R"(","user_data":)" +
                     json_string(user) + "}}");
    EXPECT_THAT(tabs.back()->next(), HasSubstr("signin_success"));
  }
  // The user channel's home has every tab when it lists them all.
  EXPECT_EQ(publish("#server-to-user-u", "hello"), 200);
  for (const auto& tab : tabs) EXPECT_EQ(tab->next(), event_frame("#server-to-user-u", "hello"));
  EXPECT_EQ(call(api_request("POST", "/apps/3/users/u/terminate_connections", "{}")).status, 200);
  for (const auto& tab : tabs) {
    EXPECT_THAT(tab->next(), HasSubstr("terminated_by_api"));
    EXPECT_EQ(tab->next(), "<close 4009>");
    EXPECT_EQ(tab->next(), "<end>");
  }
}

TEST_P(ConnectionTest, TwoHundredConnections_OpenedAndDroppedLeaveNothing) {
  start();
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<WsClient>> clients;
    for (int i = 0; i < 200; ++i) {
      clients.push_back(std::make_unique<WsClient>(port(), subscribe_message("c" + std::to_string(i % 5))));
    }
    for (const auto& client : clients) {
      ASSERT_FALSE(client->greet().empty());
      ASSERT_THAT(client->next(), HasSubstr("subscription_succeeded"));
    }
    EXPECT_EQ(connections(), 200);
    for (size_t i = 0; i < clients.size(); ++i) {
      if (i % 3 == 0) clients[i]->socket().reset();
      if (i % 3 == 1) clients[i]->send(ws::encode_masked_frame(ws::Opcode::kClose, "\x03\xe8", 1));
    }
    clients.clear();
    EXPECT_TRUE(connections_become(0));
    EXPECT_EQ(call(api_request("GET", "/apps/3/channels")).body, R"({"channels":{}})");
  }
}

TEST_P(ConnectionTest, ClientThatNeverReads_IsClosedAndOthersAreNotFelt) {
  config::Settings with = settings(shards());
  with.limits.outbox_bytes_max = 256 * 1024;
  with.limits.outbox_soft_bytes = 128 * 1024;
  with.limits.outbox_soft_ms = 500;
  start(with);
  WsClient stuck(port());
  WsClient reader(port());
  stuck.greet(), reader.greet();
  ASSERT_TRUE(stuck.subscribe("c") && reader.subscribe("c"));
  const std::string data(60'000, 'x');
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(publish("c", data), 200);
    ASSERT_EQ(reader.next(), event_frame("c", data)) << i;
  }
  EXPECT_TRUE(connections_become(1));
}

}  // namespace
}  // namespace kilat::app::testing
