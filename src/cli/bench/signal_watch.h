// SIGINT, SIGTERM and SIGHUP as events of a loop. Main thread; blocks them for as long as it lives, and ignores
// SIGPIPE.
#pragma once

#include <signal.h>

#include <cstdint>

#include "net/event_loop.h"

namespace kilat::cli::bench {

class SignalWatch final : public net::Watcher {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// Counts from now on; `loop` outlives this.
  void watch(net::EventLoop& loop);
  /// Signals that came so far.
  uint32_t count() const { return count_; }

  void on_ready(uint32_t events) override;

 private:
  int fd_ = -1;
  uint32_t count_ = 0;
  sigset_t before_{};
};

}  // namespace kilat::cli::bench
