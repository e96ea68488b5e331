// Signals as something to wait for, beside one event of our own. Main thread only.
#pragma once

#include <cstdint>

namespace kilat::cli {

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 for this thread and all it starts from now on, and ignores SIGPIPE. Make
/// it before any thread, so that no shard is ever interrupted.
class ProcessSignals {
 public:
  ProcessSignals();
  ~ProcessSignals();
  ProcessSignals(const ProcessSignals&) = delete;
  ProcessSignals& operator=(const ProcessSignals&) = delete;

  enum class Kind : uint8_t {
    kTerminate,  ///< SIGTERM, SIGINT
    kReload,     ///< SIGHUP
    kDump,       ///< SIGUSR1
    kFinished,
  };
  struct Event {
    Kind kind;
    int sender = 0;  ///< process that sent the signal; 0: the kernel, or nobody we can see
  };

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
