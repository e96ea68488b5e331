#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace kilat::net {
namespace {

constexpr int kBacklog = 4096;

struct AddressFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void set_option(int fd, int level, int option) {
  const int on = 1;
  // A kernel without the option still serves; nothing to refuse here.
  setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

Result<int> listen_on(const std::string& host, uint16_t port, bool reuse_port) {
  const std::string name = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return fail(Reason::kInternal, "cannot resolve " + name + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, AddressFree> list(found);

  const int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Reason::kInternal, "cannot open a socket: " + std::string(std::strerror(errno)));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  if (reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT);
  if (bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
    const std::string why = std::strerror(errno);
    close(fd);
    return fail(Reason::kInternal, "cannot listen on " + name + ": " + why);
  }
  return fd;
}

void close_socket(int fd) {
  close(fd);
}

uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  KILAT_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const uint16_t port = address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                                      : reinterpret_cast<sockaddr_in*>(&address)->sin_port;
  return ntohs(port);
}

Listener::Listener(EventLoop& loop, int fd, AcceptHandler& handler)
    : loop_(loop), handler_(handler), fd_(fd), reserve_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  KILAT_CHECK(loop_.add(fd_, *this, EPOLLIN));
}

Listener::~Listener() {
  loop_.remove(fd_);
  close(fd_);
  if (reserve_ >= 0) close(reserve_);
}

void Listener::on_ready(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      set_option(fd, IPPROTO_TCP, TCP_NODELAY);
      handler_.on_accepted(fd);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
      continue;  // this client's own trouble
    // The kernel looks for a descriptor before it looks for a connection: perhaps there is none.
    const Shed shed = shed_one();
    if (shed == Shed::kNoneWaits) return;
    if (shed == Shed::kFailed) {
      // The loop would report the same connection for ever: look away for a moment instead.
      resting_ = true;
      loop_.change(fd_, *this, 0);
      return;
    }
  }
}

void Listener::resume() {
  if (!resting_) return;
  resting_ = false;
  loop_.change(fd_, *this, EPOLLIN);
}

// Accepts one connection with the reserve descriptor and closes it, so that its client learns at once. Another shard
// may take the freed descriptor in between; then the reserve is found again later.
Listener::Shed Listener::shed_one() {
  if (reserve_ >= 0) close(reserve_);
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  const bool none_waits = fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  if (fd >= 0) close(fd);
  reserve_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd >= 0 ? Shed::kOne : none_waits ? Shed::kNoneWaits : Shed::kFailed;
}

}  // namespace kilat::net
