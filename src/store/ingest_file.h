// IngestFile: the SQLite file of durable ingest: jobs that wait or have failed, the idempotency keys that were
// answered, and the table of readings. Each step is a prepared statement.
// Owner: IngestLog; one thread at a time. Bounds: those of DurableFile, kSensorsCached sensors in memory, kKeysMax
// keys. Invariants: a reading has a place of its own (sensor, time, job and index), so storing a job twice stores it
// once; ids of jobs never come back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/durable_file.h"
#include "store/event_log_record.h"
#include "store/ingest_record.h"

namespace kilat::store {

struct IngestStatements;

/// In PRAGMA application_id ("KilI").
inline constexpr int64_t kIngestId = 0x4b696c49;

class IngestFile {
 public:
  static constexpr size_t kSensorsCached = 65'536;
  static constexpr uint64_t kJobBytes = 256;  ///< what a job counts beside its data
  static constexpr uint64_t kKeysMax = 1'000'000;
  static constexpr uint64_t kCheckBytesMax = 256 * 1024 * 1024;

  static Outcome<std::unique_ptr<IngestFile>> open(const std::filesystem::path& file, uint32_t busy_ms);
  ~IngestFile();
  IngestFile(const IngestFile&) = delete;
  IngestFile& operator=(const IngestFile&) = delete;

  DurableFile& durable() { return *file_; }
  /// Tells the jobs of this file from those of another; in their names.
  uint32_t epoch() const { return epoch_; }
  /// What a transaction that was rolled back has made untrue.
  void on_rollback() { sensors_.clear(); }

  // --- inside of a transaction
  Outcome<AcceptedJob> accept(const NewJob& job);
  struct Taken {
    std::vector<IngestJob> jobs;
    uint64_t lost = 0;  ///< jobs whose readings are not in the file any more: they are failed ones now
  };
  /// The jobs of an app that wait behind `position`, the oldest first: at most `jobs_max`, and of `bytes_max` unless
  /// it is one. What is to be stored is stored. `position` becomes that of the last one.
  Outcome<Taken> take(const std::string& app, int64_t& position, size_t jobs_max, uint64_t bytes_max);
  /// The job is done. Says how many bytes it counted; 0: there was none.
  Outcome<uint64_t> remove(int64_t id);
  Outcome<void> fail(int64_t id, uint32_t tries, std::string_view error, uint64_t unix_ms);
  struct Changed {
    uint64_t jobs = 0;
    uint64_t bytes = 0;
  };
  /// Puts a failed job behind all that wait, or all failed jobs of the app when `id` is 0.
  Outcome<Changed> retry(std::string_view app, int64_t id);
  /// Forgets it; the same.
  Outcome<Changed> forget(std::string_view app, int64_t id);
  /// Forgets all jobs of the app, those that wait as well. None of them may be out.
  Outcome<Changed> forget_app(std::string_view app);
  /// Deletes readings of the app from before `before_ms`, of the sensors behind `sensor`: at most `rows_max`. `sensor`
  /// becomes the last that was looked at, or 0 when that was the app's last one.
  Outcome<uint32_t> expire(std::string_view app, uint64_t before_ms, int64_t& sensor, uint32_t rows_max);
  /// Forgets keys from before `before_ms`, and the oldest where there are more than kKeysMax.
  Outcome<uint32_t> forget_keys(uint64_t before_ms, uint32_t rows_max);

  // --- reading
  /// Apps with jobs that wait.
  Outcome<std::vector<std::string>> waiting_apps();
  /// Of every app with jobs, by name.
  Outcome<std::vector<AppQueue>> queues();
  /// All apps together where `app` is empty.
  Outcome<QueueFigures> figures(std::string_view app);
  Outcome<std::vector<FailedJob>> failed(std::string_view app, int64_t after, uint32_t limit);
  /// Sorted by name.
  Outcome<std::vector<SensorRow>> sensors(std::string_view app, const std::optional<std::string>& after,
                                          uint32_t limit);
  /// Shows at most `rows_max` readings. True: there may be more, which a call with the same range shows next.
  Outcome<bool> read(ReadingRange& range, uint32_t rows_max, ReadingVisitor& visitor);

 private:
  explicit IngestFile(std::unique_ptr<DurableFile> file);
  Outcome<void> prepare();
  Outcome<void> load_state();
  Outcome<void> store(int64_t job, std::string_view app, std::string_view data);
  Outcome<int64_t> sensor_id(std::string_view app, std::string_view name, bool make);

  std::unique_ptr<DurableFile> file_;
  uint32_t epoch_ = 0;
  int64_t position_ = 0;  ///< of the last job in the queue
  ChannelTable<int64_t> sensors_;
  std::unique_ptr<IngestStatements> sql_;  // after file_, which must outlive them
};

}  // namespace kilat::store
