#include "net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"

namespace kilat::net {
namespace {

epoll_event make_event(Watcher& watcher, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return event;
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  KILAT_CHECK(epoll_ >= 0);
}

EventLoop::~EventLoop() {
  close(epoll_);
}

bool EventLoop::add(int fd, Watcher& watcher, uint32_t events) {
  epoll_event event = make_event(watcher, events);
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool EventLoop::change(int fd, Watcher& watcher, uint32_t events) {
  epoll_event event = make_event(watcher, events);
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return true;
  KILAT_CHECK(errno == ENOMEM || errno == ENOSPC);
  return false;
}

void EventLoop::remove(int fd) {
  KILAT_CHECK(epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0);
}

void EventLoop::wait(int64_t timeout_us) {
  const int count = wait_for(timeout_us);
  KILAT_CHECK(count >= 0 || errno == EINTR);
  ready_ = count < 0 ? 0 : count;
}

int EventLoop::wait_for(int64_t timeout_us) {
  const int room = static_cast<int>(events_.size());
  if (precise_) {
    const timespec timeout{.tv_sec = timeout_us / 1'000'000, .tv_nsec = timeout_us % 1'000'000 * 1'000};
    const int count = epoll_pwait2(epoll_, events_.data(), room, timeout_us < 0 ? nullptr : &timeout, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    precise_ = false;  // a kernel before 5.11, or a container that does not know the call
  }
  const int64_t timeout_ms = timeout_us < 0 ? -1 : std::min<int64_t>((timeout_us + 999) / 1'000, INT32_MAX);
  return epoll_wait(epoll_, events_.data(), room, static_cast<int>(timeout_ms));
}

int EventLoop::dispatch() {
  const int count = std::exchange(ready_, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    static_cast<Watcher*>(event.data.ptr)->on_ready(event.events);
  }
  return count;
}

Wakeup::Wakeup(EventLoop& loop) : loop_(loop), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  KILAT_CHECK(fd_ >= 0);
  KILAT_CHECK(loop_.add(fd_, *this, EPOLLIN));
}

Wakeup::~Wakeup() {
  loop_.remove(fd_);
  close(fd_);
}

void Wakeup::notify() {
  const uint64_t one = 1;
  // EAGAIN means that the counter is full: the loop is being woken already.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

void Wakeup::on_ready(uint32_t) {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
}

}  // namespace kilat::net
