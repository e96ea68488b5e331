#include "net/http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>

namespace kilat::net {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::seconds kPatience(30);

/// A server on loopback that answers each connection by hand, one after the other.
class LoopbackServer {
 public:
  using Handler = std::function<void(int fd, const std::string& request)>;

  explicit LoopbackServer(Handler handler) : handler_(std::move(handler)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~LoopbackServer() {
    ending_ = true;
    ::shutdown(fd_, SHUT_RDWR);
    // A client keeps its connection for the next request.
    if (const int fd = current_.load(); fd >= 0) ::shutdown(fd, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int connections() const { return connections_; }

  static void send(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }

 private:
  void run() {
    for (int fd = 0; (fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(fd)) {
      ++connections_;
      current_ = fd;
      if (ending_) ::shutdown(fd, SHUT_RDWR);
      std::string in;
      char part[4'096];
      // Requests on one connection, until the client ends it.
      for (ssize_t got = 0; (got = ::recv(fd, part, sizeof part, 0)) > 0;) {
        in.append(part, static_cast<size_t>(got));
        const size_t head = in.find("\r\n\r\n");
        if (head == std::string::npos) continue;
        const size_t length = in.find("Content-Length: ");
        const size_t body = length == std::string::npos ? 0 : std::stoul(in.substr(length + 16));
        if (in.size() < head + 4 + body) continue;
        handler_(fd, std::exchange(in, {}));
      }
      current_ = -1;
    }
  }

  Handler handler_;
  int fd_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> current_{-1};  ///< the connection that is served
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

/// Waits for answers that come on another thread.
class Answers {
 public:
  HttpClient::Done take() {
    return [this](HttpClient::Response response) {
      const std::lock_guard lock(mutex_);
      all_.push_back(std::move(response));
      came_.notify_all();
    };
  }
  std::vector<HttpClient::Response> wait(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(came_.wait_for(lock, kPatience, [&] { return all_.size() >= count; }));
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<HttpClient::Response> all_;
};

struct HttpClientTest : ::testing::Test {
  // The machine may have a proxy, which must not see what is meant for loopback.
  HttpClientTest() { ::setenv("no_proxy", "127.0.0.1", 1); }

  HttpClient::Response get(HttpClient::Request request) {
    Answers answers;
    EXPECT_TRUE(client.submit(std::move(request), answers.take()));
    auto all = answers.wait(1);
    return all.empty() ? HttpClient::Response() : all.front();
  }
  HttpClient::Response get(const std::string& url) {
    HttpClient::Request request;
    request.url = url;
    return get(std::move(request));
  }

  HttpClient client;
};

void answer_ok(int fd, const std::string&) {
  LoopbackServer::send(fd, "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(HttpClientTest, Answer_HasStatusBodyAndCacheControl) {
  LoopbackServer server(answer_ok);
  const auto response = get(server.url());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.cache_control, "max-age=60");
  EXPECT_EQ(response.error, "");
}

TEST_F(HttpClientTest, Post_SendsMethodHeadersAndBody) {
  std::string seen;
  LoopbackServer server([&](int fd, const std::string& request) {
    seen = request;
    answer_ok(fd, request);
  });
  HttpClient::Request request;
  request.method = "POST";
  request.url = server.url("/a?b=c");
  request.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}};
  request.body = std::string("one\0two", 7);
  EXPECT_EQ(get(request).status, 200);
  EXPECT_THAT(seen, HasSubstr("POST /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(seen, HasSubstr(std::string("\r\n\r\none\0two", 11)));
  EXPECT_THAT(seen, Not(HasSubstr("Expect")));
}

TEST_F(HttpClientTest, RequestsOneAfterTheOther_ShareAConnection) {
  LoopbackServer server(answer_ok);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(server.url()).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, Redirect_IsNotFollowed) {
  LoopbackServer server([](int fd, const std::string&) {
    LoopbackServer::send(fd, "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(get(server.url()).status, 302);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpClientTest, AnswerThatDoesNotCome_EndsWithTheTime) {
  LoopbackServer server([](int, const std::string&) {});
  HttpClient::Request request;
  request.url = server.url();
  request.timeout_ms = 100;
  const auto response = get(std::move(request));
  EXPECT_EQ(response.status, 0);
  EXPECT_THAT(response.error, HasSubstr("Timeout"));
}

TEST_F(HttpClientTest, AnswerThatComesTooSlowly_EndsWithTheTime) {
  LoopbackServer server(
      [](int fd, const std::string&) { LoopbackServer::send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"); });
  HttpClient::Request request;
  request.url = server.url();
  request.timeout_ms = 200;
  const auto response = get(std::move(request));
  EXPECT_EQ(response.status, 0);
  EXPECT_THAT(response.error, HasSubstr("Timeout"));
  EXPECT_THAT(response.body, IsEmpty());
}

TEST_F(HttpClientTest, AnswerAboveTheBound_IsAnError) {
  for (const bool announced : {true, false}) {
    LoopbackServer server([&](int fd, const std::string&) {
      const std::string head = announced ? "Content-Length: 1001\r\n\r\n" : "Connection: close\r\n\r\n";
      LoopbackServer::send(fd, "HTTP/1.1 200 OK\r\n" + head + std::string(1'001, 'x'));
      if (!announced) ::shutdown(fd, SHUT_WR);
    });
    HttpClient::Request request;
    request.url = server.url();
    request.answer_bytes_max = 1'000;
    const auto refused = get(request);
    EXPECT_EQ(refused.status, 0);
    EXPECT_EQ(refused.error, "the answer is too long");
    EXPECT_THAT(refused.body, IsEmpty());
    request.answer_bytes_max = 1'001;
    EXPECT_EQ(get(request).body.size(), 1'001u);
  }
}

TEST_F(HttpClientTest, ConnectionThatIsReset_IsAnError) {
  LoopbackServer server([](int fd, const std::string&) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    const int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup3(other, fd, O_CLOEXEC);
    ::close(other);
  });
  const auto response = get(server.url());
  EXPECT_EQ(response.status, 0);
  EXPECT_THAT(response.error, Not(IsEmpty()));
}

TEST_F(HttpClientTest, AnswerThatEndsEarly_IsAnError) {
  LoopbackServer server([](int fd, const std::string&) {
    LoopbackServer::send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello");
    ::shutdown(fd, SHUT_RDWR);
  });
  const auto response = get(server.url());
  EXPECT_EQ(response.status, 0);
  EXPECT_THAT(response.body, IsEmpty());
}

TEST_F(HttpClientTest, PortWhereNobodyListens_IsAnError) {
  std::string url;
  {
    LoopbackServer server(answer_ok);
    url = server.url();
  }
  const auto response = get(url);
  EXPECT_EQ(response.status, 0);
  EXPECT_THAT(response.error, HasSubstr("connect"));
}

TEST_F(HttpClientTest, OtherProtocols_AreRefused) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "nonsense://x", ""}) {
    const auto response = get(url);
    EXPECT_EQ(response.status, 0) << url;
    EXPECT_THAT(response.error, Not(IsEmpty())) << url;
    EXPECT_THAT(response.body, IsEmpty()) << url;
  }
}

TEST_F(HttpClientTest, HeaderWithALineBreak_IsRefused) {
  LoopbackServer server(answer_ok);
  for (const std::string& value : {std::string("a\r\nX-Evil: 1"), std::string("a\nb"), std::string("a\0b", 3)}) {
    HttpClient::Request request;
    request.url = server.url();
    request.headers = {{"X-A", value}};
    EXPECT_EQ(get(std::move(request)).error, "a header that can't be sent");
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpClientTest, MoreRequestsThanTheBound_AreNotTaken) {
  std::promise<void> all_are_there;
  const std::shared_future<void> go = all_are_there.get_future();
  LoopbackServer server([&](int fd, const std::string&) {
    go.wait();
    LoopbackServer::send(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    ::shutdown(fd, SHUT_RDWR);
  });
  Answers answers;
  HttpClient::Request request;
  request.url = server.url();
  request.timeout_ms = 60'000;
  size_t taken = 0;
  while (taken <= HttpClient::kInFlightMax && client.submit(request, answers.take())) ++taken;
  EXPECT_EQ(taken, HttpClient::kInFlightMax);
  all_are_there.set_value();
  for (const auto& response : answers.wait(taken)) EXPECT_EQ(response.status, 200);
  // Then there is room again.
  EXPECT_TRUE(client.submit(request, answers.take()));
  answers.wait(taken + 1);
}

TEST_F(HttpClientTest, CallbackThatSubmitsAgain_IsServed) {
  LoopbackServer server(answer_ok);
  Answers answers;
  HttpClient::Request request;
  request.url = server.url();
  EXPECT_TRUE(client.submit(request,
                            [&](const HttpClient::Response&) { EXPECT_TRUE(client.submit(request, answers.take())); }));
  EXPECT_EQ(answers.wait(1).front().status, 200);
}

TEST(HttpClientEnd, WhatIsUnderWay_IsDroppedWithoutACall) {
  ::setenv("no_proxy", "127.0.0.1", 1);
  LoopbackServer server([](int, const std::string&) {});
  std::atomic<int> calls{0};
  const auto alive = std::make_shared<int>();
  {
    HttpClient client;
    HttpClient::Request request;
    request.url = server.url();
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(client.submit(request, [&calls, alive](const HttpClient::Response&) { ++calls; }));
    }
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace kilat::net
