// A real server on a port of its own, and small blocking clients that speak to it over loopback. Every wait has an end:
// a test that would hang fails after kPatienceMs instead.
#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/server.h"
#include "auth/hmac.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "hub/channel_set.h"
#include "unit/signed_target.h"
#include "unit/ws/event_log.h"
#include "ws/frame.h"

namespace kilat::app::testing {

using ::testing::HasSubstr;

inline constexpr int kPatienceMs = 10'000;
inline constexpr std::string_view kPing = R"({"event":"pusher:ping","data":{}})";
inline constexpr std::string_view kPong = R"({"event":"pusher:pong","data":{}})";

inline config::Settings settings(uint32_t shards) {
  config::Settings result;
  result.server.port = 0;
  result.server.shards = shards;
  result.server.drain_ms = 300;
  result.metrics.listen.clear();
  hub::AppSettings app;
  app.id = "3";
  app.key = "app-key";
  app.secret = "app-secret";
  app.client_events = true;
  app.client_events_per_second = 0;
  app.client_messages_per_second = 0;
  result.apps.push_back(app);
  return result;
}

/// A blocking connection. Reading ends at the peer's end, or when the patience does.
class Socket {
 public:
  explicit Socket(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        ended_(other.ended_),
        in_(std::move(other.in_)) {}
  Socket& operator=(Socket&&) = delete;

  bool connected() const { return connected_; }
  bool ended() const { return ended_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// Ends with a reset instead of a goodbye.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  /// Reads more into in(). False at the end, or when nothing comes for `ms`.
  bool fill(int ms = kPatienceMs) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (ended_ || ::poll(&waiting, 1, ms) <= 0) return false;
    char buffer[65'536];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    in_.append(buffer, static_cast<size_t>(got));
    return true;
  }
  std::string& in() { return in_; }

  /// Everything up to and with `mark`; empty when it does not come.
  std::string until(std::string_view mark) {
    size_t at = 0;
    while ((at = in_.find(mark)) == std::string::npos) {
      if (!fill()) return {};
    }
    return take(at + mark.size());
  }
  std::string take(size_t size) {
    while (in_.size() < size && fill()) {
    }
    std::string result = in_.substr(0, size);
    in_.erase(0, size);
    return result;
  }
  /// Whether the peer ends the connection.
  bool wait_for_end() {
    while (fill()) {
    }
    return ended_;
  }

 private:
  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

/// The next answer with a Content-Length; status 0 when none comes.
inline HttpAnswer read_answer(Socket& socket) {
  HttpAnswer answer;
  answer.head = socket.until("\r\n\r\n");
  if (answer.head.size() < 12) return answer;
  answer.status = std::stoi(answer.head.substr(9, 3));
  const size_t at = answer.head.find("Content-Length: ");
  if (at != std::string::npos) answer.body = socket.take(std::stoul(answer.head.substr(at + 16)));
  return answer;
}

inline std::string http_get(std::string_view target, std::string_view more = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}

/// A signed API request as bytes.
inline std::string api_request(std::string_view method, std::string_view path, std::string_view body = {}) {
  return std::string(method) + " " +
         kilat::testing::signed_target(method, path, {}, body, "app-key", "app-secret", unix_ms() / 1000) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline std::string event_request(std::string_view channel, std::string_view data) {
  return api_request("POST", "/apps/3/events",
                     R"({"name":"e","channel":)" + json_string(channel) + R"(,"data":)" + json_string(data) + "}");
}

inline std::string upgrade_request(std::string_view target = "/app/app-key?protocol=7", std::string_view more = {}) {
  return http_get(target,
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                      std::string(more));
}

inline std::string text_message(std::string_view text) {
  return ws::encode_masked_frame(ws::Opcode::kText, text, 0x5a17c3e9);
}
inline std::string subscribe_message(std::string_view channel, std::string_view auth = {}) {
  return text_message(R"({"event":"pusher:subscribe","data":{"channel":)" + json_string(channel) + R"(,"auth":)" +
                      json_string(auth) + "}}");
}

/// A WebSocket client of the app.
class WsClient {
 public:
  /// `behind`: bytes sent in the same breath as the upgrade.
  explicit WsClient(uint16_t port, std::string_view behind = {}, std::string_view target = "/app/app-key?protocol=7")
      : socket_(port), reader_({.message_bytes_max = 1 << 24, .from_server = true}) {
    socket_.send(upgrade_request(target) + std::string(behind));
    switching_ = socket_.until("\r\n\r\n");
  }

  const std::string& switching() const { return switching_; }
  bool say(std::string_view text) { return socket_.send(text_message(text)); }
  bool send(std::string_view bytes) { return socket_.send(bytes); }
  Socket& socket() { return socket_; }

  /// The next text; "<close CODE>" for a close frame, "<end>" when the connection ended, "<nothing>" when nothing came.
  std::string next(int ms = kPatienceMs) {
    while (events_.empty()) {
      if (socket_.in().empty() && !socket_.fill(ms)) return socket_.ended() ? "<end>" : "<nothing>";
      ws::feed(reader_, std::exchange(socket_.in(), {}), events_);
    }
    const ws::LoggedEvent event = events_.front();
    events_.erase(events_.begin());
    if (event.kind == ws::Event::Kind::kText) return event.payload;
    if (event.kind == ws::Event::Kind::kClose) return "<close " + std::to_string(event.close_code) + ">";
    return "<frame>";
  }
  /// Reads the greeting; the socket id.
  std::string greet() {
    const std::string greeting = next();
    const size_t at = greeting.find(R"(socket_id\":\")");
    if (at == std::string::npos) return {};
    return greeting.substr(at + 14, greeting.find('\\', at + 14) - at - 14);
  }
  bool subscribe(std::string_view channel, std::string_view auth = {}) {
    send(subscribe_message(channel, auth));
    return next().find("subscription_succeeded") != std::string::npos;
  }

 private:
  Socket socket_;
  ws::Reader reader_;
  ws::EventLog events_;
  std::string switching_;
};

/// A running server of as many shards as the parameter says.
struct ServerTest : ::testing::TestWithParam<uint32_t> {
  uint32_t shards() const { return GetParam(); }

  Server& start(config::Settings with) {
    auto started = Server::start(std::move(with));
    EXPECT_TRUE(started) << (started ? "" : started.error().detail);
    server = std::move(*started);
    return *server;
  }
  Server& start() { return start(settings(shards())); }
  uint16_t port() const { return server->port(); }

  HttpAnswer call(std::string_view request) const {
    Socket socket(port());
    socket.send(request);
    return read_answer(socket);
  }
  int publish(std::string_view channel, std::string_view data) const {
    return call(event_request(channel, data)).status;
  }

  std::unique_ptr<Server> server;
};

inline std::string event_frame(std::string_view channel, std::string_view data) {
  return R"({"event":"e","channel":)" + json_string(channel) + R"(,"data":)" + json_string(data) + "}";
}

}  // namespace kilat::app::testing

/// Instantiates a ServerTest for one and two shards.
#define KILAT_SERVER_TEST(suite)                                     \
  INSTANTIATE_TEST_SUITE_P(Shards, suite, ::testing::Values(1u, 2u), \
                           [](const auto& shards) { return std::to_string(shards.param); })
