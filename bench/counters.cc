#include "counters.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "alloc/counting_new.h"

namespace kilat::bench {
namespace {

/// A counter of the calling thread, or -1.
int open_counter() {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_HARDWARE;
  wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  const auto fd = static_cast<int>(::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
  if (fd < 0) std::fprintf(stderr, "instructions are not counted: perf_event_open: %s\n", std::strerror(errno));
  return fd;
}

int counter() {
  static const int kFd = open_counter();
  return kFd;
}

uint64_t instructions() {
  uint64_t count = 0;
  if (counter() < 0 || ::read(counter(), &count, sizeof count) != sizeof count) return 0;
  return count;
}

}  // namespace

Counters::Counters(benchmark::State& state, uint64_t operations) : state_(state), operations_(operations) {
  allocations_ -= alloc::allocations();
  instructions_ -= instructions();
}

Counters::~Counters() {
  instructions_ += instructions();
  allocations_ += alloc::allocations();
  const double done = static_cast<double>(state_.iterations()) * static_cast<double>(operations_);
  if (done == 0) return;
  if (counter() >= 0) state_.counters["instructions"] = std::round(static_cast<double>(instructions_) / done);
  // Rounded, so that what only the first iteration takes does not look like a leak.
  state_.counters["allocations"] = std::round(static_cast<double>(allocations_) / done * 100) / 100;
}

void Counters::pause() {
  state_.PauseTiming();
  instructions_ += instructions();
  allocations_ += alloc::allocations();
}

void Counters::resume() {
  allocations_ -= alloc::allocations();
  instructions_ -= instructions();
  state_.ResumeTiming();
}

}  // namespace kilat::bench
