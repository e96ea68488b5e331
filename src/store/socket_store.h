// SocketStore: records of sockets that clients may come back to after a restart, in a SQLite file of their own, written
// by one thread with group commit. What they say is the business of src/socketio; here a record is a text with a key.
// Owner: the process; opened before the shards start and stopped after they have ended. put(), erase() and health() may
// be called by any thread and wait for no disk. Bounds: Options::waiting_bytes_max for what waits; beyond it all
// records are given up, those on disk too: rather none than old ones. Invariants: of one key the last change counts;
// once on_written(ticket) has come, all changes up to that ticket are on disk, or health() says that they can't be
// written, and they are tried again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "store/durable_file.h"
#include "store/file_health.h"

namespace kilat::store {

struct SocketRow {
  std::string key;
  uint32_t shard = 0;
  std::string record;
};

class SocketStore {
 public:
  struct Options {
    std::filesystem::path file;  ///< its folder must exist
    size_t waiting_bytes_max = 64 * 1024 * 1024;
    uint32_t busy_ms = Database::kBusyMs;
    /// Writer's thread, after each attempt; `shards`: a bit for each that has put something of it. May be null.
    std::function<void(uint64_t ticket, uint64_t shards)> on_written = nullptr;
  };
  using Health = FileHealth::State;

  /// Opens the file, or makes it with mode 0600, counts the run, and starts the writer. The fault says what to do.
  static Outcome<std::unique_ptr<SocketStore>> open(Options options);
  ~SocketStore();
  SocketStore(const SocketStore&) = delete;
  SocketStore& operator=(const SocketStore&) = delete;

  /// How often the file was opened, this time included.
  uint64_t run() const { return run_; }
  /// All that is committed. For the start, before anything is put.
  Outcome<std::vector<SocketRow>> load();

  /// Writes the row, in place of one with its key. The ticket, above all before it; 0: it is tried, but nobody should
  /// wait for it now.
  uint64_t put(SocketRow row);
  void erase(std::string key);

  Health health() const { return health_.state(); }
  uint64_t failures() const { return health_.failures(); }

  /// Takes nothing more, writes what waits (one attempt, if that fails), and closes the file. One thread, not the
  /// writer's; more than once is harmless.
  void stop();

 private:
  struct Change {
    uint32_t shard = 0;
    std::optional<std::string> record;  ///< nothing: the row goes
  };
  using Changes = std::unordered_map<std::string, Change>;
  struct Statements;

  SocketStore(Options options, std::unique_ptr<DurableFile> file);
  Outcome<void> prepare();
  Outcome<void> count_run();
  uint64_t change(std::string key, Change change);
  static size_t bytes_of(const std::string& key, const Change& change);

  // The writer's thread.
  void run_writer();
  bool take();
  Outcome<void> write();
  Outcome<void> attempt();
  void put_back();

  const Options options_;
  std::mutex file_mutex_;  ///< taken before mutex_
  std::unique_ptr<DurableFile> file_;
  std::unique_ptr<Statements> sql_;  ///< after file_, which must outlive them
  uint64_t run_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  Changes changes_;
  size_t bytes_ = 0;   ///< of changes_
  bool wipe_ = false;  ///< all rows go first
  bool stopping_ = false;
  uint64_t last_ticket_ = 0;
  uint64_t shards_ = 0;  ///< that have a ticket since the writer took changes_, also for what was erased again since
  FileHealth health_;
  std::atomic<bool> failing_ = false;

  // The writer's thread only.
  Changes taken_;
  bool taken_wipe_ = false;
  uint64_t taken_ticket_ = 0;
  uint64_t taken_shards_ = 0;
  bool last_round_ = false;

  std::thread thread_;
};

}  // namespace kilat::store
