// Load for Socket.IO over HTTP long-polling: many clients that poll, and one that publishes to all of them. Cheap
// enough for a thousand pollers with 20 events a second each on one core. It prints one line of JSON, with the
// processor time that the server took for each delivery (docs/performance.md).
//
//   poll_load PORT SERVER_PID [pollers = 1000] [events a second = 20] [seconds = 10] [bytes = 200] [node | browser]
//
// The server must answer `sub(room)` and `pub(room, data)`: `kilat serve` with `socketio.protocol_suite = true`, or
// bench/poll_npm.mjs. The last argument chooses the headers of the requests: those of socket.io-client in Node, or
// those of a browser. Loopback, IPv4.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr uint64_t kSettle_us = 1'000'000;
constexpr uint64_t kStart_us = 60'000'000;
constexpr std::string_view kMessage = "42[\"msg\",{\"t\":";

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

[[noreturn]] void refuse(std::string_view what, std::string_view answer) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(answer.size()),
               answer.data());
  std::exit(1);
}

uint64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1'000;
}

uint64_t number_at(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Load {
  int port = 0;
  int pid = 0;
  size_t pollers = 1'000;
  uint64_t rate = 20;
  uint64_t seconds = 10;
  size_t bytes = 200;
  bool browser = false;
};

/// What happened while it was measured.
struct Figures {
  bool measuring = false;
  uint64_t published = 0;
  uint64_t deliveries = 0;
  uint64_t polls = 0;
  std::vector<uint32_t> latencies_us;
};

/// User and system time of a process, in microseconds (proc(5), fields 14 and 15 of stat).
uint64_t cpu_us(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat((std::istreambuf_iterator<char>(file)), {});
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) die("no such server");
  std::istringstream fields(stat.substr(name_end + 2));
  std::string skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  fields >> user >> system;
  return (user + system) * 1'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
}

/// The header lines behind the request line.
std::string header_lines(const Load& load, bool post) {
  const std::string host = "127.0.0.1:" + std::to_string(load.port);
  const std::string type = post ? "Content-type: text/plain;charset=UTF-8\r\n" : "";
  if (!load.browser) {
    return "User-Agent: node-XMLHttpRequest\r\nAccept: */*\r\n" + type + "Host: " + host +
           "\r\nConnection: keep-alive\r\n";
  }
  return "Host: " + host + "\r\nConnection: keep-alive\r\nsec-ch-ua-platform: \"Linux\"\r\n" +
         "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
         "Safari/537.36\r\nsec-ch-ua: \"Not)A;Brand\";v=\"8\", \"Chromium\";v=\"138\"\r\n" +
         type + "sec-ch-ua-mobile: ?0\r\nAccept: */*\r\nOrigin: http://" + host +
         "\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: http://" + host +
         "/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n";
}

/// One HTTP connection with one request under way.
class Wire {
 public:
  Wire(int epoll, int port, void* owner) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) die("connect");
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = owner;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) < 0) die("epoll_ctl");
  }
  ~Wire() { close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// Requests are far smaller than a socket's buffer.
  void send(std::string_view request) const {
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) die("send");
  }

  /// The body of the answer, if it is complete; valid until the next call. Ends the program when it is no 200.
  bool read(std::string_view& body) {
    static std::array<char, kReadBytes> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) die("the server has closed a connection");
    std::string_view all(buffer.data(), static_cast<size_t>(got));
    if (answered_) held_.clear();
    answered_ = false;
    if (!held_.empty()) all = held_.append(all);
    const size_t end = all.find("\r\n\r\n");
    const size_t length = end == std::string_view::npos ? end : content_length(all.substr(0, end + 2));
    if (length == std::string_view::npos || all.size() < end + 4 + length) {
      if (held_.empty()) held_ = all;
      return false;
    }
    if (!all.starts_with("HTTP/1.1 200")) refuse("not a 200", all);
    body = all.substr(end + 4, length);
    answered_ = true;
    return true;
  }

 private:
  static size_t content_length(std::string_view head) {
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
      const size_t at = head.find(name);
      if (at != std::string_view::npos) return number_at(head.substr(at + name.size()));
    }
    refuse("an answer without a length", head);
  }

  int fd_;
  std::string held_;  ///< an answer of which the end is missing
  bool answered_ = false;
};

/// One Socket.IO client that polls. It uses one connection for its polls and its packets, one after the other, as a
/// client does that has nothing to say; what it publishes goes over a second one.
class Client {
 public:
  Client(const Load& load, int epoll, Figures& figures, std::string first_event)
      : load_(load), figures_(figures), wire_(epoll, load.port, this), first_event_(std::move(first_event)) {
    wire_.send(request("GET", {}));
  }

  void on_ready() {
    std::string_view body;
    if (wire_.read(body)) on_answer(body);
  }

  bool joined() const { return step_ == Step::kPolling; }

  void post(const Wire& wire, std::string_view packet) const { wire.send(request("POST", packet)); }

 private:
  enum class Step : uint8_t { kHandshake, kConnect, kConnected, kFirstEvent, kPolling, kPong };

  std::string request(std::string_view method, std::string_view body) const {
    std::string text(method);
    text += " /socket.io/?EIO=4&transport=polling&t=q8jx3zf2";
    if (!sid_.empty()) text += "&sid=" + sid_;
    text += " HTTP/1.1\r\n" + header_lines(load_, method == "POST");
    if (method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    return text.append(body);
  }

  void on_answer(std::string_view body) {
    switch (step_) {
      case Step::kHandshake: return on_handshake(body);
      case Step::kConnect: step_ = Step::kConnected; return wire_.send(poll_);
      case Step::kConnected:
        if (!body.starts_with("40{")) refuse("no CONNECT", body);
        step_ = Step::kFirstEvent;
        return post(wire_, first_event_);
      case Step::kFirstEvent:
      case Step::kPong: step_ = Step::kPolling; return wire_.send(poll_);
      case Step::kPolling: return on_packets(body);
    }
  }

  void on_handshake(std::string_view body) {
    constexpr std::string_view kSid = "\"sid\":\"";
    const size_t at = body.find(kSid);
    if (at == std::string_view::npos) refuse("no handshake", body);
    const size_t begin = at + kSid.size();
    sid_ = body.substr(begin, body.find('"', begin) - begin);
    poll_ = request("GET", {});
    step_ = Step::kConnect;
    post(wire_, "40");
  }

  void on_packets(std::string_view body) {
    bool ping = false;
    if (figures_.measuring) ++figures_.polls;
    while (!body.empty()) {
      const std::string_view packet = body.substr(0, body.find('\x1e'));
      body.remove_prefix(std::min(body.size(), packet.size() + 1));
      if (packet == "2") ping = true;
      if (packet == "1") refuse("the session was closed", packet);
      if (!packet.starts_with(kMessage) || !figures_.measuring) continue;
      ++figures_.deliveries;
      const uint64_t sent_us = number_at(packet.substr(kMessage.size()));
      figures_.latencies_us.push_back(static_cast<uint32_t>(now_us() - sent_us));
    }
    if (!ping) return wire_.send(poll_);
    step_ = Step::kPong;
    post(wire_, "3");
  }

  const Load& load_;
  Figures& figures_;
  Wire wire_;
  std::string first_event_;
  std::string sid_;
  std::string poll_;
  Step step_ = Step::kHandshake;
};

class Run {
 public:
  explicit Run(const Load& load) : load_(load), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) die("epoll_create1");
    figures_.latencies_us.reserve(load.pollers * load.rate * load.seconds * 2);
  }
  ~Run() { close(epoll_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int go() {
    start();
    publish_until(now_us() + kSettle_us);
    const uint64_t cpu_before_us = cpu_us(load_.pid);
    const uint64_t began_us = now_us();
    figures_.measuring = true;
    publish_until(began_us + load_.seconds * 1'000'000);
    const uint64_t took_us = now_us() - began_us;
    const uint64_t server_us = cpu_us(load_.pid) - cpu_before_us;
    const Figures measured = figures_;
    // What was published last is still on its way.
    turn_until(now_us() + kSettle_us);
    return report(measured, server_us, took_us);
  }

 private:
  void start() {
    for (size_t i = 0; i <= load_.pollers; ++i) {
      const bool publishes = i == load_.pollers;
      clients_.push_back(std::make_unique<Client>(load_, epoll_, figures_,
                                                  publishes ? R"(42["sub","quiet"])" : R"(42["sub","room"])"));
      // Not all handshakes at once: the queue of connections that a server has not accepted is short.
      while (!clients_.back()->joined()) turn(10);
    }
    speech_ = std::make_unique<Wire>(epoll_, load_.port, nullptr);
    turn_until(now_us() + kSettle_us);
  }

  void turn(int timeout_ms) {
    static std::array<epoll_event, 512> events;
    const int count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; ++i) {
      std::string_view answer;
      if (auto* client = static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr)) {
        client->on_ready();
      } else if (speech_->read(answer)) {
        speaking_ = false;
      }
    }
  }

  void turn_until(uint64_t until_us) {
    for (uint64_t now = now_us(); now < until_us; now = now_us()) {
      turn(static_cast<int>(std::min<uint64_t>((until_us - now) / 1'000 + 1, 100)));
    }
  }

  // An event that is due while the last one is not answered is sent late, but not left out.
  void publish_until(uint64_t until_us) {
    const uint64_t every_us = 1'000'000 / load_.rate;
    for (uint64_t due_us = now_us(); due_us < until_us; due_us += every_us) {
      turn_until(due_us);
      const uint64_t give_up_us = now_us() + kStart_us;
      while (speaking_ && now_us() < give_up_us) turn(1);
      std::string packet = R"(42["pub","room",{"t":)" + std::to_string(now_us()) + R"(,"x":")";
      packet.append(load_.bytes, 'x').append("\"}]");
      clients_.back()->post(*speech_, packet);
      speaking_ = true;
      if (figures_.measuring) ++figures_.published;
    }
    turn_until(until_us);
  }

  uint32_t percentile(std::vector<uint32_t>& sorted, double part) const {
    return sorted.empty() ? 0 : sorted[static_cast<size_t>(part * static_cast<double>(sorted.size() - 1))];
  }

  int report(const Figures& measured, uint64_t server_us, uint64_t took_us) {
    std::vector<uint32_t>& latencies = figures_.latencies_us;
    std::ranges::sort(latencies);
    const auto per = [](uint64_t us, uint64_t count) { return count == 0 ? 0.0 : double(us) / double(count); };
    const uint64_t expected = figures_.published * load_.pollers;
    std::printf(
        R"({"pollers":%zu,"rate":%lu,"deliveries":%lu,"polls":%lu,"cpu_us_per_delivery":%.2f,"cpu_us_per_poll":%.2f,)"
        R"("cpu_percent":%.1f,"expected":%lu,"came":%lu,"p50_ms":%.2f,"p99_ms":%.2f})"
        "\n",
        load_.pollers, load_.rate, measured.deliveries, measured.polls, per(server_us, measured.deliveries),
        per(server_us, measured.polls), 100 * per(server_us, took_us), expected, figures_.deliveries,
        percentile(latencies, 0.5) / 1e3, percentile(latencies, 0.99) / 1e3);
    return measured.deliveries == 0 ? 1 : 0;
  }

  const Load& load_;
  int epoll_;
  Figures figures_;
  std::vector<std::unique_ptr<Client>> clients_;  ///< the last one publishes
  std::unique_ptr<Wire> speech_;                  ///< on which it publishes
  bool speaking_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) {
    std::fputs("poll_load PORT SERVER_PID [pollers] [events a second] [seconds] [bytes] [node | browser]\n", stderr);
    return 2;
  }
  const auto number = [&arguments](size_t at, uint64_t otherwise) {
    return arguments.size() > at ? number_at(arguments[at]) : otherwise;
  };
  Load load;
  load.port = static_cast<int>(number(0, 0));
  load.pid = static_cast<int>(number(1, 0));
  load.pollers = number(2, load.pollers);
  load.rate = std::max<uint64_t>(number(3, load.rate), 1);
  load.seconds = number(4, load.seconds);
  load.bytes = number(5, load.bytes);
  load.browser = arguments.size() > 6 && arguments[6] == "browser";
  return Run(load).go();
}
