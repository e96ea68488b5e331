// What the tests of src/net share: one end of a connection driven by a Reactor, the other one plain system calls.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/event_loop.h"
#include "net/listener.h"
#include "net/stream.h"

namespace kilat::net::testing {

/// Waits and serves; returns how many watchers were called.
inline int poll(EventLoop& loop, int timeout_ms) {
  loop.wait(int64_t{timeout_ms} * 1'000);
  return loop.dispatch();
}

/// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

/// Two connected non-blocking TCP sockets over loopback: the first is the server's.
inline std::pair<Fd, Fd> tcp_pair(int receive_bytes = 0) {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listener.get(), plain, size), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  EXPECT_EQ(getsockname(listener.get(), plain, &size), 0);
  Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // The window is agreed on when connecting, so the buffer has to be small before.
  if (receive_bytes > 0) setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  EXPECT_EQ(connect(client.get(), plain, size), 0);
  Fd server(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_EQ(fcntl(client.get(), F_SETFL, O_NONBLOCK), 0);
  return {std::move(server), std::move(client)};
}

inline void set_send_buffer(int fd, int bytes) {
  ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

/// Records what a stream tells, and answers as the test wants.
class RecordingHandler final : public StreamHandler {
 public:
  void on_bytes(std::span<char> bytes) override {
    received.append(bytes.data(), bytes.size());
    if (when_bytes) when_bytes();
  }
  void on_closed(Reason reason) override { closed.push_back(reason); }
  void on_drained() override { ++drained; }

  std::string received;
  std::vector<Reason> closed;
  int drained = 0;
  std::function<void()> when_bytes;
};

/// Records who was too slow; by default ends the stream as the shard does.
class RecordingPolicy final : public SlowReaderPolicy {
 public:
  void on_slow_reader(StreamHandler& handler, Reason reason) override {
    calls.emplace_back(&handler, reason);
    if (act) act(handler, reason);
  }

  std::vector<std::pair<StreamHandler*, Reason>> calls;
  std::function<void(StreamHandler&, Reason)> act;
};

/// A stream with its handler and the peer's descriptor.
struct Connection {
  Connection(Reactor& reactor, std::pair<Fd, Fd> pair, int send_bytes = 0) : peer(std::move(pair.second)) {
    if (send_bytes > 0) set_send_buffer(pair.first.get(), send_bytes);
    stream = std::make_unique<Stream>(reactor, pair.first.release(), handler);
  }

  /// What the peer can read now; `ended` tells whether it has also seen the end.
  std::string read_now(size_t limit = SIZE_MAX) {
    std::string bytes;
    char buffer[16 * 1024];
    while (bytes.size() < limit) {
      const ssize_t got = recv(peer.get(), buffer, std::min(sizeof buffer, limit - bytes.size()), 0);
      if (got <= 0) {
        ended = ended || got == 0;
        reset = reset || (got < 0 && errno == ECONNRESET);
        break;
      }
      bytes.append(buffer, static_cast<size_t>(got));
    }
    return bytes;
  }
  void send_as_peer(std::string_view bytes) {
    EXPECT_EQ(send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Makes the peer's close a TCP reset.
  void reset_as_peer() {
    const linger hard{1, 0};
    setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer.reset();
  }

  RecordingHandler handler;
  Fd peer;
  std::unique_ptr<Stream> stream;
  bool ended = false;
  bool reset = false;
};

struct ReactorTest : ::testing::Test {
  explicit ReactorTest(const OutboxLimits& limits = {}) : reactor(limits, policy) { reactor.set_now(now_ms * 1'000); }

  /// One loop turn.
  void turn(int timeout_ms = 0) {
    poll(reactor.loop(), timeout_ms);
    reactor.flush();
  }
  /// Turns until `done` or about two seconds have passed.
  template <typename Done>
  bool turn_until(Done&& done) {
    for (int i = 0; i < 2'000; ++i) {
      if (done()) return true;
      turn(1);
    }
    return done();
  }
  /// Reads at the peer, turning the loop, until `size` bytes came, the stream ended or nothing more comes.
  std::string read_all(Connection& connection, size_t size) {
    std::string bytes;
    turn_until([&] {
      bytes += connection.read_now();
      return bytes.size() >= size || connection.ended || connection.reset;
    });
    return bytes;
  }
  void pass(uint64_t ms) {
    now_ms += ms;
    reactor.set_now(now_ms * 1'000);
    reactor.sweep(now_ms);
    reactor.flush();
  }

  RecordingPolicy policy;
  uint64_t now_ms = 1'000;
  Reactor reactor;
};

/// `size` bytes that tell where they are, so that a missing or doubled piece is seen.
inline std::string pattern(size_t size, unsigned seed = 0) {
  std::string text(size, '\0');
  uint32_t state = seed * 2'654'435'761u + 12'345u;
  for (char& c : text) {
    state = state * 1'664'525u + 1'013'904'223u;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

}  // namespace kilat::net::testing
