#include "cli/bench/progress.h"

#include <unistd.h>

#include <cstdio>

#include "cli/bench/clock.h"
#include "cli/bench/schedule.h"

namespace kilat::cli::bench {
namespace {

constexpr uint64_t kRefreshNs = kNsPerSecond / 4;
constexpr uint64_t kLineNs = 5 * kNsPerSecond;

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {
  if (!terminal_) next_ns_ = monotonic_ns() + kLineNs;
}

Progress::~Progress() {
  if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(const std::string& line, uint64_t now_ns) {
  next_ns_ = now_ns + (terminal_ ? kRefreshNs : kLineNs);
  shown_ = true;
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
}

}  // namespace kilat::cli::bench
