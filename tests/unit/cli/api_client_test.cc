#include "cli/api_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "cli/port_probe.h"

namespace kilat::cli {
namespace {

// Accepts one connection on loopback, keeps what it is sent, answers with a fixed text and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_, 1);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(answer)] {
      const int peer = ::accept(listener_, nullptr, nullptr);
      char part[4096];
      while (request_.find("\r\n\r\n") == std::string::npos || !body_complete()) {
        const ssize_t got = ::recv(peer, part, sizeof part, 0);
        if (got <= 0) break;
        request_.append(part, static_cast<size_t>(got));
      }
      ::send(peer, text.data(), text.size(), MSG_NOSIGNAL);
      ::close(peer);
    });
  }
  ~OneAnswer() {
    join();
    ::close(listener_);
  }

  uint16_t port() const { return port_; }
  ApiTarget target() const { return {"http://127.0.0.1:" + std::to_string(port_) + "/", "shop", {"k", "s"}}; }
  const std::string& request() {
    join();
    return request_;
  }

 private:
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  bool body_complete() const { return request_.starts_with("GET") || request_.ends_with("}"); }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(ApiClient, Post_SendsASignedRequestAndReturnsTheAnswer) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  ApiClient client(server.target());
  const auto answer = client.post("/events", R"({"name":"e"})");
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{}");
  const std::string& request = server.request();
  EXPECT_TRUE(request.starts_with("POST /apps/shop/events?auth_key=k&auth_timestamp=")) << request;
  EXPECT_NE(request.find("&auth_signature="), std::string::npos);
  EXPECT_NE(request.find("Content-Type: application/json"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"name\":\"e\"}"));
}

TEST(ApiClient, Stream_HandsOverTheChunksAndEndsWithTheConnection) {
  OneAnswer server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n2\r\nb\n\r\n0\r\n\r\n");
  ApiClient client(server.target());
  std::string got;
  const auto answer = client.stream("/tail", {{"channel", "a*"}}, [&](std::string_view bytes) { got += bytes; });
  ASSERT_TRUE(answer);
  EXPECT_EQ(got, "a\nb\n");
  EXPECT_NE(server.request().find("&channel=a%2A&auth_signature="), std::string::npos);
}

TEST(ApiClient, Refusal_RepeatsTheServersWords) {
  OneAnswer server(
      "HTTP/1.1 401 Unauthorized\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
      R"({"error":"Invalid signature","code":401})");
  ApiClient client(server.target());
  std::string streamed;
  const auto answer = client.stream("/tail", {}, [&](std::string_view bytes) { streamed += bytes; });
  ASSERT_TRUE(answer);
  EXPECT_EQ(streamed, "");
  const Failure failure = client.refusal("cannot tail shop", *answer);
  EXPECT_EQ(failure.why, "status 401, Invalid signature");
  EXPECT_EQ(failure.remedies.size(), 2U);
}

TEST(ApiClient, NoServer_IsAFailureWithoutTheSignature) {
  uint16_t port = 0;
  {
    OneAnswer server("");
    port = server.port();
    ApiClient wake(server.target());
    EXPECT_FALSE(wake.post("/events", "{}"));
  }
  ApiClient client({"http://127.0.0.1:" + std::to_string(port), "shop", {"k", "s"}});
  const auto answer = client.post("/events", "{}");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().where, "POST http://127.0.0.1:" + std::to_string(port) + "/apps/shop/events");
}

TEST(Backoff, Waits_DoubleUpToTenSecondsAndStartAgain) {
  Backoff backoff;
  EXPECT_EQ(backoff.next().count(), 250);
  EXPECT_EQ(backoff.next().count(), 500);
  for (int i = 0; i < 20; ++i) backoff.next();
  EXPECT_EQ(backoff.next().count(), 10'000);
  backoff.reset();
  EXPECT_EQ(backoff.next().count(), 250);
}

TEST(PortProbe, PortInUse_IsSeenWithItsOwner) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(probe_address("127.0.0.1", server.port()), EADDRINUSE);
  const auto owner = owner_of_port(server.port());
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->pid, ::getpid());
  EXPECT_NE(free_port_after("127.0.0.1", 20'000), 0);
  EXPECT_EQ(probe_address("not an address", 1), EADDRNOTAVAIL);
  ApiClient client(server.target());
  (void)client.post("/events", "{}");
}

}  // namespace
}  // namespace kilat::cli
