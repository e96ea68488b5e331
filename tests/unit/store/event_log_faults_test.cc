// The file of the event log cannot be written, or is not what it should be.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/app_store.h"
#include "unit/store/event_log_scene.h"
#include "unit/store/file_size_limit.h"

namespace kilat::store {
namespace {

using EventLogFaults = EventLogScene;

// Appends from `next` until one fails; returns the offset that failed.
uint64_t fill(EventLog& log, const std::string& channel, uint64_t next,
              EventRecord (*make)(const std::string&, uint64_t)) {
  for (; next < 10'000; ++next) {
    Fates fates;
    EXPECT_TRUE(log.append(make(channel, next), fates.completion(next)));
    EXPECT_EQ(fates.wait(1).size(), 1U);
    if (fates.last() == Fate::kNotCommitted) break;
  }
  return next;
}

EventRecord large(const std::string& channel, uint64_t offset) {
  EventRecord out;
  out.app = "shop";
  out.channel = channel;
  out.offset = offset;
  out.data = std::string(8'000, 'x');
  return out;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(EventLogFaults, FullDisk_IsToldAndSeenInHealth_AndLeavesNothingOfTheGroup) {
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  put_range(*log, "a", 1, 20);
  FileSizeLimit limit(0);
  EXPECT_EQ(put(*log, large("a", 21)), Fate::kNotCommitted);
  EXPECT_TRUE(eventually([&] { return !log->health().healthy; }));
  EventLog::Health health = log->health();
  EXPECT_FALSE(health.for_good);
  EXPECT_GT(health.failing_since_ms, 1'700'000'000'000U);
  EXPECT_FALSE(health.error.empty());
  EXPECT_GE(log->figures().failures, 1U);
  EXPECT_EQ(log->figures().not_committed, 1U);

  // What a crash of this moment would leave.
  const std::string database = bytes_of(file("events.db"));
  const std::string wal = bytes_of(file("events.db-wal"));
  limit.lift();
  std::filesystem::create_directory(file("crash"));
  auto copy = options();
  copy.file = file("crash") / "events.db";
  write(copy.file, database);
  write(file("crash") / "events.db-wal", wal);
  EXPECT_EQ(contents(*good(EventLog::open(copy))).channels.at("shop/a").offsets(), offsets(1, 20));

  // It recovers by itself, without a record to try with.
  EXPECT_TRUE(eventually([&] { return log->health().healthy; }));
  health = log->health();
  EXPECT_EQ(health.failing_since_ms, 0U);
  EXPECT_FALSE(health.error.empty());
  EXPECT_EQ(put(*log, large("a", 22)), Fate::kOutOfOrder);
  EXPECT_EQ(put(*log, large("a", 21)), Fate::kCommitted);
  EXPECT_EQ(contents(*log).channels.at("shop/a").offsets(), offsets(1, 21));
}

TEST_F(EventLogFaults, DiskThatFillsUpInTheMiddleOfAWrite_LosesOnlyWhatItSaysItHasLost) {
  uint64_t failed = 0;
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    FileSizeLimit limit(300'000);
    failed = fill(*log, "a", 1, large);
    ASSERT_GT(failed, 1U);
    ASSERT_LT(failed, 100U);
    limit.lift();
    EXPECT_EQ(put(*log, large("a", failed)), Fate::kCommitted);
  }
  EXPECT_EQ(reopened().channels.at("shop/a").offsets(), offsets(1, failed));
}

TEST_F(EventLogFaults, RecordsBehindAFailedOne_AreAnsweredInOrder_AndBeginningsAreMadeUpFor) {
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  put_range(*log, "a", 1, 2);
  FileSizeLimit limit(0);
  Fates fates;
  Gate gate;
  EXPECT_TRUE(log->begin_channel({"shop", "b"}, "new"));
  EXPECT_TRUE(log->append(record("b", 1), gate.completion()));
  gate.await_writer();
  EXPECT_TRUE(log->append(record("b", 2), fates.completion(2)));
  EXPECT_TRUE(log->append(record("b", 3), fates.completion(3)));
  gate.open();
  const std::vector<std::pair<uint64_t, Fate>> told = fates.wait(2);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0], std::pair(uint64_t{2}, Fate::kNotCommitted));
  EXPECT_EQ(told[1], std::pair(uint64_t{3}, Fate::kNotCommitted));

  limit.lift();
  EXPECT_EQ(put(*log, record("b", 1)), Fate::kCommitted);
  EXPECT_TRUE(log->health().healthy);
  const Contents all = contents(*log);
  EXPECT_EQ(all.channels.at("shop/b").epoch, "new");
  EXPECT_EQ(all.channels.at("shop/b").offsets(), offsets(1, 1));
  EXPECT_EQ(all.channels.at("shop/a").offsets(), offsets(1, 2));
}

TEST_F(EventLogFaults, StopWhileTheDiskIsFull_EndsAndAnswersEverything) {
  Fates fates;
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  put_range(*log, "a", 1, 2);
  {
    const FileSizeLimit limit(0);
    for (uint64_t i = 0; i < 50; ++i) EXPECT_TRUE(log->append(record("a", 3 + i), fates.completion(i)));
    log->stop();
  }
  const auto told = fates.wait(50);
  ASSERT_EQ(told.size(), 50U);
  for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], std::pair(uint64_t{i}, Fate::kNotCommitted));
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  EXPECT_EQ(reopened().channels.at("shop/a").offsets(), offsets(1, 2));
}

TEST_F(EventLogFaults, FileThatMayNotBeWritten_IsAFaultAtTheStart) {
  open().reset();
  ::chmod(file("events.db").c_str(), 0400);
  const uid_t nobody = 65'534;
  const bool root = ::geteuid() == 0;
  if (root) {  // root may write everything
    ASSERT_EQ(::chown(directory_.c_str(), nobody, nobody), 0);
    ASSERT_EQ(::chown(file("events.db").c_str(), nobody, nobody), 0);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    if (root && ::setuid(nobody) != 0) ::_exit(3);
    const auto log = EventLog::open(options());
    if (log) ::_exit(1);
    ::_exit(log.error().why.find("must be writable") != std::string::npos && log.error().remedies.size() == 3 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(EventLogFaults, FileInUse_IsRefused_AndFreeAfterTheStop) {
  const auto log = open();
  const auto other = EventLog::open(options());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().why, "another process is writing to it");
  log->stop();
  EXPECT_TRUE(EventLog::open(options()));
}

TEST_F(EventLogFaults, MissingFolder_IsAFault) {
  auto settings = options();
  settings.file = file("no/such/events.db");
  const auto log = EventLog::open(settings);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().why, "No such file or directory");
}

TEST_F(EventLogFaults, FileThatIsNoDatabase_IsRefusedAndLeftAlone) {
  write(file("events.db"), std::string(8'192, 'x'));
  const auto log = EventLog::open(options());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().why, "it is not a SQLite database, or damaged");
  EXPECT_EQ(std::filesystem::file_size(file("events.db")), 8'192U);
}

TEST_F(EventLogFaults, DatabaseOfTheApps_IsNoLog_NorTheOtherWayRound) {
  good(AppStore::open_or_create(file("apps.db")));
  auto settings = options();
  settings.file = file("apps.db");
  const auto log = EventLog::open(settings);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().why, "it is the database of another program");
  open().reset();
  const auto apps = AppStore::open(file("events.db"));
  ASSERT_FALSE(apps);
  EXPECT_EQ(apps.error().why, "it is the database of another program");
}

void overwrite(const std::filesystem::path& path, size_t from) {
  const size_t size = std::filesystem::file_size(path);
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(from));
  bytes << std::string(size - from, '\xff');
}

TEST_F(EventLogFaults, DamagedFile_SaysSoAtTheStart) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    put_range(*log, "a", 1, 200);
  }
  overwrite(file("events.db"), 4'096);
  const auto log = EventLog::open(options());
  ASSERT_FALSE(log);
  EXPECT_TRUE(log.error().why.starts_with("the file is damaged (")) << log.error().why;
  EXPECT_EQ(log.error().remedies.size(), 3U);
}

TEST_F(EventLogFaults, DamageFoundWhileWriting_EndsTheLogForGood) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    // More than SQLite keeps in memory, so that it reads the file again later.
    for (uint64_t offset = 1; offset <= 24; ++offset) {
      EXPECT_EQ(put(*log, record("a", offset, std::string(1'000'000, 'x'))), Fate::kCommitted);
    }
  }
  const auto log = open();
  EXPECT_TRUE(eventually([&] { return log->figures().commits == 0; }));
  overwrite(file("events.db"), 4'096);
  EXPECT_TRUE(log->begin_channel({"shop", "b"}, "e"));
  EXPECT_EQ(put(*log, record("a", 25)), Fate::kNotCommitted);
  EXPECT_TRUE(eventually([&] { return log->health().for_good; }));
  EXPECT_FALSE(log->health().healthy);
  EXPECT_FALSE(log->append(record("a", 25), {}));
  log->trim({"shop", "a"}, 5);
  log->stop();
  EXPECT_EQ(log->figures().queue_bytes, 0U);
}

}  // namespace
}  // namespace kilat::store
