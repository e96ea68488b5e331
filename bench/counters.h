// Counts what a benchmark costs beside time: instructions of this thread in user space (perf_event_open) and calls of
// operator new (tests/alloc/counting_new.h). Both say the same in every run, on a busy machine too; time does not.
// Owner: one benchmark, on the thread that runs it; lifetime: its loop.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace kilat::bench {

class Counters {
 public:
  /// Begins to count; to be made right before the loop. `operations`: what an iteration does of what is reported.
  explicit Counters(benchmark::State& state, uint64_t operations = 1);
  /// Reports `instructions` and `allocations` for each operation. Where the kernel refuses to count instructions, they
  /// are left out and one line on stderr says why.
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  /// Leaves out what is done between the two: for setting up again inside the loop. Stops the clock as well.
  void pause();
  void resume();

 private:
  benchmark::State& state_;
  uint64_t operations_;
  uint64_t instructions_ = 0;
  uint64_t allocations_ = 0;
};

}  // namespace kilat::bench
