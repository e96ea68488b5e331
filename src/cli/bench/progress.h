// The progress line on standard error: refreshed in place on a terminal, otherwise a line every five seconds.
// Owner: the run; one thread.
#pragma once

#include <cstdint>
#include <string>

namespace kilat::cli::bench {

class Progress {
 public:
  Progress();
  /// Leaves the cursor at the start of an empty line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// When the next line should be shown.
  uint64_t next_ns() const { return next_ns_; }
  void show(const std::string& line, uint64_t now_ns);

 private:
  bool terminal_;
  bool shown_ = false;
  uint64_t next_ns_ = 0;
};

}  // namespace kilat::cli::bench
