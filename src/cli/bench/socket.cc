#include "cli/bench/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "ws/buffer.h"

namespace kilat::cli::bench {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr int kReadsInARow = 4;  // then the other connections have their turn
constexpr uint32_t kSourcesMax = 250;

std::string words_of(int error) {
  return std::generic_category().message(error);
}

// A source of 127.0.0.0/8 other than the usual one: each has its own set of ports.
bool bind_loopback(int fd, uint32_t source) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);  // the port is chosen by connect()
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
}

}  // namespace

Outcome<Address> resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return std::unexpected(Failure{"cannot find the server", fit_for_terminal(host), ::gai_strerror(code), {}});
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, &::freeaddrinfo);
  Address out;
  std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
  out.size = found->ai_addrlen;
  if (found->ai_family == AF_INET) {
    sockaddr_in to{};
    std::memcpy(&to, found->ai_addr, sizeof to);
    out.loopback_v4 = ntohl(to.sin_addr.s_addr) >> 24 == 127;
  }
  return out;
}

Wire::Wire(const Address& to) : address(to), buffer(kReadBytes + ws::kPadding) {}

void Wire::flush() {
  // What on_lost of one connection queues on another is sent in the same pass.
  for (size_t i = 0; i < dirty.size(); ++i) dirty[i]->flush();  // NOLINT(modernize-loop-convert): it may grow
  dirty.clear();
}

Socket::~Socket() {
  close();
}

void Socket::open() {
  out_.clear();
  sent_ = 0;
  while (start_connect()) {
    const auto* to = reinterpret_cast<const sockaddr*>(&wire_.address.storage);
    if (::connect(fd_, to, wire_.address.size) == 0 || errno == EINPROGRESS) return;
    const int error = errno;
    // This source has no port left towards the server; a machine has 16 million other loopback addresses.
    const bool next = error == EADDRNOTAVAIL && wire_.address.loopback_v4 && wire_.source + 1 < kSourcesMax;
    if (!next) return lose("connect: " + words_of(error));
    close();
    ++wire_.source;
  }
}

// False when there is no socket to connect; on_lost has been called then.
bool Socket::start_connect() {
  fd_ = ::socket(wire_.address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    const int error = errno;
    on_lost("socket: " + words_of(error));
    return false;
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connecting_ = true;
  watched_ = EPOLLOUT;
  if ((wire_.source > 0 && !bind_loopback(fd_, wire_.source)) || !wire_.loop.add(fd_, *this, watched_)) {
    const int error = errno;
    ::close(std::exchange(fd_, -1));
    on_lost("socket: " + words_of(error));
    return false;
  }
  return true;
}

void Socket::finish_connect() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return lose("connect: " + words_of(error));
  connecting_ = false;
  watch(EPOLLIN);
  if (fd_ >= 0) on_open();
}

void Socket::on_ready(uint32_t events) {
  if (fd_ < 0) return;
  if (connecting_) return finish_connect();
  if ((events & EPOLLOUT) != 0) flush();
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void Socket::read() {
  for (int i = 0; i < kReadsInARow && fd_ >= 0; ++i) {
    const ssize_t got = ::recv(fd_, wire_.buffer.data(), kReadBytes, 0);
    if (got < 0) {
      if (errno != EAGAIN && errno != EINTR) lose(words_of(errno));
      return;
    }
    if (got == 0) return lose("ended by the server without a word");
    on_bytes({wire_.buffer.data(), static_cast<size_t>(got)});
    if (static_cast<size_t>(got) < kReadBytes) return;
  }
}

void Socket::queue(std::string_view bytes) {
  if (fd_ < 0) return;
  out_ += bytes;
  if (!std::exchange(dirty_, true)) wire_.dirty.push_back(this);
}

void Socket::flush() {
  dirty_ = false;
  if (fd_ < 0 || connecting_) return;
  while (sent_ < out_.size()) {
    const ssize_t got = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) break;
      return lose(words_of(errno));
    }
    sent_ += static_cast<size_t>(got);
  }
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  if (out_.size() - sent_ > kOutBytesMax) return lose("the server does not read");
  watch(out_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Socket::watch(uint32_t events) {
  if (events == watched_) return;
  if (!wire_.loop.change(fd_, *this, events)) return lose("socket: " + words_of(errno));
  watched_ = events;
}

void Socket::close() {
  if (fd_ < 0) return;
  wire_.loop.remove(fd_);
  ::close(std::exchange(fd_, -1));
  connecting_ = false;
}

void Socket::lose(const std::string& why) {
  close();
  on_lost(why);
}

}  // namespace kilat::cli::bench
