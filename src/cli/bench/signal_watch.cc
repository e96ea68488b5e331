#include "cli/bench/signal_watch.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"

namespace kilat::cli::bench {

SignalWatch::SignalWatch() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  KILAT_CHECK(pthread_sigmask(SIG_BLOCK, &set, &before_) == 0);
  signal(SIGPIPE, SIG_IGN);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  KILAT_CHECK(fd_ >= 0);
}

SignalWatch::~SignalWatch() {
  ::close(fd_);  // leaves its loop by that
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatch::watch(net::EventLoop& loop) {
  KILAT_CHECK(loop.add(fd_, *this, EPOLLIN));
}

void SignalWatch::on_ready(uint32_t) {
  signalfd_siginfo info{};
  while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) ++count_;
}

}  // namespace kilat::cli::bench
