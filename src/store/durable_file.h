// DurableFile: a SQLite file that one thread of this process writes with group commit: how it is opened, and how it is
// kept whole. What is in it is the business of EventLogFile and IngestFile.
// Owner: one of these; one thread at a time. Lives as long as the file is open, and so long no other process can use
// it. WAL with synchronous = FULL: a transaction that was committed survives a loss of power, because the WAL is synced
// before the commit returns (sqlite.org/pragma.html#pragma_synchronous). Bounds: Options::cache_kib of pages; the WAL
// is emptied every kCheckpointPages pages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/database.h"
#include "store/fault.h"

namespace kilat::store {

class DurableFile {
 public:
  static constexpr int kCheckpointPages = 2'000;

  struct Options {
    std::filesystem::path file;  ///< its folder must exist
    uint32_t busy_ms = Database::kBusyMs;
    std::span<const char* const> steps;  ///< what migrate() is given
    int64_t application_id = 0;
    int cache_kib = 16 * 1024;
    uint64_t check_bytes_max = UINT64_MAX;  ///< a larger file is not read as a whole to see that it is sound
    std::string_view begins_anew;           ///< "all history": what begins anew when the file is moved away
  };

  /// Opens the file, or makes it with mode 0600. The fault says what to do.
  static Outcome<std::unique_ptr<DurableFile>> open(const Options& options);

  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  Outcome<Statement> prepare(std::string_view sql) { return database_.prepare(sql); }
  Outcome<Transaction> begin() { return Transaction::begin(database_); }
  /// A step of one of its statements; notes when SQLite finds the file damaged.
  Outcome<bool> step(Statement& statement);
  /// The same for a statement that gives no rows, which is then ready to run again.
  Outcome<void> run(Statement& statement);
  int64_t last_rowid() const;
  int changes() const { return database_.changes(); }

  /// Moves the WAL into the database when it has grown to kCheckpointPages.
  Outcome<void> checkpoint_if_due();
  /// After a commit that failed: empties the WAL, so that no frame of that commit can be found in it after a crash.
  Outcome<void> heal();
  /// Whether a commit succeeds: makes one that changes nothing.
  Outcome<void> probe();
  /// Whether SQLite has found the file damaged; then no later commit can be trusted.
  bool damaged() const { return damaged_; }
  /// It was found in another way than by step(): when a transaction began or was committed.
  void note_damage() { damaged_ = true; }

 private:
  DurableFile(Database database, size_t steps);
  Outcome<void> prepare_own();

  Database database_;
  size_t steps_;
  int wal_pages_ = 0;
  bool damaged_ = false;
  struct Statements;
  struct Delete {
    void operator()(Statements* statements) const;
  };
  std::unique_ptr<Statements, Delete> sql_;  // after database_, which must outlive them
};

}  // namespace kilat::store
