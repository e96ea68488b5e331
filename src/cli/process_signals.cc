#include "cli/process_signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "base/check.h"

namespace kilat::cli {

ProcessSignals::ProcessSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  KILAT_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its write, not the end
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  finished_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  KILAT_CHECK(signals_ >= 0 && finished_ >= 0);
}

ProcessSignals::~ProcessSignals() {
  ::close(signals_);
  ::close(finished_);
}

ProcessSignals::Event ProcessSignals::wait() {
  for (;;) {
    std::array<pollfd, 2> watched{{{finished_, POLLIN, 0}, {signals_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), -1) <= 0) continue;
    if (watched[0].revents != 0) return {Kind::kFinished};
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    const int sender = static_cast<int>(info.ssi_pid);
    switch (info.ssi_signo) {
      case SIGHUP: return {Kind::kReload, sender};
      case SIGUSR1: return {Kind::kDump, sender};
      default: return {Kind::kTerminate, sender};
    }
  }
}

void ProcessSignals::finish() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(finished_, &one, sizeof one);
}

uint64_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace kilat::cli
