// Ingest: readings that backends hand over (docs/ingest.md), for all shards: one file with a queue and a table of
// readings, a door for each shard where requests come in, and a desk for each shard that publishes what is in the
// queue. Owner: Server; opened before the shards run, stopped after they have ended. Thread: open, start, apply and
// stop belong to the main thread (apply to Ops as well), door and desk to their shard. Bounds: store::IngestLog,
// IngestDesk.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/ingest_desk.h"
#include "app/ingest_door.h"
#include "app/ingest_figures.h"
#include "base/result.h"
#include "hub/app_settings.h"
#include "store/ingest_log.h"

namespace kilat::app {

class Shard;

class Ingest {
 public:
  /// Error: kDurableFileInvalid with what is wrong and what to do.
  static Result<std::unique_ptr<Ingest>> open(const std::filesystem::path& file, uint64_t queue_bytes_max,
                                              std::span<const std::unique_ptr<Shard>> shards);
  ~Ingest();

  /// What was in the queue is published when the shards run.
  Result<void> start();
  /// Whose jobs are published, and how long the readings of each app are kept. Says in the log of which other apps
  /// there are jobs.
  void apply(const std::vector<hub::AppSettings>& apps);
  /// After the shards have ended.
  void stop() { log_->stop(); }

  IngestDoor& door(uint32_t shard) { return *doors_[shard]; }
  store::FileHealth::State health() const { return log_->health(); }
  IngestFigures figures() const;

 private:
  Ingest(std::unique_ptr<store::IngestLog> log, std::span<const std::unique_ptr<Shard>> shards);
  void hand_out(std::vector<store::IngestJob> jobs);
  size_t desk_of(std::string_view app) const;
  void look_for_unserved(std::set<std::string, std::less<>> served);

  std::unique_ptr<store::IngestLog> log_;
  std::span<const std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<IngestDoor>> doors_;
  std::vector<std::unique_ptr<IngestDesk>> desks_;
  std::atomic<uint64_t> retries_{0};
  std::atomic<uint64_t> unserved_jobs_{0};
};

}  // namespace kilat::app
