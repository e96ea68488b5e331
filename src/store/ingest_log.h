// IngestLog: the durable queue of readings in one SQLite file, written by one thread with group commit: what comes in
// while a commit is on its way to the disk goes into the next one. The thread also stores readings in their table and
// hands jobs out to be published, those of an app in order.
// Owner: the process; opened and started before the shards run, stopped after they have ended. Any thread may call what
// stands under "any thread"; nothing there waits for the disk.
// Bounds: Options::queue_bytes_max for all jobs on disk, failed ones included, and what waits to be written;
// kLaneBytes and kLaneJobs of an app and kOutBytesMax of all are out at once; kQuestionsMax questions and kOrdersMax
// orders wait. Invariants: a job was told as accepted only when it is on disk; its readings are stored in the same
// transaction that says so, thus once; it is handed out at least once, and stays on disk until finished() or failed()
// came back.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "store/file_health.h"
#include "store/ingest_file.h"
#include "store/ingest_record.h"

namespace kilat::store {

class IngestLog {
 public:
  static constexpr uint64_t kLaneBytes = 2 * 1024 * 1024;
  static constexpr size_t kLaneJobs = 64;
  static constexpr uint64_t kOutBytesMax = 64 * 1024 * 1024;
  static constexpr uint64_t kStepBytes = 1024 * 1024;  ///< taken out of the queue in one transaction
  static constexpr size_t kOrdersMax = 10'000;
  static constexpr size_t kQuestionsMax = 1'000;
  /// Nobody waits for what came back: it goes with the next commit, but no later than this, or when so much has
  /// gathered.
  static constexpr uint64_t kLastingMs = 20;
  static constexpr size_t kLastingOrders = 16;
  static constexpr uint32_t kRowsPerSlice = 5'000;  ///< of a question, between two commits
  static constexpr uint64_t kKeyMs = 86'400'000;    ///< how long an idempotency key is known

  /// On the writer's thread; must be quick and must not throw. Every job comes back by finished() or failed().
  using HandOut = std::function<void(std::vector<IngestJob>)>;

  struct Options {
    std::filesystem::path file;  ///< its folder must exist
    uint64_t queue_bytes_max = 256 * 1024 * 1024;
    uint32_t commit_ms_max = 5;  ///< a group ends after this time, and is committed
    uint32_t tidy_ms = 1'000;    ///< between two rounds of deleting
    uint32_t busy_ms = Database::kBusyMs;
  };

  struct Figures {
    uint64_t queue_bytes = 0;  ///< now, failed jobs included
    uint64_t queue_jobs = 0;   ///< now, without failed ones
    uint64_t failed_jobs = 0;  ///< now
    uint64_t accepted = 0;     ///< readings, since the start
    uint64_t stored = 0;       ///< readings, since the start
    uint64_t done = 0;         ///< jobs, since the start
    uint64_t given_up = 0;     ///< jobs, since the start
    uint64_t commits = 0;
    uint64_t failures = 0;  ///< transactions that failed
  };

  enum class Taken : uint8_t { kYes, kFull, kTooLarge, kStopped };

  /// Why an order was not carried out: null when it was.
  using Told = std::move_only_function<void(const Fault*)>;
  using Work = std::move_only_function<Outcome<void>(IngestFile&)>;
  /// False: it has more to do, and is called again. When `fault` is not null the file is closed, and the file null.
  using Question = std::move_only_function<bool(IngestFile*, const Fault*)>;

  /// Opens the file, or makes it with mode 0600.
  static Outcome<std::unique_ptr<IngestLog>> open(Options options);
  ~IngestLog();
  IngestLog(const IngestLog&) = delete;
  IngestLog& operator=(const IngestLog&) = delete;

  /// Starts the writer; what was in the queue is handed out.
  Outcome<void> start(HandOut hand_out);
  /// Takes nothing more, commits what waits (one attempt), and closes the file. One thread; more than once is harmless.
  void stop();

  // --- any thread
  /// `told` hears on the writer's thread what became of it, unless the answer here is a refusal.
  Taken accept(NewJob job, std::move_only_function<void(Outcome<AcceptedJob>)> told);
  /// The job was published. Not lost by a failed commit.
  void finished(const IngestJob& job);
  /// It was not, and won't be tried again. Not lost either.
  void failed(const IngestJob& job, uint32_t tries, std::string error);
  /// Jobs of one app, that came after each other and are all of its that are out where they went, can't be published
  /// now: they are handed out again, in their order, when all that is out of the app has come back and it is served.
  void returned(std::vector<IngestJob> jobs);
  /// Puts failed jobs back into the queue, or forgets them; all of the app's for id 0. Tells how many.
  bool retry(std::string app, int64_t id, std::move_only_function<void(Outcome<uint64_t>)> told);
  bool forget(std::string app, int64_t id, std::move_only_function<void(Outcome<uint64_t>)> told);
  /// Runs on the writer's thread, between commits. False: too many wait, or the log has stopped.
  bool ask(Question question);
  /// The apps whose jobs are handed out; those of others wait. Until the first call: all.
  void serve(std::set<std::string, std::less<>> apps);
  /// How long readings of each app are kept; those of other apps stay.
  void keep(std::map<std::string, uint64_t> keep_ms);

  /// "3f9a51c2-17": names a job, in this file only. 0 for texts that name none.
  std::string name_of(int64_t id) const;
  int64_t parse_name(std::string_view name) const;

  /// Whether more than half of the queue is taken.
  bool filling() const { return queue_bytes_ > options_.queue_bytes_max / 2; }
  FileHealth::State health() const { return health_.state(); }
  Figures figures() const;

 private:
  struct Order {
    Work work;
    Told told;
    uint64_t bytes = 0;    // of the queue, given back when it is not carried out
    bool lasting = false;  // stays until it is carried out
  };
  using Orders = std::list<Order>;
  struct Lane {
    int64_t position = 0;
    uint64_t out_bytes = 0;
    size_t out_jobs = 0;
    bool more = true;
    std::optional<int64_t> back_to = {};  // goes on from there when nothing is out
  };
  using Served = std::shared_ptr<const std::set<std::string, std::less<>>>;
  struct Tidying {
    std::string app;  // whose readings are looked at
    int64_t sensor = 0;
    bool done = true;  // with that app
    uint64_t due_ms = 0;
  };

  IngestLog(Options options, std::unique_ptr<IngestFile> file);
  Outcome<void> load();
  bool push(Order order, bool bounded = true);

  // The writer's thread.
  void run();
  bool take();
  bool due(uint64_t now_ms, uint64_t& until_ms) const;
  bool may_go(std::string_view app, const Lane& lane) const;
  bool lanes_due() const;
  void work();
  bool recover();
  bool commit_group();
  Outcome<void> write_group(Orders::iterator& end, std::vector<IngestJob>& out);
  Outcome<void> advance(std::vector<IngestJob>& out);
  void carried_out(Orders::iterator end, std::vector<IngestJob> out);
  void give_up();
  void came_back(std::string_view app, uint64_t bytes);
  void answer_one();
  void end_questions();
  bool tidy();
  Outcome<bool> expire_some();
  void failed(const Fault& fault);

  const Options options_;
  std::unique_ptr<IngestFile> file_;
  const uint32_t epoch_;
  FileHealth health_;
  HandOut hand_out_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Orders orders_;
  std::deque<Question> questions_;
  std::map<std::string, uint64_t> keep_ms_;
  Served served_;
  size_t unanswered_ = 0;  // questions, also those in asked_
  bool stopping_ = false;
  bool hurry_ = false;       // somebody waits for one of orders_
  uint64_t lasting_ms_ = 0;  // when orders_ are carried out in any case

  // The writer's thread only.
  Served serving_;  // null: all
  Orders taken_;
  std::deque<Question> asked_;
  std::map<std::string, Lane, std::less<>> lanes_;
  std::map<std::string, Lane, std::less<>> advanced_;  // lanes as they are when the transaction is committed
  uint64_t lost_ = 0;                                  // jobs that the transaction under way has found without readings
  uint64_t out_bytes_ = 0;
  Tidying tidying_;
  bool last_round_ = false;

  std::atomic<uint64_t> queue_bytes_ = 0;
  std::atomic<uint64_t> queue_jobs_ = 0;
  std::atomic<uint64_t> failed_jobs_ = 0;
  std::atomic<uint64_t> accepted_ = 0;
  std::atomic<uint64_t> stored_ = 0;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> given_up_ = 0;
  std::atomic<uint64_t> commits_ = 0;

  std::thread thread_;
};

}  // namespace kilat::store
