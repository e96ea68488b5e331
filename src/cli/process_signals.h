// SIGTERM and SIGINT as something to wait for, beside one event of our own. Main thread only.
#pragma once

#include <cstdint>

namespace kilat::cli {

/// Blocks SIGTERM and SIGINT for this thread and all it starts from now on, and ignores SIGPIPE. Make it before any
/// thread, so that no shard is ever interrupted.
class ProcessSignals {
 public:
  ProcessSignals();
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  enum class Event : uint8_t { kSignal, kFinished };

  /// Waits for a signal or for finish(), whichever comes first; finish() wins when both are there.
  Event wait();

  /// Any thread: makes wait() answer kFinished from now on.
  void finish();

 private:
  int signals_ = -1;   // signalfd
  int finished_ = -1;  // eventfd
};

/// Raises the limit of open files to what the machine allows: every connection is one. Returns the limit now in force.
uint64_t raise_open_files();

}  // namespace kilat::cli
