#include "stress/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "ws/buffer.h"

namespace kilat::stress {
namespace {

constexpr size_t kReadBytes = size_t{64} * 1024;

}  // namespace

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(kReadBytes + ws::kPadding) {
  if (fd_ < 0) throw std::runtime_error("epoll_create1 failed");
}

Poller::~Poller() {
  ::close(fd_);
}

void Poller::wait(int ms) {
  std::array<epoll_event, 256> events{};
  const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), ms);
  for (int i = 0; i < count; ++i) {
    static_cast<Socket*>(events[static_cast<size_t>(i)].data.ptr)->on_ready(events[static_cast<size_t>(i)].events);
  }
}

Socket::Socket(Poller& poller, uint16_t port, int receive_bytes)
    : poller_(poller), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) throw std::runtime_error("no more descriptors for clients");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS) {
    ::close(fd_);
    throw std::runtime_error("cannot connect to the server");
  }
  watched_ = EPOLLIN | EPOLLOUT;
  epoll_event event{.events = watched_, .data = {.ptr = this}};
  ::epoll_ctl(poller_.fd_, EPOLL_CTL_ADD, fd_, &event);
}

Socket::~Socket() {
  close();
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::end(int error) {
  close();
  on_end(error);
}

void Socket::watch() {
  if (ended()) return;
  const uint32_t wanted = (paused_ ? 0U : uint32_t{EPOLLIN}) | (out_.empty() && connected_ ? 0U : uint32_t{EPOLLOUT});
  if (wanted == watched_) return;
  watched_ = wanted;
  epoll_event event{.events = wanted, .data = {.ptr = this}};
  ::epoll_ctl(poller_.fd_, EPOLL_CTL_MOD, fd_, &event);
}

void Socket::send(std::string_view bytes) {
  if (ended() || finishing_) return;
  const bool idle = out_.empty();
  out_.append(bytes);
  if (idle && connected_) flush();
  watch();
}

// A failed send is not the end: what the peer said before is read first, and reading meets the error.
void Socket::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) out_.clear();
      break;
    }
    out_.erase(0, static_cast<size_t>(sent));
  }
  if (out_.empty() && finishing_) ::shutdown(fd_, SHUT_WR);
}

void Socket::set_paused(bool paused) {
  paused_ = paused;
  watch();
}

void Socket::shutdown_write() {
  if (ended() || finishing_) return;
  finishing_ = true;
  if (connected_ && out_.empty()) ::shutdown(fd_, SHUT_WR);
}

void Socket::reset() {
  if (ended()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void Socket::on_ready(uint32_t events) {
  if (ended()) return;
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return end(error);
    connected_ = true;
  }
  if ((events & EPOLLOUT) != 0) flush();
  if (paused_ && (events & (EPOLLERR | EPOLLHUP)) != 0) return end(ECONNRESET);
  if (!paused_ && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) read();
  watch();
}

void Socket::read() {
  // A few rounds only, so that one connection does not keep the others waiting.
  for (int round = 0; round < 4 && !ended() && !paused_; ++round) {
    const ssize_t got = ::recv(fd_, poller_.buffer_.data(), kReadBytes, 0);
    if (got > 0) {
      on_bytes({poller_.buffer_.data(), static_cast<size_t>(got)});
      if (static_cast<size_t>(got) < kReadBytes) return;
    } else if (got == 0) {
      return end(0);
    } else if (errno == EAGAIN || errno == EINTR) {
      return;
    } else {
      return end(errno);
    }
  }
}

}  // namespace kilat::stress
