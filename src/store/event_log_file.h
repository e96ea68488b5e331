// EventLogFile: the SQLite file of the event log: its tables, and each step on them as a prepared statement.
// Owner: EventLog; one thread at a time. Lives as long as the log is open. Bounds: those of DurableFile,
// kChannelsCached channels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "store/database.h"
#include "store/durable_file.h"
#include "store/event_log_record.h"

namespace kilat::store {

/// In PRAGMA application_id ("KilE"): an event log is not taken for the database of the apps, nor that for a log.
inline constexpr int64_t kEventLogId = 0x4b696c45;

class EventLogFile {
 public:
  static constexpr size_t kChannelsCached = 65'536;

  /// Opens the file, or makes it with mode 0600; its folder must exist. Checks all of it, so it takes the time of
  /// reading it once. `busy_ms`: how long to wait for a process that is just ending.
  static Outcome<std::unique_ptr<EventLogFile>> open(const std::filesystem::path& file, uint32_t busy_ms);

  ~EventLogFile();
  EventLogFile(const EventLogFile&) = delete;
  EventLogFile& operator=(const EventLogFile&) = delete;

  DurableFile& durable() { return *file_; }
  /// What a transaction that was rolled back has made untrue.
  void on_rollback();

  // --- inside of a transaction

  /// False: out of order (Fate::kOutOfOrder); nothing has changed.
  Outcome<bool> append(const EventRecord& record);
  /// A new, empty history in place of what there was.
  Outcome<void> begin_channel(ChannelView channel, std::string_view epoch);
  /// Forgets the channel with all its records.
  Outcome<void> end_channel(ChannelView channel);
  /// Deletes the oldest records up to and with this offset, at most `rows_max`. Says how many: fewer than `rows_max`
  /// means that none are left.
  Outcome<uint32_t> trim(ChannelView channel, uint64_t up_to_offset, uint32_t rows_max);
  /// Deletes records of histories that were replaced or ended, at most `rows_max`; says how many, as trim() does.
  Outcome<uint32_t> collect(uint32_t rows_max);

  /// All that is committed.
  Outcome<void> load(HistoryVisitor& visitor);

 private:
  struct Known {
    int64_t id = 0;     // 0: there is no such channel
    uint64_t last = 0;  // 0: no record yet
  };
  struct Range {
    uint64_t oldest = 0;
    uint64_t newest = 0;  // 0: no rows
  };

  explicit EventLogFile(std::unique_ptr<DurableFile> file);
  Outcome<void> prepare();
  Outcome<bool> step(Statement& statement) { return file_->step(statement); }
  Outcome<void> run(Statement& statement) { return file_->run(statement); }
  Outcome<Known*> find(ChannelView channel);
  Known& remember(ChannelView channel, Known known);
  Outcome<Range> range(int64_t id);
  Outcome<uint32_t> remove_oldest(int64_t id, uint64_t up_to_offset, uint32_t rows_max);

  std::unique_ptr<DurableFile> file_;
  ChannelTable<Known> known_;
  struct Statements;
  std::unique_ptr<Statements> sql_;  // after file_, which must outlive them
};

}  // namespace kilat::store
