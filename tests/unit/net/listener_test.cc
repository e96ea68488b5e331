#include "net/listener.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Fd;

class Accepted final : public AcceptHandler {
 public:
  void on_accepted(int fd, const Peer& peer, const ListenerTraits&) override {
    fds.emplace_back(fd);
    peers.push_back(peer);
  }
  std::vector<Fd> fds;
  std::vector<Peer> peers;
};

Fd new_client() {
  return Fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void connect_to(const Fd& client, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  ASSERT_TRUE(result == 0 || errno == EINPROGRESS);
}

/// The first descriptor number that is free now: with it as the limit nothing can be opened.
rlim_t first_free_descriptor() {
  const Fd probe(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return static_cast<rlim_t>(probe.get());
}

struct ListenerTest : ::testing::Test {
  ListenerTest() {
    const Result<int> fd = listen_on("127.0.0.1", 0, false);
    EXPECT_TRUE(fd.has_value());
    port = bound_port(*fd);
    listener = std::make_unique<Listener>(loop, *fd, ListenerTraits{}, accepted);
  }
  bool accept_until(size_t count) {
    for (int i = 0; i < 1'000 && accepted.fds.size() < count; ++i) testing::poll(loop, 1);
    return accepted.fds.size() == count;
  }
  /// The type checks of UBSan need a descriptor for an object of a kind they have not met yet, so the tests that run
  /// out of descriptors first use all kinds.
  void serve_one() {
    const Fd client = new_client();
    connect_to(client, port);
    ASSERT_TRUE(accept_until(1));
  }

  EventLoop loop;
  Accepted accepted;
  uint16_t port = 0;
  std::unique_ptr<Listener> listener;
};

TEST_F(ListenerTest, Connections_AreAcceptedNonBlockingCloseOnExecAndWithoutDelay) {
  const Fd client = new_client();
  connect_to(client, port);
  ASSERT_TRUE(accept_until(1));
  const int fd = accepted.fds[0].get();
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ASSERT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
}

TEST_F(ListenerTest, ConnectStorm_IsAcceptedOverSeveralTurns) {
  std::vector<Fd> clients;
  for (int i = 0; i < 150; ++i) {
    clients.push_back(new_client());
    connect_to(clients.back(), port);
  }
  testing::poll(loop, 100);
  EXPECT_LE(accepted.fds.size(), 64U) << "one turn must not be spent on accepting alone";
  EXPECT_TRUE(accept_until(150));
}

TEST_F(ListenerTest, OutOfDescriptors_ShedsInsteadOfSpinningAndServesAfterwards) {
  serve_one();
  const Fd shed = new_client();
  const Fd served = new_client();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit tight{first_free_descriptor(), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  connect_to(shed, port);
  for (int i = 0; i < 50; ++i) testing::poll(loop, 1);
  const int ready = testing::poll(loop, 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

  EXPECT_EQ(ready, 0) << "the connection is still waiting: the loop would spin";
  EXPECT_EQ(accepted.fds.size(), 1U);
  char byte = 0;
  errno = 0;
  EXPECT_LE(recv(shed.get(), &byte, 1, 0), 0);
  EXPECT_NE(errno, EAGAIN) << "the client was not told";
  connect_to(served, port);
  EXPECT_TRUE(accept_until(2));
}

TEST_F(ListenerTest, OutOfDescriptors_ManyTimes_KeepsItsReserve) {
  serve_one();
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(new_client());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit tight{first_free_descriptor(), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (const Fd& client : clients) connect_to(client, port);
  for (int i = 0; i < 100; ++i) testing::poll(loop, 1);
  const int ready = testing::poll(loop, 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(ready, 0);
  EXPECT_EQ(accepted.fds.size(), 1U);
}

TEST_F(ListenerTest, PortTaken_IsAnErrorThatNamesTheAddress) {
  const Result<int> second = listen_on("127.0.0.1", port, false);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().detail.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

TEST(Listen, ReusePort_LetsSeveralShardsListenOnOnePort) {
  const Result<int> first = listen_on("127.0.0.1", 0, true);
  ASSERT_TRUE(first.has_value());
  const Fd first_fd(*first);
  const Result<int> second = listen_on("127.0.0.1", bound_port(*first), true);
  ASSERT_TRUE(second.has_value()) << second.error().detail;
  const Fd second_fd(*second);
  EXPECT_EQ(bound_port(*first), bound_port(*second));
}

TEST(Listen, HostThatIsNoAddress_IsAnErrorNotACrash) {
  EXPECT_FALSE(listen_on("256.256.256.256", 0, false).has_value());
}

/// Whether somebody listens at the Unix socket `path`. A full queue (EAGAIN) is somebody, too: to wait for room in it
/// would be for ever where nobody accepts.
bool is_served(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

TEST(UnixListener, TakenOver_HasNoMomentWithoutASocket) {
  const std::string path = ::testing::TempDir() + "kilat-take-over-" + std::to_string(getpid());
  const Result<int> first = listen_on_unix(path, 0600);
  ASSERT_TRUE(first.has_value());
  std::atomic<bool> over{false};
  std::atomic<int> refused{0};
  std::atomic<int> tries{0};
  std::thread visitor([&] {
    for (; !over; ++tries) {
      if (!is_served(path)) ++refused;
    }
  });
  std::vector<Fd> servers;
  servers.emplace_back(*first);
  for (int i = 0; i < 100; ++i) {
    const uint64_t before = socket_file_id(path);
    const Result<int> next = listen_on_unix(path, 0640, true);
    ASSERT_TRUE(next.has_value()) << next.error().detail;
    servers.emplace_back(*next);
    EXPECT_NE(socket_file_id(path), before);
  }
  while (tries < 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  over = true;
  visitor.join();
  EXPECT_EQ(refused, 0) << "of " << tries;
  struct stat facts{};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0640u);
  EXPECT_EQ(socket_file_id(path + ".new"), 0u) << "nothing is left beside it";
  EXPECT_FALSE(listen_on_unix(path, 0600).has_value()) << "only who takes over may";
  unlink(path.c_str());
}

TEST(UnixListener, TakenOverWhereNobodyWas_ListensAllTheSame) {
  const std::string path = ::testing::TempDir() + "kilat-nobody-" + std::to_string(getpid());
  const Result<int> fd = listen_on_unix(path, 0600, true);
  ASSERT_TRUE(fd.has_value());
  const Fd owned(*fd);
  EXPECT_TRUE(is_served(path));
  unlink(path.c_str());
}

TEST(UnixListener, LongestPath_IsTakenOverWithoutANameBesideIt) {
  std::string path = ::testing::TempDir() + "kilat-long-" + std::to_string(getpid()) + "-";
  path.append(sizeof(sockaddr_un::sun_path) - 1 - path.size(), 'x');
  const Result<int> first = listen_on_unix(path, 0600);
  ASSERT_TRUE(first.has_value());
  const Fd one(*first);
  const Result<int> second = listen_on_unix(path, 0600, true);
  ASSERT_TRUE(second.has_value());
  const Fd other(*second);
  EXPECT_TRUE(is_served(path));
  unlink(path.c_str());
}

}  // namespace
}  // namespace kilat::net
