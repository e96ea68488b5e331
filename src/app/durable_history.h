// DurableHistory: the histories of durable channels in one file, for all shards. Each shard hands its events over
// through a desk of its own, and hears on its own thread when they are on disk. Owner: Server; opened before the shards
// run, stopped after they have ended. Thread: open, restore and stop belong to the main thread, a desk to its shard.
// Bounds: store::EventLog.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/durable_log.h"
#include "store/event_log.h"

namespace kilat::app {

class Shard;

class DurableHistory {
 public:
  /// Error: kDurableFileInvalid with what is wrong and what to do.
  static Result<std::unique_ptr<DurableHistory>> open(const std::filesystem::path& file,
                                                      std::span<const std::unique_ptr<Shard>> shards);
  ~DurableHistory();

  /// Gives each shard the histories of its channels. Before they run.
  Result<void> restore();
  /// Of the events from now on, see hub::HomeHub::set_first_order. After restore().
  uint64_t first_order() const { return first_order_; }

  store::EventLog::Health health() const { return log_->health(); }
  store::EventLog::Figures figures() const { return log_->figures(); }

  /// Commits what is under way. After the shards have ended.
  void stop();

 private:
  class Desk;
  class Restorer;

  explicit DurableHistory(std::span<const std::unique_ptr<Shard>> shards);
  void deliver();

  std::span<const std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Desk>> desks_;
  std::unique_ptr<store::EventLog> log_;
  uint64_t first_order_ = 0;
};

}  // namespace kilat::app
