// What a reload did: for the log, for `kilat reload`, and for metrics. Plain values; pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diff.h"

namespace kilat::app {

struct ReloadReport {
  enum class Outcome : uint8_t { kApplied, kUnchanged, kRefused };
  Outcome outcome = Outcome::kUnchanged;
  std::string why;                    ///< kRefused: nothing was changed, because of this
  std::vector<config::Change> live;   ///< in effect now
  std::vector<config::Change> later;  ///< need a restart: the old value still holds
  uint64_t connections_closed = 0;    ///< of apps that were removed or disabled
  uint64_t ms = 0;
  bool late = false;  ///< a shard did not answer in time, and follows when it turns again
};

/// Lines for people, without secrets: "2 changes applied: …", "needs restart, kept the old value: …", "done in 3 ms,
/// …".
std::vector<std::string> describe(const ReloadReport& report);

/// Writes the report to the log: one line each for what is live, what needs a restart, and the end.
void log_reload(const ReloadReport& report);

/// Tells process `pid` how its request for a reload went: `succeeded`, then lines for people. A process that listens
/// for it does so on a datagram socket with the abstract name reload_address(pid); without one nothing happens.
void tell_reload_outcome(int pid, bool succeeded, std::string_view text);
std::string reload_address(int pid);

}  // namespace kilat::app
