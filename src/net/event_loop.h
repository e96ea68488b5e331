// EventLoop: readiness of descriptors through level-triggered epoll (docs/adr/0001-event-loop.md says why our own).
// Owner: one shard; never used from another thread, except that Wakeup::notify may be called from any.
// A Watcher may be destroyed only between a dispatch() and the next wait(): events already fetched still point to it.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>

namespace kilat::net {

/// Receives readiness. Implemented by streams, listeners and wake-ups.
class Watcher {
 public:
  /// `events` is a set of EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, EPOLLRDHUP.
  virtual void on_ready(uint32_t events) = 0;

 protected:
  ~Watcher() = default;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Starts to watch `fd`. False when the kernel refuses (no memory, watch limit).
  [[nodiscard]] bool add(int fd, Watcher& watcher, uint32_t events);
  /// False when the kernel has no memory for it; then the old set stays.
  [[nodiscard]] bool change(int fd, Watcher& watcher, uint32_t events);
  /// Must be called before `fd` is closed.
  void remove(int fd);

  /// Waits up to `timeout_us` microseconds (-1: for ever) for readiness. Then dispatch() calls the watchers; between
  /// the two the caller reads the clock, so that handlers see the time of the wake-up.
  void wait(int64_t timeout_us);
  /// Calls the watchers of what wait() has found. Returns how many.
  int dispatch();

 private:
  int wait_for(int64_t timeout_us);

  int epoll_;
  bool precise_ = true;  ///< the kernel takes waits in microseconds; otherwise they are rounded up to milliseconds
  int ready_ = 0;
  std::array<epoll_event, 256> events_;
};

/// An eventfd that ends another thread's wait(). Many notifications before the loop turns cost one system call.
class Wakeup final : public Watcher {
 public:
  explicit Wakeup(EventLoop& loop);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Any thread; async-signal-safe.
  void notify();
  void on_ready(uint32_t events) override;

 private:
  EventLoop& loop_;
  int fd_;
};

}  // namespace kilat::net
