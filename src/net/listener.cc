#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace kilat::net {
namespace {

constexpr int kBacklog = 4096;
constexpr const char* kBeside = ".new";  // a Unix socket that is about to take the place of another

struct AddressFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void set_option(int fd, int level, int option) {
  const int on = 1;
  // A kernel without the option still serves; nothing to refuse here.
  setsockopt(fd, level, option, &on, sizeof on);
}

std::unexpected<Error> cannot_listen(const std::string& name, int code) {
  return fail(Reason::kInternal, "cannot listen on " + name + ": " + std::strerror(code));
}

// Whether a server is behind the socket file of `address`.
bool is_served(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  // A full queue means that somebody is there, only busy.
  const bool served = result == 0 || errno == EAGAIN || errno == EINPROGRESS;
  close(fd);
  return served;
}

// Removes what a server that died has left; anything but a socket stays and makes bind() fail.
void remove_stale(const sockaddr_un& address) {
  struct stat facts{};
  if (lstat(address.sun_path, &facts) == 0 && S_ISSOCK(facts.st_mode)) unlink(address.sun_path);
}

Peer peer_of(const sockaddr_storage& address) {
  return {.address = IpAddress::of(reinterpret_cast<const sockaddr&>(address)), .local = address.ss_family == AF_UNIX};
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
    const int code = errno;
    close(fd);
    return cannot_listen(name, code);
  }
  return fd;
}

Result<int> listen_on_unix(const std::string& path, mode_t mode, bool take_over) {
  const std::string name = "unix:" + path;
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return cannot_listen(name, ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (!take_over && is_served(address)) return cannot_listen(name, EADDRINUSE);
  // A served socket is replaced by renaming, so that at any moment whoever connects finds one that listens.
  const std::string beside = path + kBeside;
  const bool rename_it = take_over && beside.size() < sizeof address.sun_path && socket_file_id(path) != 0;
  if (rename_it) std::memcpy(address.sun_path, beside.data(), beside.size());
  remove_stale(address);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_listen(name, errno);
  // Permissions come before listen(): until then nobody can connect.
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);
  if (bind(fd, plain, sizeof address) != 0 || chmod(address.sun_path, mode) != 0 || listen(fd, kBacklog) != 0 ||
      (rename_it && rename(address.sun_path, path.c_str()) != 0)) {
    const int code = errno;
    close(fd);
    if (rename_it) remove_stale(address);
    return cannot_listen(name, code);
  }
  return fd;
}

uint64_t socket_file_id(const std::string& path) {
  struct stat facts{};
  return lstat(path.c_str(), &facts) == 0 && S_ISSOCK(facts.st_mode) ? facts.st_ino : 0;
}

Result<int> share_socket(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(Reason::kInternal, std::string("cannot share a socket: ") + std::strerror(errno));
  return copy;
}

void close_socket(int fd) {
  close(fd);
}

bool is_tcp(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  return address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  KILAT_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const uint16_t port = address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                                      : reinterpret_cast<sockaddr_in*>(&address)->sin_port;
  return ntohs(port);
}

Listener::Listener(EventLoop& loop, int fd, const ListenerTraits& traits, AcceptHandler& handler)
    : loop_(loop), handler_(handler), fd_(fd), traits_(traits), reserve_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  KILAT_CHECK(watch(true));
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY);  // Linux hands it down to the connections; a Unix socket refuses it
}

Listener::~Listener() {
  if (!resting_) loop_.remove(fd_);
  close(fd_);
  if (reserve_ >= 0) close(reserve_);
}

// EPOLLEXCLUSIVE can't be changed once set, only removed (epoll_ctl(2)), so a rest is a removal.
bool Listener::watch(bool on) {
  if (!on) {
    loop_.remove(fd_);
    return true;
  }
  return loop_.add(fd_, *this, EPOLLIN | (traits_.shared ? uint32_t{EPOLLEXCLUSIVE} : 0u));
}

void Listener::on_ready(uint32_t) {
  const int limit = traits_.shared ? kSharedAcceptsPerTurn : kAcceptsPerTurn;
  for (int i = 0; i < limit; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const Peer peer = peer_of(address);
      handler_.on_accepted(fd, peer, traits_);
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
      resting_ = watch(false);
      return;
    }
  }
}

void Listener::resume() {
  if (resting_ && watch(true)) resting_ = false;
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
