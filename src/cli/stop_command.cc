// `kilat stop`: has the running server drain and end, waits for that, and says how long it took. The process is held by
// a descriptor (pidfd_open(2)), so that no other one can be meant when its number is used again.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/port_probe.h"
#include "cli/running.h"
#include "net/descriptor.h"

// The header of Debian 12 (glibc 2.36) does not say for itself that its functions are C.
extern "C" {
#include <sys/pidfd.h>
}

namespace kilat::cli {
namespace {

constexpr int kNewsEveryMs = 10'000;

struct StopOptions {
  RunningOptions running;
  bool now = false;
};

Failure cannot_signal(int pid, int code) {
  return {"cannot stop process " + std::to_string(pid),
          {},
          std::strerror(code),
          code == EPERM ? std::vector<std::string>{"sudo kilat stop"} : std::vector<std::string>{}};
}

// A pid file may be older than the process that has its number now.
bool is_kilat(int pid) {
  return process_name(pid) == "kilat";
}

int wait_for_end(int process, int pid, uint64_t begin_ms) {
  pollfd ended{process, POLLIN, 0};
  for (;;) {
    const int found = ::poll(&ended, 1, kNewsEveryMs);
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) return report(cannot_signal(pid, errno));
    const double seconds = static_cast<double>(monotonic_ms() - begin_ms) / 1e3;
    if (found > 0) {
      std::printf("stop: process %d has ended after %.1f s\n", pid, seconds);
      return 0;
    }
    std::printf("stop: process %d still says goodbye, %.0f s so far\n", pid, seconds);
    std::fflush(stdout);
  }
}

int stop(const StopOptions& options) {
  const Outcome<int> pid = find_running(options.running);
  if (!pid) return report(pid.error());
  const net::Descriptor process(::pidfd_open(*pid, 0));
  if (process.get() < 0) return report(cannot_signal(*pid, errno));
  if (!is_kilat(*pid)) {
    return report({"process " + std::to_string(*pid) + " is not kilat",
                   {},
                   "it is called " + fit_for_terminal(process_name(*pid)),
                   {"remove the pid file if it is a stale one", "kill " + std::to_string(*pid)}});
  }
  const uint64_t begin_ms = monotonic_ms();
  if (::pidfd_send_signal(process.get(), SIGTERM, nullptr, 0) != 0) return report(cannot_signal(*pid, errno));
  // Another signal than the first, because two of one kind that wait are one.
  if (options.now) ::pidfd_send_signal(process.get(), SIGINT, nullptr, 0);
  std::printf("stop: told process %d to %s\n", *pid,
              options.now ? "stop at once" : "close its connections over server.drain_ms and end");
  std::fflush(stdout);
  return wait_for_end(process.get(), *pid, begin_ms);
}

}  // namespace

Action install_stop(CLI::App& command) {
  auto options = std::make_shared<StopOptions>();
  options->running.command = "stop";
  add_running_options(command, options->running);
  command.add_flag("--now", options->now, "Do not wait for connections: what is left is cut off");
  return [options] { return stop(*options); };
}

}  // namespace kilat::cli
