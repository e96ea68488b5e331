// FileSizeLimit: as if the disk were full: no file of this process grows beyond so many bytes. Owner: a test, for a
// stretch of it. Bounds: a limit of the whole process, so one at a time.
#pragma once

#include <signal.h>
#include <sys/resource.h>

namespace kilat::store {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    lift();
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  /// Ends it early.
  void lift() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
  sighandler_t handler_;
};

}  // namespace kilat::store
