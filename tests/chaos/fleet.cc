// chaos_fleet: many subscribers in one thread, some of which stop reading. The tests of tests/chaos/*.test.mjs drive it
// over its standard input, because Node can neither make a socket's buffers small nor count fast enough.
//
//   chaos_fleet PORT KEY COUNT STALLED CHANNEL
//
// Opens COUNT connections of app KEY to 127.0.0.1:PORT with small TCP buffers and subscribes each to CHANNEL, where `%`
// stands for the connection's number. The first STALLED of them read nothing once they are subscribed. Then it prints
// {"ready":COUNT} and answers each line "report" with one line of JSON: what the reading ones got since the last
// "clear". The data of events must begin with "t=MICROSECONDS i=NUMBER ", monotonic clock and a number that counts up
// from 0 for each channel. Ends at the end of the input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ws/frame.h"
#include "ws/reader.h"

namespace kilat::chaos {
namespace {

// With segments and a window this small, the kernel holds some ten kilobytes for a reader that stalls, so that nearly
// all it has not read lies in the server's outbox.
constexpr int kSegmentBytes = 536;
constexpr int kReceiveBytes = 8 * 1024;
constexpr size_t kReadBytes = 256 * 1024;

struct Reader {
  int fd = -1;
  bool stalled = false;
  bool upgraded = false;
  bool subscribed = false;
  uint64_t next = 0;  // number of the next event
  std::string head;   // the answer to the upgrade so far
  std::unique_ptr<ws::Reader> frames;
};

struct Report {
  uint64_t total = 0;
  uint64_t wrong = 0;  // events out of order, missing or twice
  std::vector<uint32_t> latency_us;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Fleet {
 public:
  Fleet(uint16_t port, std::string_view key) : port_(port), key_(key), buffer_(kReadBytes + ws::kPadding) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) fail("epoll_create1");
  }

  void open(size_t count, size_t stalled, std::string_view channel) {
    readers_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      readers_[i].stalled = i < stalled;
      connect(readers_[i], name_of(channel, i));
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, readers_[i].fd, &event) != 0) fail("epoll_ctl");
      // Not all at once, so that the listener's queue does not overflow.
      if (i % 64 == 63) turn(0);
    }
    while (subscribed_ < count && closed_.empty()) turn(1'000);
    if (!closed_.empty()) {
      std::fprintf(stderr, "closed with %d before the subscription\n", closed_.begin()->first);
      std::exit(1);
    }
  }

  // False at the end of the input.
  bool turn(int wait_ms) {
    std::array<epoll_event, 256> events;
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    bool more = true;
    for (int i = 0; i < ready; ++i) {
      const uint64_t which = events[static_cast<size_t>(i)].data.u64;
      if (which == kInput) {
        more = read_command();
      } else {
        read(readers_[which]);
      }
    }
    return more;
  }

  void listen_to_input() {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kInput}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) fail("epoll_ctl");
  }

 private:
  static constexpr uint64_t kInput = ~0ull;

  static std::string name_of(std::string_view channel, size_t number) {
    std::string name(channel);
    if (const size_t at = name.find('%'); at != std::string::npos) name.replace(at, 1, std::to_string(number));
    return name;
  }

  void connect(Reader& reader, const std::string& channel) {
    reader.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (reader.fd < 0) fail("socket");
    if (reader.stalled) {
      ::setsockopt(reader.fd, IPPROTO_TCP, TCP_MAXSEG, &kSegmentBytes, sizeof kSegmentBytes);
      ::setsockopt(reader.fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(reader.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    reader.frames = std::make_unique<ws::Reader>(ws::ReaderOptions{.message_bytes_max = 1 << 22, .from_server = true});
    std::string bytes = "GET /app/" + key_ + "?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n";
    bytes += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    bytes += ws::encode_masked_frame(ws::Opcode::kText,
                                     R"({"event":"pusher:subscribe","data":{"channel":")" + channel + R"("}})", 0);
    if (::send(reader.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) fail("send");
  }

  void read(Reader& reader) {
    if (reader.fd < 0) return;
    const ssize_t got = ::recv(reader.fd, buffer_.data(), kReadBytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close(reader, 1006);
    std::span<char> bytes(buffer_.data(), static_cast<size_t>(got));
    if (!reader.upgraded) {
      reader.head.append(bytes.data(), bytes.size());
      const size_t end = reader.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!reader.head.starts_with("HTTP/1.1 101")) return close(reader, 1002);
      reader.upgraded = true;
      const size_t behind = reader.head.size() - end - 4;
      bytes = bytes.last(behind);
    }
    for (;;) {
      const ws::Event event = reader.frames->next(bytes);
      const std::string_view text(event.payload.data(), event.payload.size());
      if (event.kind == ws::Event::Kind::kNeedMore) return;
      if (event.kind == ws::Event::Kind::kClose) return close(reader, event.close_code);
      if (event.kind == ws::Event::Kind::kError) return close(reader, 1002);
      if (event.kind == ws::Event::Kind::kText) take(reader, text);
    }
  }

  void take(Reader& reader, std::string_view text) {
    if (!reader.subscribed) {
      if (text.find("subscription_succeeded") == std::string_view::npos) return;
      reader.subscribed = true;
      ++subscribed_;
      if (reader.stalled) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, reader.fd, nullptr);
      return;
    }
    constexpr std::string_view kMark = R"("data":"t=)";
    const size_t at = text.find(kMark);
    if (at == std::string_view::npos) return;
    char* end = nullptr;
    const uint64_t sent_us = std::strtoull(text.data() + at + kMark.size(), &end, 10);
    const uint64_t number = std::strtoull(end + std::strlen(" i="), nullptr, 10);
    if (number != reader.next) ++report_.wrong;
    reader.next = number + 1;
    ++report_.total;
    report_.latency_us.push_back(static_cast<uint32_t>(monotonic_us() - sent_us));
  }

  void close(Reader& reader, int code) {
    ++closed_[code];
    ::close(reader.fd);
    reader.fd = -1;
  }

  bool read_command() {
    const ssize_t got = ::read(STDIN_FILENO, buffer_.data(), 4096);
    if (got <= 0) return false;
    input_.append(buffer_.data(), static_cast<size_t>(got));
    for (size_t end = 0; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
      const std::string_view command(input_.data(), end);
      if (command == "report") print();
      if (command == "clear") report_ = {};
    }
    return true;
  }

  void print() {
    std::vector<uint32_t>& all = report_.latency_us;
    std::ranges::sort(all);
    const auto percentile = [&all](double part) {
      return all.empty() ? 0u : all[static_cast<size_t>(part * static_cast<double>(all.size() - 1))];
    };
    uint64_t fewest = ~0ull;
    for (const Reader& reader : readers_) {
      if (!reader.stalled) fewest = std::min(fewest, reader.next);
    }
    std::string closed;
    for (const auto& [code, count] : closed_) {
      if (!closed.empty()) closed += ',';
      closed += '"' + std::to_string(code) + "\":" + std::to_string(count);
    }
    std::printf(R"({"total":%llu,"wrong":%llu,"fewest":%llu,"p50":%u,"p99":%u,"max":%u,"closed":{%s}})"
                "\n",
                static_cast<unsigned long long>(report_.total), static_cast<unsigned long long>(report_.wrong),
                static_cast<unsigned long long>(fewest), percentile(0.5), percentile(0.99), percentile(1),
                closed.c_str());
    std::fflush(stdout);
  }

  uint16_t port_;
  std::string key_;
  int epoll_ = -1;
  std::vector<char> buffer_;
  std::vector<Reader> readers_;
  size_t subscribed_ = 0;
  Report report_;
  std::map<int, size_t> closed_;
  std::string input_;
};

int run(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: chaos_fleet PORT KEY COUNT STALLED CHANNEL\n");
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const size_t count = std::strtoull(argv[3], nullptr, 10);
  Fleet fleet(static_cast<uint16_t>(std::atoi(argv[1])), argv[2]);
  fleet.open(count, std::strtoull(argv[4], nullptr, 10), argv[5]);
  std::printf("{\"ready\":%zu}\n", count);
  std::fflush(stdout);
  fleet.listen_to_input();
  while (fleet.turn(-1)) {
  }
  return 0;
}

}  // namespace
}  // namespace kilat::chaos

int main(int argc, char** argv) {
  return kilat::chaos::run(argc, argv);
}
