#include "cli/bench/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "net/descriptor.h"
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

// Whether somebody listens there.
bool answers(const addrinfo& address) {
  constexpr int kPatienceMs = 3'000;
  const net::Descriptor fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return false;
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return true;
  pollfd watched{fd.get(), POLLOUT, 0};
  if (errno != EINPROGRESS || ::poll(&watched, 1, kPatienceMs) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// A name may have several addresses, and a server listen on one of them only: localhost is ::1 as well.
const addrinfo* first_that_answers(const addrinfo* found) {
  if (found->ai_next == nullptr) return found;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    if (answers(*address)) return address;
  }
  return found;
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
  const addrinfo& chosen = *first_that_answers(found);
  Address out;
  std::memcpy(&out.storage, chosen.ai_addr, chosen.ai_addrlen);
  out.size = chosen.ai_addrlen;
  if (chosen.ai_family == AF_INET) {
    sockaddr_in to{};
    std::memcpy(&to, chosen.ai_addr, sizeof to);
    out.loopback_v4 = ntohl(to.sin_addr.s_addr) >> 24 == 127;
  }
  return out;
}

Wire::Wire(const Address& to, const TlsClient* tls_client)
    : address(to), tls(tls_client), buffer(kReadBytes + ws::kPadding) {}

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
  if (wire_.tls == nullptr) return opened();
  tls_ = wire_.tls->begin(fd_);
  if (!tls_) return lose("TLS cannot be set up");
  shake_hands();
}

void Socket::shake_hands() {
  const TlsSession::Step step = tls_->handshake();
  switch (step.state) {
    case TlsSession::State::kDone: return opened();
    case TlsSession::State::kWantRead: return watch(EPOLLIN);
    case TlsSession::State::kWantWrite: return watch(EPOLLOUT);
    case TlsSession::State::kEnded: return lose("the TLS handshake was ended by the server");
    case TlsSession::State::kFailed: return lose(step.why);
  }
}

void Socket::opened() {
  connecting_ = false;
  watch(EPOLLIN);
  if (fd_ >= 0) on_open();
}

void Socket::on_ready(uint32_t events) {
  if (fd_ < 0) return;
  if (connecting_) return tls_ ? shake_hands() : finish_connect();
  if ((events & EPOLLOUT) != 0) flush();
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void Socket::read() {
  for (int i = 0; i < kReadsInARow && fd_ >= 0; ++i) {
    const TlsSession::Step step = receive();
    if (step.state == TlsSession::State::kEnded) return lose("ended by the server without a word");
    if (step.state == TlsSession::State::kFailed) return lose(step.why);
    if (step.state != TlsSession::State::kDone) return;
    on_bytes({wire_.buffer.data(), step.bytes});
    // TLS gives one record at a time and keeps none back, so the kernel tells of what is left.
    if (!tls_ && step.bytes < kReadBytes) return;
  }
}

// The words of TLS for what the kernel says, so that both are read in one way.
TlsSession::Step Socket::receive() {
  if (tls_) return tls_->read({wire_.buffer.data(), kReadBytes});
  const ssize_t got = ::recv(fd_, wire_.buffer.data(), kReadBytes, 0);
  if (got > 0) return {.bytes = static_cast<size_t>(got)};
  if (got == 0) return {.state = TlsSession::State::kEnded};
  if (errno == EAGAIN || errno == EINTR) return {.state = TlsSession::State::kWantRead};
  return {.state = TlsSession::State::kFailed, .why = words_of(errno)};
}

TlsSession::Step Socket::transmit(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {.bytes = static_cast<size_t>(sent)};
  if (errno == EAGAIN || errno == EINTR) return {.state = TlsSession::State::kWantWrite};
  return {.state = TlsSession::State::kFailed, .why = words_of(errno)};
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
    const TlsSession::Step step = transmit(std::string_view(out_).substr(sent_));
    if (step.state == TlsSession::State::kFailed) return lose(step.why);
    if (step.state == TlsSession::State::kEnded) return lose("ended by the server without a word");
    if (step.state != TlsSession::State::kDone) break;
    sent_ += step.bytes;
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
  tls_.reset();  // says goodbye on the descriptor
  wire_.loop.remove(fd_);
  ::close(std::exchange(fd_, -1));
  connecting_ = false;
}

void Socket::lose(const std::string& why) {
  close();
  on_lost(why);
}

}  // namespace kilat::cli::bench
