// Reloads and figures of a real server, whose shards run meanwhile.
#include <gtest/gtest.h>

#include <string>

#include "unit/app/server_test.h"

namespace kilat::app::testing {
namespace {

using Outcome = ReloadReport::Outcome;

class ServerReload : public ::testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    wanted_ = settings(GetParam());
    hub::AppSettings other = wanted_.apps.front();
    other.id = "4";
    other.key = "other-key";
    wanted_.apps.push_back(other);
    auto started = Server::start(wanted_);
    ASSERT_TRUE(started) << started.error().detail;
    server_ = std::move(*started);
  }

  config::Settings wanted_;
  std::unique_ptr<Server> server_;
};

TEST_P(ServerReload, NothingDiffers_NothingIsApplied) {
  const ReloadReport report = server_->reload(wanted_);
  EXPECT_EQ(report.outcome, Outcome::kUnchanged);
  EXPECT_TRUE(report.live.empty());
  EXPECT_TRUE(report.later.empty());
}

TEST_P(ServerReload, SettingThatNeedsARestart_KeepsItsOldValue) {
  wanted_.server.shards = GetParam() + 1;
  const ReloadReport report = server_->reload(wanted_);
  EXPECT_EQ(report.outcome, Outcome::kUnchanged);
  ASSERT_EQ(report.later.size(), 1u);
  EXPECT_EQ(report.later[0].path, "server.shards");
  EXPECT_EQ(server_->shards(), GetParam());
  // It still differs from what runs, so the next reload says so again.
  EXPECT_EQ(server_->reload(wanted_).later.size(), 1u);
}

TEST_P(ServerReload, NewApp_CanBeConnectedTo) {
  hub::AppSettings added = wanted_.apps.front();
  added.id = "5";
  added.key = "new-key";
  wanted_.apps.push_back(added);
  Socket before(server_->port());
  before.send(
      "GET /app/new-key?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_NE(before.until("4001"), "");
  EXPECT_EQ(server_->reload(wanted_).outcome, Outcome::kApplied);
  for (int i = 0; i < 8; ++i) {  // whatever shard the kernel chooses
    Socket after(server_->port());
    after.send(
        "GET /app/new-key?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_NE(after.until("pusher:connection_established"), "");
  }
}

TEST_P(ServerReload, RemovedApp_ClosesItsConnectionsAndNoOthers) {
  const auto connect = [&](const std::string& key) {
    auto socket = std::make_unique<Socket>(server_->port());
    socket->send("GET /app/" + key +
                 "?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_NE(socket->until("pusher:connection_established"), "");
    return socket;
  };
  std::vector<std::unique_ptr<Socket>> going;
  std::vector<std::unique_ptr<Socket>> staying;
  for (int i = 0; i < 6; ++i) {
    going.push_back(connect("other-key"));
    staying.push_back(connect("app-key"));
  }
  wanted_.apps.pop_back();
  const ReloadReport report = server_->reload(wanted_);
  EXPECT_EQ(report.outcome, Outcome::kApplied);
  EXPECT_EQ(report.connections_closed, 6u);
  for (const auto& socket : going) EXPECT_NE(socket->until("4001"), "");
  EXPECT_EQ(server_->connections(), 6u);
  EXPECT_EQ(server_->reload(wanted_).outcome, Outcome::kUnchanged);
}

TEST_P(ServerReload, ManyReloadsWhileClientsComeAndGo_LeaveAWorkingServer) {
  for (int round = 0; round < 100; ++round) {
    config::Settings next = wanted_;
    if (round % 2 == 0) next.apps.pop_back();
    for (int i = 0; i <= round % 3; ++i) {
      hub::AppSettings app = wanted_.apps.front();
      app.id = "round-" + std::to_string(i);
      app.key = "key-" + std::to_string(round) + "-" + std::to_string(i);
      next.apps.push_back(app);
    }
    const ReloadReport report = server_->reload(next);
    ASSERT_EQ(report.outcome, Outcome::kApplied) << report.why;
    // A shard that misses a wake-up would sleep through the task.
    ASSERT_FALSE(report.late) << round;
    Socket client(server_->port());
    client.send("GET /app/" + next.apps.back().key +
                "?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    EXPECT_NE(client.until("pusher:connection_established"), "") << round;
  }
}

TEST_P(ServerReload, WhileDraining_IsRefused) {
  Socket client(server_->port());
  client.send("GET /up HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_NE(client.until("OK"), "");
  server_->drain();
  wanted_.apps.pop_back();
  const ReloadReport report = server_->reload(wanted_);
  EXPECT_EQ(report.outcome, Outcome::kRefused);
}

TEST_P(ServerReload, Dump_HasShardsAppsAndNoSecret) {
  const std::string dump = server_->dump_state();
  EXPECT_NE(dump.find(R"("responding":true)"), std::string::npos) << dump;
  EXPECT_NE(dump.find(R"("id":"4")"), std::string::npos);
  EXPECT_EQ(dump.find("app-secret"), std::string::npos);
}

TEST_P(ServerReload, AfterTheEnd_DumpIsEmptyAndReloadRefused) {
  server_->stop();
  server_->join();
  EXPECT_EQ(server_->dump_state(), "");
  EXPECT_EQ(server_->reload(wanted_).outcome, Outcome::kRefused);
}

INSTANTIATE_TEST_SUITE_P(Shards, ServerReload, ::testing::Values(1u, 3u));

}  // namespace
}  // namespace kilat::app::testing
