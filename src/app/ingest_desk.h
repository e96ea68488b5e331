// IngestDesk: publishes the readings of the queue on one shard, job by job for each app, and tells the queue how it
// went. A job is published in windows of kWindow readings; a reading that was refused (the hub is over capacity, a
// durable history cannot be written) or not answered in time is tried again with the rest of its window after a pause,
// until the job has had all its tries. What was answered is not published again while the process lives; on durable
// channels, whose idempotency keys survive, not even when it is started anew. Owner: Ingest; one shard's thread, but
// for the constructor. Bounds: the jobs that IngestLog hands out; kPerTurn readings a turn of the loop, so that
// readers' outboxes are sent in between.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/app_settings.h"
#include "hub/command.h"
#include "hub/ids.h"
#include "hub/publication.h"
#include "store/ingest_log.h"

namespace kilat::app {

class Shard;

class IngestDesk {
 public:
  static constexpr size_t kWindow = 256;
  static constexpr size_t kPerTurn = 512;
  static constexpr uint64_t kPauseMs = 500;  ///< before the second try; doubled each time
  static constexpr uint64_t kPauseMsMax = 30'000;

  IngestDesk(Shard& shard, store::IngestLog& log, std::atomic<uint64_t>& retries);
  ~IngestDesk();
  IngestDesk(const IngestDesk&) = delete;
  IngestDesk& operator=(const IngestDesk&) = delete;

  void take(std::vector<store::IngestJob> jobs);

  /// The requests of desks are told apart from those of the API.
  static bool is_own(hub::RequestId request) { return (request & kOwn) != 0; }
  void on_published(hub::RequestId request, const hub::PublishReply& reply);

 private:
  static constexpr hub::RequestId kOwn = hub::RequestId{1} << 63;
  class Lane;
  /// What durable() was asked last about an app.
  struct Kept {
    std::vector<std::string> rules;
    std::string channel;
    bool durable = false;
  };

  bool durable(const hub::AppSettings& app);
  void pump();
  void pump_later();

  Shard& shard_;
  store::IngestLog& log_;
  std::atomic<uint64_t>& retries_;
  // Before the lanes, which take themselves out of it when they go.
  std::map<hub::RequestId, Lane*> waiting_;                          ///< for answers about a window
  std::map<std::string, std::unique_ptr<Lane>, std::less<>> lanes_;  ///< by app; those that have jobs
  std::map<std::string, Kept, std::less<>> kept_;                    ///< by app
  hub::RequestId last_request_ = kOwn;
  bool pumping_ = false;  ///< a task will
};

}  // namespace kilat::app
