// What re-arming costs: the same tiny request-response server on Boost.Asio (async_wait, then direct read and write)
// and on a bare level-triggered epoll loop. The measurement of docs/adr/0001-event-loop.md.
//
//   loop_rearm [rounds = 101] [requests a run = 20000]
//
// A round runs every variant once, in rotating order, so that whatever else the machine does hits them alike; only the
// CPU time of the server's thread is counted. The server is pinned to core 0, the client to core 1.
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr size_t kRequestBytes = 300;
constexpr size_t kResponseBytes = 100;
constexpr size_t kReadBytes = 16 * 1024;
constexpr int kConnections = 8;
constexpr int kIdleConnections = 10'000;
constexpr int kEventsPerWait = 256;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int check(int result, const char* what) {
  if (result < 0) die(what);
  return result;
}

/// The part that both servers share: one read, one answer per complete request, in one write. Nothing is parsed: the
/// less a request costs by itself, the more the loop shows.
struct Service {
  uint64_t answered = 0;

  /// `pending`: bytes of the connection's unfinished request.
  void serve(int fd, size_t& pending) {
    static thread_local std::array<char, kReadBytes> buffer;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("recv");
    pending += static_cast<size_t>(got);
    const size_t requests = pending / kRequestBytes;
    pending %= kRequestBytes;
    if (requests == 0) return;
    if (requests * kResponseBytes > buffer.size()) die("more than one request in flight");
    if (::send(fd, buffer.data(), requests * kResponseBytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) die("send");
    answered += requests;
  }
};

/// `kRearm`: one epoll_ctl after each read, as Asio's reactor does it: tells that system call from the rest of Asio.
template <bool kRearm>
class EpollServer {
 public:
  ~EpollServer() { ::close(epoll_); }

  void add(int fd) {
    connections_.push_back(std::make_unique<Connection>(Connection{fd, 0}));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connections_.back().get()}};
    check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void run(uint64_t requests) {
    std::array<epoll_event, kEventsPerWait> events;
    while (service_.answered < requests) {
      const int count = ::epoll_wait(epoll_, events.data(), kEventsPerWait, -1);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
        service_.serve(connection.fd, connection.pending);
        if constexpr (kRearm) {
          epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = &connection}};
          check(::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event), "epoll_ctl");
        }
      }
    }
  }

 private:
  struct Connection {
    int fd;
    size_t pending;
  };

  int epoll_ = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  Service service_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

/// `kHint`: 1 keeps Asio's locks; BOOST_ASIO_CONCURRENCY_HINT_UNSAFE drops them and is the best Asio can do.
template <int kHint>
class AsioServer {
 public:
  ~AsioServer() {
    for (auto& connection : connections_) connection->descriptor.release();
  }

  void add(int fd) {
    connections_.push_back(std::make_unique<Connection>(*this, fd));
    arm(*connections_.back());
    context_.poll();
  }

  void run(uint64_t requests) {
    requests_ = requests;
    context_.restart();
    context_.run();
  }

 private:
  struct Connection {
    Connection(AsioServer& s, int fd) : server(s), descriptor(s.context_, fd) {}
    AsioServer& server;
    asio::posix::stream_descriptor descriptor;
    size_t pending = 0;
  };

  struct OnReadable {
    using allocator_type = asio::recycling_allocator<void>;
    [[nodiscard]] allocator_type get_allocator() const noexcept { return {}; }

    void operator()(const boost::system::error_code& error) const {
      if (error) return;
      AsioServer& server = connection->server;
      server.service_.serve(connection->descriptor.native_handle(), connection->pending);
      server.arm(*connection);
      if (server.service_.answered >= server.requests_) server.context_.stop();
    }

    Connection* connection;
  };

  void arm(Connection& connection) {
    connection.descriptor.async_wait(asio::posix::stream_descriptor::wait_read, OnReadable{&connection});
  }

  asio::io_context context_{kHint};
  Service service_;
  uint64_t requests_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
};

void pin_to(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set) != 0) std::fputs("warning: not pinned\n", stderr);
}

double thread_cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Connected loopback TCP pairs, without Nagle's delay.
struct Pairs {
  Pairs() {
    const int listener = check(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener, generic, length), "bind");
    check(::listen(listener, kConnections), "listen");
    check(::getsockname(listener, generic, &length), "getsockname");
    for (size_t i = 0; i < kConnections; ++i) {
      client[i] = check(::socket(AF_INET, SOCK_STREAM, 0), "socket");
      check(::connect(client[i], generic, length), "connect");
      server[i] = check(::accept(listener, nullptr, nullptr), "accept");
      const int on = 1;
      for (const int fd : {client[i], server[i]}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    ::close(listener);
  }
  ~Pairs() {
    for (const int fd : client) ::close(fd);
    for (const int fd : server) ::close(fd);
  }
  Pairs(const Pairs&) = delete;
  Pairs& operator=(const Pairs&) = delete;

  std::array<int, kConnections> client{};
  std::array<int, kConnections> server{};
};

/// Keeps one request in flight on each connection until `requests` are answered in all.
void drive(const Pairs& pairs, uint64_t requests) {
  const int epoll = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  std::array<char, kRequestBytes> buffer{};
  std::array<size_t, kConnections> received{};
  for (size_t i = 0; i < kConnections; ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    check(::epoll_ctl(epoll, EPOLL_CTL_ADD, pairs.client[i], &event), "epoll_ctl");
    if (::send(pairs.client[i], buffer.data(), kRequestBytes, 0) != kRequestBytes) die("send");
  }
  uint64_t sent = kConnections;
  uint64_t answered = 0;
  std::array<epoll_event, kConnections> events;
  while (answered < requests) {
    const int count = ::epoll_wait(epoll, events.data(), kConnections, -1);
    for (int i = 0; i < count; ++i) {
      const size_t which = events[static_cast<size_t>(i)].data.u64;
      received[which] += static_cast<size_t>(
          check(static_cast<int>(::recv(pairs.client[which], buffer.data(), buffer.size(), MSG_DONTWAIT)), "recv"));
      if (received[which] < kResponseBytes) continue;
      received[which] -= kResponseBytes;
      ++answered;
      if (sent++ >= requests) continue;
      if (::send(pairs.client[which], buffer.data(), kRequestBytes, 0) != kRequestBytes) die("send");
    }
  }
  ::close(epoll);
}

/// Server CPU microseconds per request of one run.
template <typename Server>
double run_once(uint64_t requests) {
  const Pairs pairs;
  double used_us = 0;
  std::thread server_thread([&] {
    pin_to(0);
    Server server;
    for (const int fd : pairs.server) server.add(fd);
    const double before_us = thread_cpu_us();
    server.run(requests);
    used_us = thread_cpu_us() - before_us;
  });
  std::thread client_thread([&] {
    pin_to(1);
    drive(pairs, requests);
  });
  server_thread.join();
  client_thread.join();
  return used_us / static_cast<double>(requests);
}

/// Heap bytes per registered idle descriptor. Event descriptors: the loops treat them like sockets, and ten thousand
/// of them stay below the usual limit of open files.
template <typename Server>
double idle_bytes() {
  std::vector<int> fds(kIdleConnections);
  for (int& fd : fds) fd = check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  double bytes = 0;
  {
    Server server;
    const auto in_use = [] {
      const struct mallinfo2 info = ::mallinfo2();
      return info.uordblks + info.hblkhd;
    };
    const size_t before = in_use();
    for (const int fd : fds) server.add(fd);
    bytes = static_cast<double>(in_use() - before) / kIdleConnections;
  }
  for (const int fd : fds) ::close(fd);
  return bytes;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

struct Variant {
  const char* name;
  double (*run)(uint64_t);
  double (*idle)();
};

using Epoll = EpollServer<false>;
using EpollRearmed = EpollServer<true>;
using AsioUnsafe = AsioServer<BOOST_ASIO_CONCURRENCY_HINT_UNSAFE>;
using AsioOne = AsioServer<1>;

// The first row is what the others are compared with. The second row shows the noise of the method.
constexpr std::array<Variant, 5> kVariants{{
    {"epoll", &run_once<Epoll>, &idle_bytes<Epoll>},
    {"epoll again", &run_once<Epoll>, &idle_bytes<Epoll>},
    {"epoll, re-armed", &run_once<EpollRearmed>, &idle_bytes<EpollRearmed>},
    {"asio, no locks", &run_once<AsioUnsafe>, &idle_bytes<AsioUnsafe>},
    {"asio, hint 1", &run_once<AsioOne>, &idle_bytes<AsioOne>},
}};

}  // namespace

int main(int argc, char** argv) {
  const size_t rounds = std::max(1UL, argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 101UL);
  const uint64_t requests = std::max(8UL, argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 20'000UL);

  std::array<std::vector<double>, kVariants.size()> used_us;
  std::array<std::vector<double>, kVariants.size()> ratio;
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < kVariants.size(); ++i) {
      const size_t variant = (round + i) % kVariants.size();
      used_us[variant].push_back(kVariants[variant].run(requests));
    }
    for (size_t i = 0; i < kVariants.size(); ++i) ratio[i].push_back(used_us[i].back() / used_us[0].back());
  }

  std::printf("%zu rounds of %llu requests, %d connections\n", rounds, static_cast<unsigned long long>(requests),
              kConnections);
  std::printf("%-16s %12s %12s %20s %14s\n", "variant", "us/request", "ratio", "ratio p25 .. p75", "idle bytes");
  for (size_t i = 0; i < kVariants.size(); ++i) {
    std::printf("%-16s %12.3f %12.3f %11.3f .. %5.3f %14.0f\n", kVariants[i].name, quantile(used_us[i], 0.5),
                quantile(ratio[i], 0.5), quantile(ratio[i], 0.25), quantile(ratio[i], 0.75), kVariants[i].idle());
  }
  return 0;
}
