// The small parts of operation: routes as metrics name them, who listens, systemd's protocol, the report of a reload.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "app/handover.h"
#include "app/reload.h"
#include "app/systemd.h"
#include "app/traffic.h"

namespace kilat::app {
namespace {

TEST(Traffic, ApiRoutes_AreToldApart) {
  EXPECT_EQ(api_route_of("/apps/1/events"), HttpRoute::kEvents);
  EXPECT_EQ(api_route_of("/apps/1/batch_events"), HttpRoute::kBatchEvents);
  EXPECT_EQ(api_route_of("/apps/1/channels"), HttpRoute::kChannels);
  EXPECT_EQ(api_route_of("/apps/1/channels/a"), HttpRoute::kChannel);
  EXPECT_EQ(api_route_of("/apps/1/channels/a/users"), HttpRoute::kUsers);
  EXPECT_EQ(api_route_of("/apps/1/users/u/terminate_connections"), HttpRoute::kTerminate);
  EXPECT_EQ(api_route_of("/apps/1/users/u/force_reconnect"), HttpRoute::kForceReconnect);
  EXPECT_EQ(api_route_of("/apps/1/connections"), HttpRoute::kConnections);
  EXPECT_EQ(api_route_of("/apps/1/tail"), HttpRoute::kTail);
}

TEST(Traffic, OtherPaths_AreOneRoute) {
  for (const char* path : {"/apps/", "/apps/1", "/apps/1/", "/apps/1/secrets", "/apps/1/events/2", "/apps//"}) {
    EXPECT_EQ(api_route_of(path), HttpRoute::kOther) << path;
  }
}

TEST(Traffic, EveryRoute_HasAName) {
  for (size_t i = 0; i < static_cast<size_t>(HttpRoute::kCount); ++i) {
    EXPECT_FALSE(route_name(static_cast<HttpRoute>(i)).empty());
  }
}

TEST(Handover, ListeningInodes_AreThoseOfThePortInStateListen) {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1771 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0\n"
      "   1: 0100007F:1771 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4\n"
      "   2: 00000000:1771 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0\n"
      "   3: 0100007F:1772 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4714 1 0 100 0\n"
      "garbage\n";
  EXPECT_EQ(listening_inodes(table, 6001), (std::vector<uint64_t>{4711, 4713}));
  EXPECT_TRUE(listening_inodes("", 6001).empty());
}

class NotifySocket : public ::testing::Test {
 protected:
  void SetUp() override {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string name = "@kilat-notify-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    address.sun_path[0] = '\0';
    ASSERT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::close(fd_);
  }
  std::string receive() const {
    std::string text(512, '\0');
    const ssize_t size = ::recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }
  int fd_ = -1;
};

TEST_F(NotifySocket, Notify_SendsOneDatagram) {
  EXPECT_TRUE(systemd::notify("READY=1\nSTATUS=ready"));
  EXPECT_EQ(receive(), "READY=1\nSTATUS=ready");
}

TEST_F(NotifySocket, Reloading_TellsTheClock) {
  systemd::notify_reloading();
  EXPECT_TRUE(receive().starts_with("RELOADING=1\nMONOTONIC_USEC="));
}

TEST(Systemd, WithoutASocket_NotifySaysNo) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(systemd::notify("READY=1"));
  ::setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(systemd::notify("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(Systemd, Watchdog_IsForTheProcessThatIsNamed) {
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(systemd::watchdog_ms(), 3'000u);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(systemd::watchdog_ms(), 0u);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(systemd::watchdog_ms(), 3'000u);
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
}

TEST(Systemd, SocketsOfAnotherProcess_AreLeftAlone) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  EXPECT_TRUE(systemd::take_listening_sockets().empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
}

TEST(ReloadReport, Lines_SayWhatAppliedWhatNeedsARestartAndTheEnd) {
  ReloadReport report;
  report.outcome = ReloadReport::Outcome::kApplied;
  report.live = {{config::ChangeKind::kSetting, "app.shop.max_connections", "5000", "8000", "shop", false},
                 {config::ChangeKind::kSetting, "log.level", "info", "debug", {}, false}};
  report.later = {{config::ChangeKind::kSetting, "server.shards", "4", "8", {}, true}};
  report.ms = 3;
  EXPECT_EQ(describe(report),
            (std::vector<std::string>{
                "2 changes applied: app.shop.max_connections 5000 -> 8000, log.level info -> debug",
                "needs restart, kept the old value: server.shards 4 -> 8", "done in 3 ms, no connection was closed"}));
}

TEST(ReloadReport, Refused_SaysThatNothingWasChanged) {
  ReloadReport report;
  report.outcome = ReloadReport::Outcome::kRefused;
  report.why = "the server is draining";
  EXPECT_EQ(describe(report), (std::vector<std::string>{"nothing was changed: the server is draining"}));
}

}  // namespace
}  // namespace kilat::app
