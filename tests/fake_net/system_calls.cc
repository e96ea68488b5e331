// The system calls of the server, as the linker finds them before those of the C library (and before a sanitizer's).
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fake_net/kernel_state.h"

namespace {

using namespace kilat::fake_net;

ssize_t failed(int error) {
  errno = error;
  return -1;
}

Descriptor* open_socket(int fd) {
  Descriptor* d = find(fd);
  return d != nullptr && d->kind == Kind::kSocket && d->open ? d : nullptr;
}

ssize_t receive(int fd, void* out, size_t size) {
  const InHarness inside;
  Descriptor* d = open_socket(fd);
  if (d == nullptr) return failed(EBADF);
  if (const int error = fault_of(Call::kRead)) {
    if (error != EINTR) d->reset = true;
    return failed(error);
  }
  if (d->reset) return failed(ECONNRESET);
  if (d->to_server.empty()) return d->peer_ended ? 0 : failed(EAGAIN);
  const size_t got = std::min(size, d->to_server.size());
  std::memcpy(out, d->to_server.data(), got);
  d->to_server.erase(0, got);
  ++state().activity;
  return static_cast<ssize_t>(got);
}

// Room for a send, or the error it has.
ssize_t room_to_send(Descriptor* d, size_t size) {
  if (d == nullptr) return failed(EBADF);
  if (d->shut_down) return failed(EPIPE);
  if (const int error = fault_of(Call::kWrite)) {
    if (error != EINTR && error != ENOBUFS) d->reset = true;
    return failed(error);
  }
  if (d->reset) return failed(EPIPE);
  if (d->window == 0) return failed(EAGAIN);
  ++state().activity;
  return static_cast<ssize_t>(std::min<uint64_t>({size, d->window, d->send_max}));
}

void take_sent(Descriptor& d, const char* bytes, size_t size) {
  if (d.window != kUnlimited) d.window -= size;
  if (d.gone) {
    d.reset = true;
  } else {
    d.to_client.append(bytes, size);
  }
}

ssize_t send_bytes(int fd, const void* bytes, size_t size) {
  const InHarness inside;
  Descriptor* d = open_socket(fd);
  const ssize_t room = room_to_send(d, size);
  if (room > 0) take_sent(*d, static_cast<const char*>(bytes), static_cast<size_t>(room));
  return room;
}

ssize_t read_event(Descriptor& d, void* out, size_t size) {
  if (d.kind != Kind::kEvent || size < sizeof d.count) return failed(EINVAL);
  if (d.count == 0) return failed(EAGAIN);
  std::memcpy(out, &d.count, sizeof d.count);
  d.count = 0;
  return sizeof d.count;
}

ssize_t write_event(Descriptor& d, const void* in, size_t size) {
  uint64_t count = 0;
  if (d.kind != Kind::kEvent || size < sizeof count) return failed(EINVAL);
  std::memcpy(&count, in, sizeof count);
  d.count += count;
  ++state().activity;
  return sizeof count;
}

int wait_ready(Descriptor& epoll, epoll_event* out, int room) {
  int count = 0;
  for (const auto& [fd, watch] : epoll.watched) {
    const uint32_t events = ready_events(*find(fd)) & (watch.events | EPOLLHUP | EPOLLERR);
    if (events == 0 || count == room) continue;
    out[count].events = events;
    out[count++].data.u64 = watch.data;
  }
  return count;
}

}  // namespace

extern "C" {

ssize_t recv(int fd, void* out, size_t size, int flags) {
  if (find(fd) != nullptr) return receive(fd, out, size);
  return syscall(SYS_recvfrom, fd, out, size, flags, nullptr, nullptr);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  if (find(fd) != nullptr) return send_bytes(fd, bytes, size);
  return syscall(SYS_sendto, fd, bytes, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (find(fd) == nullptr) return syscall(SYS_sendmsg, fd, message, flags);
  const InHarness inside;
  size_t size = 0;
  for (size_t i = 0; i < message->msg_iovlen; ++i) size += message->msg_iov[i].iov_len;
  Descriptor* d = open_socket(fd);
  const ssize_t room = room_to_send(d, size);
  size_t left = room > 0 ? static_cast<size_t>(room) : 0;
  for (size_t i = 0; left > 0; ++i) {
    const size_t part = std::min(left, message->msg_iov[i].iov_len);
    take_sent(*d, static_cast<const char*>(message->msg_iov[i].iov_base), part);
    left -= part;
  }
  return room;
}

ssize_t read(int fd, void* out, size_t size) {
  if (Descriptor* d = find(fd)) return read_event(*d, out, size);
  return syscall(SYS_read, fd, out, size);
}

ssize_t write(int fd, const void* in, size_t size) {
  if (Descriptor* d = find(fd)) return write_event(*d, in, size);
  return syscall(SYS_write, fd, in, size);
}

int close(int fd) {
  Descriptor* d = find(fd);
  if (d == nullptr) return static_cast<int>(syscall(SYS_close, fd));
  if (!d->open) return static_cast<int>(failed(EBADF));
  const InHarness inside;
  d->open = false;
  d->closed = true;
  d->to_server = {};
  d->watched.clear();
  ++state().activity;
  return 0;
}

int shutdown(int fd, int how) noexcept {
  Descriptor* d = find(fd);
  if (d == nullptr) return static_cast<int>(syscall(SYS_shutdown, fd, how));
  if (d->reset) return static_cast<int>(failed(ENOTCONN));
  d->shut_down = true;
  ++state().activity;
  return 0;
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  Descriptor* d = find(fd);
  if (d == nullptr) return static_cast<int>(syscall(SYS_accept4, fd, address, size, flags));
  const InHarness inside;
  // As the kernel does it: a connection that failed is gone, for want of a descriptor it stays.
  if (const int error = fault_of(Call::kAccept)) {
    if (error == ECONNABORTED && !d->backlog.empty()) {
      find(d->backlog.front())->closed = true;
      d->backlog.pop_front();
    }
    return static_cast<int>(failed(error));
  }
  if (d->backlog.empty()) return static_cast<int>(failed(EAGAIN));
  const int accepted = d->backlog.front();
  d->backlog.pop_front();
  find(accepted)->open = true;
  ++state().activity;
  return accepted;
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  if (find(fd) != nullptr) return 0;
  return static_cast<int>(syscall(SYS_setsockopt, fd, level, name, value, size));
}

int epoll_create1(int flags) noexcept {
  if (!state().on) return static_cast<int>(syscall(SYS_epoll_create1, flags));
  const InHarness inside;
  return make(Kind::kEpoll);
}

int eventfd(unsigned count, int flags) noexcept {
  if (!state().on) return static_cast<int>(syscall(SYS_eventfd2, count, flags));
  const InHarness inside;
  return make(Kind::kEvent);
}

int epoll_ctl(int epoll, int op, int fd, epoll_event* event) noexcept {
  Descriptor* d = find(epoll);
  if (d == nullptr) return static_cast<int>(syscall(SYS_epoll_ctl, epoll, op, fd, event));
  const InHarness inside;
  const Descriptor* target = find(fd);
  const bool present = d->watched.contains(fd);
  if (target == nullptr || !target->open) return static_cast<int>(failed(EBADF));
  if (present == (op == EPOLL_CTL_ADD)) return static_cast<int>(failed(present ? EEXIST : ENOENT));
  if (op == EPOLL_CTL_DEL) {
    d->watched.erase(fd);
    return 0;
  }
  if (const int error = fault_of(Call::kWatch)) return static_cast<int>(failed(error));
  d->watched[fd] = {event->events, event->data.u64};
  return 0;
}

int epoll_pwait2(int epoll, epoll_event* out, int room, const timespec* timeout, const sigset_t* mask) {
  Descriptor* d = find(epoll);
  if (d == nullptr)
    return static_cast<int>(syscall(SYS_epoll_pwait2, epoll, out, room, timeout, mask, sizeof(uint64_t)));
  const InHarness inside;
  return wait_ready(*d, out, room);
}

int clock_gettime(clockid_t id, timespec* out) noexcept {
  if (!state().on || !serving) return static_cast<int>(syscall(SYS_clock_gettime, id, out));
  const uint64_t us = state().now_us;
  const uint64_t start_s = id == CLOCK_REALTIME ? kUnixStartS : 0;
  *out = {.tv_sec = static_cast<time_t>(start_s + us / 1'000'000),
          .tv_nsec = static_cast<long>(us % 1'000'000 * 1'000)};
  return 0;
}

// Always from the seed, so that a run can be repeated. Vigna's splitmix64.
ssize_t getrandom(void* out, size_t size, unsigned) {
  const InHarness inside;
  auto* at = static_cast<unsigned char*>(out);
  for (size_t i = 0; i < size; ++i) {
    uint64_t mixed = state().random += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    at[i] = static_cast<unsigned char>(mixed >> 56);
  }
  return static_cast<ssize_t>(size);
}
}  // extern "C"
