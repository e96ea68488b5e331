// FileHealth: whether the writer of a durable file succeeds, since when it does not, and when it tries again; and how
// the file is brought back to a state in which it can.
// Owner: the writer (EventLog, IngestLog), whose thread alone changes it; state(), for_good() and failures() may be
// called by any thread. Bounds: pauses of kBackoffMsMin to kBackoffMsMax.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "base/result.h"
#include "store/durable_file.h"
#include "store/fault.h"

namespace kilat::store {

class FileHealth {
 public:
  static constexpr uint64_t kBackoffMsMin = 100;
  static constexpr uint64_t kBackoffMsMax = 2'000;

  struct State {
    bool healthy = true;
    bool for_good = false;          ///< the file is damaged: nothing will be taken any more
    uint64_t failing_since_ms = 0;  ///< unix time; 0 while healthy
    std::string error;              ///< of the last failure, also after it is over
  };

  /// `failing` and `recovered`: what the log calls a beginning and an end of trouble.
  FileHealth(std::string file, std::string_view failing, std::string_view recovered)
      : file_(std::move(file)), names_(failing, recovered) {}

  State state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  bool for_good() const { return for_good_.load(std::memory_order_acquire); }
  /// Attempts that failed, since the start.
  uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

  // --- the writer's thread
  bool failing() const { return failing_; }
  uint64_t retry_at_ms() const { return retry_at_ms_; }  ///< monotonic

  /// An attempt failed, and its transaction was rolled back. To be called before anybody hears of it: a sync that
  /// failed may have left a whole commit in the WAL, which is emptied here.
  void failed(const Fault& fault, DurableFile& file) {
    const memory::MustSucceed noting;
    ++failures_;
    if (fault.damaged) file.note_damage();
    if (!file.damaged()) [[maybe_unused]]
      const auto healed = file.heal();
    const bool damaged = file.damaged();
    backoff_ms_ = std::clamp(backoff_ms_ * 2, kBackoffMsMin, kBackoffMsMax);
    retry_at_ms_ = monotonic_ms() + backoff_ms_;
    if (!failing_) log::event(log::Level::kError, names_.first, {{"file", file_}, {"why", fault.why}});
    failing_ = true;
    for_good_.store(damaged, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    if (state_.healthy) state_.failing_since_ms = unix_ms();
    state_.healthy = false;
    state_.for_good = damaged;
    state_.error = fault.why;
  }

  /// Before the next attempt. `probe`: there is nothing to write, so a commit that changes nothing is the test.
  Outcome<void> recover(DurableFile& file, bool probe) {
    TRY_VOID(file.heal());
    if (!probe) return {};
    TRY_VOID(file.probe());
    succeeded(true);
    return {};
  }

  /// Something was written. A probe that was is no reason to be patient for less time at the next failure.
  void succeeded(bool probe = false) {
    if (!probe) backoff_ms_ = 0;
    if (!failing_) return;
    failing_ = false;
    log::event(log::Level::kInfo, names_.second, {{"file", file_}});
    const std::lock_guard lock(mutex_);
    state_.healthy = true;
    state_.failing_since_ms = 0;
  }

 private:
  const std::string file_;
  const std::pair<std::string_view, std::string_view> names_;
  bool failing_ = false;
  uint64_t backoff_ms_ = 0;
  uint64_t retry_at_ms_ = 0;
  std::atomic<bool> for_good_ = false;
  std::atomic<uint64_t> failures_ = 0;
  mutable std::mutex mutex_;
  State state_;
};

}  // namespace kilat::store
