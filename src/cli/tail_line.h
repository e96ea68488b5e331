// The stream that `kilat tail` reads: bytes to lines, lines to text for people. No I/O; one thread.
// Bound: a line longer than kTailLineBytesMax is left out and counted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kilat::cli {

inline constexpr size_t kTailLineBytesMax = 1024 * 1024;

/// Gathers bytes until a newline; any split of the input gives the same lines.
class LineSplitter {
 public:
  explicit LineSplitter(std::function<void(std::string_view)> on_line) : on_line_(std::move(on_line)) {}

  void feed(std::string_view bytes);

  /// Forgets an unfinished line, for a new connection.
  void reset();

  /// Lines that were too long so far.
  uint64_t skipped() const { return skipped_; }

 private:
  void finish_line(std::string_view rest);

  std::function<void(std::string_view)> on_line_;
  std::string pending_;
  bool too_long_ = false;
  uint64_t skipped_ = 0;
};

/// `14:02:11.123 chat hello {"text":"hi"}` from one line of the stream; local time. A line that is not what the server
/// sends comes back as it is, fit for a terminal. "" for lines with nothing to show (keep-alives).
std::string format_tail_line(std::string_view line);

}  // namespace kilat::cli
