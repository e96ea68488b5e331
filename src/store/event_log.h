// EventLog: the durable history of channels in one SQLite file, written by one thread with group commit. While a commit
// is on its way to the disk the next group gathers, so the wait for the disk is shared by all who publish. Owner: the
// process; opened before the shards start and stopped after they have ended. append(), begin_channel(), end_channel(),
// trim(), health() and figures() may be called by any thread and wait for no disk; reads of live history never come
// here, since the shards keep it in memory. Bounds: Options::queue_bytes_max for what waits, kTrimsMax channels to
// trim, kTrimRowsMax rows a deletion. A group gathers in one transaction for commit_ms_max. Invariants: a record is
// committed only when the one before it in its channel is (offsets without a gap); a record that was answered as not
// committed is never committed later; begin_channel() and end_channel() are not lost by a failed commit but repeated
// with the next.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "store/event_log_file.h"
#include "store/event_log_record.h"
#include "store/file_health.h"

namespace kilat::store {

class EventLog {
 public:
  static constexpr size_t kTrimsMax = 65'536;
  static constexpr uint32_t kTrimRowsMax = 2'000;
  static constexpr uint64_t kBackoffMsMin = FileHealth::kBackoffMsMin;
  static constexpr uint64_t kBackoffMsMax = FileHealth::kBackoffMsMax;

  struct Options {
    std::filesystem::path file;                   ///< its folder must exist
    size_t queue_bytes_max = 64 * 1024 * 1024;    ///< all that is not answered yet, with sizeof(Op) for each record
    uint32_t commit_ms_max = 5;                   ///< a group ends after this time, and is committed
    uint32_t trim_ms = 1'000;                     ///< at least this long between two rounds of deleting
    uint32_t busy_ms = Database::kBusyMs;         ///< how long to wait for a process that has the file and is ending
    std::function<void()> on_answered = nullptr;  ///< writer's thread, after the completions of each group; may be null
  };

  using Health = FileHealth::State;

  /// Since the log was opened.
  struct Figures {
    uint64_t commits = 0;
    uint64_t records = 0;        ///< committed
    uint64_t bytes = 0;          ///< of the texts of these records
    uint64_t not_committed = 0;  ///< records answered so, out of order or not
    uint64_t failures = 0;       ///< attempts to write that failed
    uint64_t trimmed = 0;        ///< rows deleted
    uint64_t commit_us = 0;      ///< all commits together, from the first record of the group to the end of its sync
    uint64_t queue_bytes = 0;    ///< now
  };

  /// Opens the file, or makes it with mode 0600, and starts the writer. The fault of a file that is damaged, of another
  /// program, not writable or in use says what to do. Takes the time of reading the file once.
  static Outcome<std::unique_ptr<EventLog>> open(Options options);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Gives the visitor all that is committed, channel by channel. For the start, before anything is appended: the
  /// writer waits meanwhile. The visitor must not call the log, but for trim().
  Outcome<void> load(HistoryVisitor& visitor);

  /// False: the queue is full, or the log has stopped or failed for good; then `completion` is not called. The channel
  /// must have been begun, in this process or in one before. Its first record may have any offset.
  bool append(EventRecord record, Completion completion);

  /// Begins a new history of the channel, with this epoch, in place of what there was. False as for append().
  bool begin_channel(ChannelView channel, std::string_view epoch);

  /// Forgets the channel, its epoch and its last offset. False as for append().
  bool end_channel(ChannelView channel);

  /// Asks to delete the records up to and with this offset, which must have been appended; those of many calls are
  /// deleted together, some time later, and the last offset is kept. May be forgotten under pressure or by a stop: a
  /// later call for the channel makes up for it, so whoever loads a history trims it as well.
  void trim(ChannelView channel, uint64_t up_to_offset);

  Health health() const { return health_.state(); }
  Figures figures() const;

  /// Takes nothing more, commits what is queued (one attempt, if that fails), answers it, and closes the file. One
  /// thread, not the writer's; more than once is harmless.
  void stop();

 private:
  struct Op {
    enum class Kind : uint8_t { kAppend, kBegin, kEnd };
    Kind kind = Kind::kAppend;
    Fate fate = Fate::kCommitted;
    EventRecord record;  // of kBegin and kEnd: only app and channel
    std::string epoch;
    Completion completion;
    size_t bytes = 0;  // what it holds of the queue
  };
  struct Trim {
    bool anew = false;  // the channel was begun or ended after earlier trims, which must not touch its new records
    uint64_t up_to_offset = 0;
  };
  using Ops = std::list<Op>;  // a node is made outside of the lock and spliced in

  EventLog(Options options, std::unique_ptr<EventLogFile> file);
  Outcome<void> start();
  bool enqueue(Ops op, bool anew);
  bool restart(Op::Kind kind, ChannelView channel, std::string_view epoch);

  // The writer's thread (event_log_writer.cc).
  void run();
  bool take();
  void wait(std::unique_lock<std::mutex>& lock);
  void merge_trims(const ChannelTable<Trim>& trims);
  void work();
  bool recover();
  bool commit_group();
  Outcome<void> write_group(Ops::iterator& end);
  Outcome<void> apply(Op& op);
  void answer(Ops::iterator end);
  void give_up();
  bool tidy();
  Outcome<void> delete_rows();
  void failed(const Fault& fault);

  const Options options_;

  std::mutex file_mutex_;  // taken before mutex_
  std::unique_ptr<EventLogFile> file_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Ops queue_;
  ChannelTable<Trim> trims_;
  bool stopping_ = false;
  FileHealth health_;

  // The writer's thread only.
  Ops taken_;                     // not answered; begins and ends of a failed group stay at its front
  ChannelTable<Trim> due_trims_;  // taken out of trims_
  bool garbage_ = true;           // there may be rows of replaced histories; a process before may have left some
  bool last_round_ = false;
  uint64_t tidy_at_ms_ = 0;

  std::atomic<size_t> queue_bytes_ = 0;
  std::atomic<uint64_t> commits_ = 0;
  std::atomic<uint64_t> records_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint64_t> not_committed_ = 0;
  std::atomic<uint64_t> trimmed_ = 0;
  std::atomic<uint64_t> commit_us_ = 0;

  std::thread thread_;
};

}  // namespace kilat::store
