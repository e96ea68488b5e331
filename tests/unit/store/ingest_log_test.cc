// The durable queue of readings: what is accepted is stored once and handed out until it comes back.
#include "store/ingest_log.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>

#include "base/clock.h"
#include "base/result.h"
#include "unit/store/file_size_limit.h"
#include "unit/store/scratch.h"

namespace kilat::store {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);

std::string batch_of(std::string_view sensor, std::initializer_list<uint64_t> times, uint32_t* count = nullptr) {
  ReadingBatch batch;
  for (const uint64_t time : times) {
    const std::string value = std::to_string(time) + ".50";
    const std::string data = R"({"value":)" + value + "}";
    batch.append({.unix_ms = time, .sensor = sensor, .value = value, .data = data});
  }
  if (count != nullptr) *count = batch.count();
  return batch.take();
}

NewJob job_of(std::string app, std::string_view sensor, std::initializer_list<uint64_t> times) {
  NewJob job{.app = std::move(app), .key = {}, .data = {}, .readings = 0, .store = true, .unix_ms = unix_ms()};
  job.data = batch_of(sensor, times, &job.readings);
  return job;
}

/// Whoever gets the jobs; keeps them until they are asked for.
class Publisher {
 public:
  IngestLog::HandOut hand_out() {
    return [this](std::vector<IngestJob> jobs) {
      const std::lock_guard lock(mutex_);
      for (IngestJob& job : jobs) jobs_.push_back(std::move(job));
      changed_.notify_all();
    };
  }
  /// The first `count` jobs that ever came, or fewer after some minutes.
  std::vector<IngestJob> wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return jobs_.size() >= count; });
    return jobs_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<IngestJob> jobs_;
};

class IngestLogTest : public Scratch {
 protected:
  std::unique_ptr<IngestLog> open(Publisher& publisher, uint64_t queue_bytes_max = 1 << 20) {
    auto log = good(IngestLog::open({.file = file("ingest.db"), .queue_bytes_max = queue_bytes_max, .tidy_ms = 10}));
    good(log->start(publisher.hand_out()));
    return log;
  }

  static Outcome<AcceptedJob> accept(IngestLog& log, NewJob job) {
    auto done = std::make_shared<std::promise<Outcome<AcceptedJob>>>();
    const auto taken =
        log.accept(std::move(job), [done](Outcome<AcceptedJob> outcome) { done->set_value(std::move(outcome)); });
    if (taken != IngestLog::Taken::kYes) return std::unexpected(Fault{"not taken", {}});
    return done->get_future().get();
  }

  template <typename T>
  static T ask(IngestLog& log, std::function<Outcome<T>(IngestFile&)> look) {
    auto done = std::make_shared<std::promise<Outcome<T>>>();
    EXPECT_TRUE(log.ask([done, look](IngestFile* file, const Fault* fault) {
      done->set_value(file != nullptr ? look(*file) : Outcome<T>(std::unexpected(*fault)));
      return true;
    }));
    return good(done->get_future().get());
  }

  static QueueFigures figures(IngestLog& log, const std::string& app) {
    return ask<QueueFigures>(log, [app](IngestFile& file) { return file.figures(app); });
  }

  struct Shown final : ReadingVisitor {
    std::vector<std::pair<uint64_t, std::string>> all;
    bool on_reading(const Reading& reading, ReadingRange::Place) override {
      all.emplace_back(reading.unix_ms, std::string(reading.value));
      return true;
    }
  };

  static std::vector<std::pair<uint64_t, std::string>> readings(IngestLog& log, ReadingRange range,
                                                                uint32_t rows_max = 2) {
    return ask<std::vector<std::pair<uint64_t, std::string>>>(
        log, [range, rows_max](IngestFile& file) mutable -> Outcome<std::vector<std::pair<uint64_t, std::string>>> {
          Shown shown;
          for (;;) {
            TRY(const bool more, file.read(range, rows_max, shown));
            if (!more) return shown.all;
          }
        });
  }
};

TEST_F(IngestLogTest, JobsOfAnAppThatIsNotServed_WaitUntilItIs) {
  Publisher publisher;
  auto log = good(IngestLog::open({.file = file("ingest.db"), .queue_bytes_max = 1 << 20, .tidy_ms = 10}));
  log->serve({"here"});
  good(log->start(publisher.hand_out()));
  for (const uint64_t time : {1, 2}) good(accept(*log, job_of("gone", "temp", {time})));
  good(accept(*log, job_of("here", "temp", {3})));
  EXPECT_EQ(publisher.wait(1).front().app, "here");
  const auto queues = ask<std::vector<AppQueue>>(*log, [](IngestFile& in) { return in.queues(); });
  ASSERT_EQ(queues.size(), 2U);
  EXPECT_EQ(queues[0].app, "gone");
  EXPECT_EQ(queues[0].jobs, 2U);
  EXPECT_EQ(queues[0].failed_jobs, 0U);
  EXPECT_EQ(readings(*log, {.app = "gone", .sensor = "temp"}).size(), 0U);  // nor are they stored
  log->serve({"gone", "here"});
  const std::vector<IngestJob> jobs = publisher.wait(3);
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_LT(jobs[1].position, jobs[2].position);
  for (const IngestJob& job : jobs) log->finished(job);
  EXPECT_TRUE(eventually([&] { return log->figures().queue_bytes == 0; }));
}

TEST_F(IngestLogTest, JobsThatCameBack_AreHandedOutAgainInTheirOrder_WhenNoneIsOut) {
  Publisher publisher;
  const auto log = open(publisher);
  for (const uint64_t time : {1, 2, 3, 4}) good(accept(*log, job_of("plant", "temp", {time})));
  const std::vector<IngestJob> jobs = publisher.wait(4);
  ASSERT_EQ(jobs.size(), 4U);
  log->finished(jobs[0]);
  log->returned({jobs[1], jobs[2]});
  // One that was still on its way.
  EXPECT_TRUE(eventually([&] { return log->figures().done == 1; }));
  EXPECT_EQ(publisher.wait(4).size(), 4U);
  log->returned({jobs[3]});
  const std::vector<IngestJob> all = publisher.wait(7);
  ASSERT_EQ(all.size(), 7U);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(all[i + 3].id, jobs[i].id);
    EXPECT_EQ(all[i + 3].data, jobs[i].data);
    log->finished(all[i + 3]);
  }
  EXPECT_TRUE(eventually([&] { return log->figures().done == 4; }));
  EXPECT_EQ(log->figures().queue_jobs, 0U);
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "temp"}).size(), 4U);
}

TEST_F(IngestLogTest, ForgettingAnApp_TakesItsJobsOutOfTheFile_AndNoOthers) {
  Publisher publisher;
  {
    const auto log = open(publisher);
    for (const std::string_view app : {"a", "a", "b"}) good(accept(*log, job_of(std::string(app), "temp", {1})));
    log->failed(publisher.wait(3).front(), 3, "no");
    EXPECT_TRUE(eventually([&] { return log->figures().failed_jobs == 1; }));
    log->stop();
  }
  const auto opened = good(IngestFile::open(file("ingest.db"), 1'000));
  {
    Transaction transaction = good(opened->durable().begin());
    EXPECT_EQ(good(opened->forget_app("a")).jobs, 2U);
    good(transaction.commit());
  }
  const std::vector<AppQueue> left = good(opened->queues());
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].app, "b");
}

TEST_F(IngestLogTest, Job_ThatIsAccepted_IsStoredHandedOutAndGoneWhenItIsFinished) {
  Publisher publisher;
  const auto log = open(publisher);
  const AcceptedJob accepted = good(accept(*log, job_of("plant", "temp", {1'000, 2'000, 3'000})));
  EXPECT_EQ(accepted.readings, 3U);
  EXPECT_FALSE(accepted.repeated);
  const std::vector<IngestJob> jobs = publisher.wait(1);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].id, accepted.id);
  EXPECT_EQ(jobs[0].app, "plant");
  EXPECT_EQ(jobs[0].data, batch_of("temp", {1'000, 2'000, 3'000}));
  EXPECT_EQ(figures(*log, "plant").jobs, 1U);
  EXPECT_GT(log->figures().queue_bytes, jobs[0].data.size());
  log->finished(jobs[0]);
  EXPECT_TRUE(eventually([&] { return log->figures().done == 1; }));
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  EXPECT_EQ(log->figures().stored, 3U);
  EXPECT_EQ(figures(*log, "plant").jobs, 0U);
  const auto rows = readings(*log, {.app = "plant", .sensor = "temp"});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1], (std::pair<uint64_t, std::string>(2'000, "2000.50")));
}

TEST_F(IngestLogTest, JobsOfAnApp_ManyOfThem_AreHandedOutInTheirOrder) {
  Publisher publisher;
  const auto log = open(publisher);
  constexpr size_t kJobs = 3 * IngestLog::kLaneJobs;
  for (uint64_t i = 1; i <= kJobs; ++i) {
    good(accept(*log, job_of(i % 3 == 0 ? "other" : "plant", "s", {i})));
  }
  size_t done = 0;
  std::map<std::string, int64_t> last;
  while (done < kJobs) {
    const std::vector<IngestJob> jobs = publisher.wait(done + 1);
    ASSERT_GT(jobs.size(), done) << "no more jobs were handed out";
    for (; done < jobs.size(); ++done) {
      EXPECT_GT(jobs[done].id, last[jobs[done].app]);
      last[jobs[done].app] = jobs[done].id;
      log->finished(jobs[done]);
    }
  }
  EXPECT_TRUE(eventually([&] { return log->figures().queue_jobs == 0; }));
}

TEST_F(IngestLogTest, Lane_OfAnAppThatDoesNotFinish_HoldsOthersNotUp) {
  Publisher publisher;
  const auto log = open(publisher);
  for (uint64_t i = 0; i < IngestLog::kLaneJobs + 5; ++i) good(accept(*log, job_of("stuck", "s", {i})));
  ASSERT_EQ(publisher.wait(IngestLog::kLaneJobs).size(), IngestLog::kLaneJobs);
  good(accept(*log, job_of("other", "s", {1})));
  const auto jobs = publisher.wait(IngestLog::kLaneJobs + 1);
  EXPECT_EQ(jobs.back().app, "other");
}

TEST_F(IngestLogTest, Key_ThatWasAnswered_GetsTheSameAnswerAlsoAfterARestart) {
  Publisher publisher;
  auto log = open(publisher);
  const auto keyed = [](std::string app) {
    NewJob job = job_of(std::move(app), "s", {1, 2});
    job.key = "once";
    return job;
  };
  const AcceptedJob first = good(accept(*log, keyed("plant")));
  const AcceptedJob again = good(accept(*log, keyed("plant")));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.readings, 2U);
  EXPECT_FALSE(good(accept(*log, keyed("other"))).repeated);
  log->stop();
  log = open(publisher);
  EXPECT_EQ(good(accept(*log, keyed("plant"))).id, first.id);
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "s"}).size(), 2U);
}

TEST_F(IngestLogTest, Restart_WithJobsUnderWay_HandsThemOutAgainAndStoresThemOnce) {
  int64_t id = 0;
  {
    Publisher publisher;
    const auto log = open(publisher);
    id = good(accept(*log, job_of("plant", "s", {1, 2}))).id;
    ASSERT_EQ(publisher.wait(1).size(), 1U);
  }
  Publisher publisher;
  const auto log = open(publisher);
  EXPECT_EQ(log->figures().queue_jobs, 1U);
  const auto jobs = publisher.wait(1);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].id, id);
  EXPECT_FALSE(jobs[0].stored);
  log->finished(jobs[0]);
  EXPECT_TRUE(eventually([&] { return log->figures().done == 1; }));
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "s"}).size(), 2U);
}

TEST_F(IngestLogTest, FailedJob_StaysUntilItIsTriedAgainOrForgotten) {
  Publisher publisher;
  const auto log = open(publisher);
  for (uint64_t i = 1; i <= 3; ++i) good(accept(*log, job_of("plant", "s", {i})));
  const auto jobs = publisher.wait(3);
  for (const IngestJob& job : jobs) log->failed(job, 3, "over capacity");
  EXPECT_TRUE(eventually([&] { return log->figures().failed_jobs == 3; }));
  EXPECT_EQ(log->figures().queue_jobs, 0U);
  const auto list = ask<std::vector<FailedJob>>(*log, [](IngestFile& file) { return file.failed("plant", 0, 10); });
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].id, jobs[0].id);
  EXPECT_EQ(list[0].tries, 3U);
  EXPECT_EQ(list[0].error, "over capacity");
  const auto count = [&](bool retry, const std::string& app, int64_t id) {
    std::promise<uint64_t> done;
    const auto told = [&done](Outcome<uint64_t> jobs_changed) { done.set_value(good(std::move(jobs_changed))); };
    EXPECT_TRUE(retry ? log->retry(app, id, told) : log->forget(app, id, told));
    return done.get_future().get();
  };
  EXPECT_EQ(count(true, "other", jobs[0].id), 0U);
  EXPECT_EQ(count(true, "plant", jobs[1].id), 1U);
  EXPECT_EQ(publisher.wait(4).back().id, jobs[1].id);
  EXPECT_EQ(count(false, "plant", jobs[0].id), 1U);
  EXPECT_EQ(count(true, "plant", 0), 1U);
  const auto again = publisher.wait(5);
  EXPECT_EQ(again.back().id, jobs[2].id);
  log->finished(again[3]);
  log->finished(again[4]);
  EXPECT_TRUE(eventually([&] { return log->figures().done == 2; }));
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  EXPECT_EQ(log->figures().failed_jobs, 0U);
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "s"}).size(), 3U) << "what is forgotten stays stored";
}

TEST_F(IngestLogTest, Queue_ThatIsFull_TakesNothingUntilThereIsRoom) {
  Publisher publisher;
  const uint64_t room = batch_of("s", {1}).size() + IngestFile::kJobBytes;
  const auto log = open(publisher, 2 * room);
  const auto nobody = [](const Outcome<AcceptedJob>&) {};
  good(accept(*log, job_of("plant", "s", {1})));
  good(accept(*log, job_of("plant", "s", {2})));
  EXPECT_EQ(log->accept(job_of("plant", "s", {3}), nobody), IngestLog::Taken::kFull);
  EXPECT_EQ(log->accept(job_of("plant", "s", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}), nobody),
            IngestLog::Taken::kTooLarge);
  log->finished(publisher.wait(1)[0]);
  EXPECT_TRUE(eventually([&] { return log->figures().queue_bytes == room; }));
  EXPECT_EQ(log->accept(job_of("plant", "s", {3}), nobody), IngestLog::Taken::kYes);
}

TEST_F(IngestLogTest, Range_ReadInSlices_ShowsEachReadingOnceInBothDirections) {
  Publisher publisher;
  const auto log = open(publisher);
  good(accept(*log, job_of("plant", "s", {5, 3, 3, 1, 9})));
  good(accept(*log, job_of("plant", "s", {3, 7})));
  good(accept(*log, job_of("plant", "other", {4})));
  publisher.wait(3);
  const auto times = [&](ReadingRange range) {
    std::vector<uint64_t> out;
    for (const auto& [time, value] : readings(*log, std::move(range))) out.push_back(time);
    return out;
  };
  using Times = std::vector<uint64_t>;
  EXPECT_EQ(times({.app = "plant", .sensor = "s"}), (Times{1, 3, 3, 3, 5, 7, 9}));
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .backwards = true}), (Times{9, 7, 5, 3, 3, 3, 1}));
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .from_ms = 3, .to_ms = 7}), (Times{3, 3, 3, 5}));
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .from_ms = 3, .to_ms = 7, .backwards = true}), (Times{5, 3, 3, 3}));
  // A place outside of the range does not widen it.
  using Place = ReadingRange::Place;
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .from_ms = 3, .to_ms = 7, .after = Place{1, 0}}),
            (Times{3, 3, 3, 5}));
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .from_ms = 3, .to_ms = 7, .backwards = true, .after = Place{9, 0}}),
            (Times{5, 3, 3, 3}));
  EXPECT_EQ(times({.app = "plant", .sensor = "s", .from_ms = 3, .to_ms = 7, .after = Place{4, 0}}), (Times{5}));
  EXPECT_EQ(times({.app = "plant", .sensor = "nobody"}), Times());
  EXPECT_EQ(times({.app = "nobody", .sensor = "s"}), Times());
}

TEST_F(IngestLogTest, Readings_OlderThanTheyAreKept_GoAndTheirSensorWithThem) {
  Publisher publisher;
  const auto log = open(publisher, 64 << 20);
  const uint64_t now = unix_ms();
  ReadingBatch old;
  for (uint64_t i = 0; i < 5'000; ++i) {
    old.append({.unix_ms = now - 10'000'000 + i, .sensor = "old", .value = "1", .data = "{}"});
  }
  const uint32_t count = old.count();
  good(accept(*log, {.app = "plant", .key = {}, .data = old.take(), .readings = count, .store = true, .unix_ms = now}));
  good(accept(*log, job_of("plant", "new", {now})));
  good(accept(*log, job_of("unkept", "old", {1})));
  publisher.wait(3);
  log->keep({{"another", 1}, {"plant", 3'600'000}});
  const auto sensors = [&](const std::string& app) {
    return ask<std::vector<SensorRow>>(*log, [app](IngestFile& file) { return file.sensors(app, std::nullopt, 10); });
  };
  EXPECT_TRUE(eventually([&] { return sensors("plant").size() == 1; }));
  EXPECT_EQ(sensors("plant")[0].name, "new");
  EXPECT_EQ(sensors("plant")[0].last_ms, now);
  EXPECT_EQ(sensors("unkept").size(), 1U);
  // The id of the sensor that went is not taken for its next readings.
  good(accept(*log, job_of("plant", "old", {now})));
  EXPECT_TRUE(eventually([&] { return sensors("plant").size() == 2; }));
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "old"}).size(), 1U);
}

TEST_F(IngestLogTest, Sensor_WhoseLastReadingsGoWithTheLastRowOfASlice_GoesToo) {
  const auto ingest = good(IngestFile::open(file("ingest.db"), 0));
  auto transaction = good(ingest->durable().begin());
  good(ingest->accept(job_of("plant", "s", {1, 2, 3})));
  int64_t position = 0;
  EXPECT_EQ(good(ingest->take("plant", position, 1, 1)).jobs.size(), 1U);
  EXPECT_EQ(good(ingest->sensors("plant", std::nullopt, 10)).size(), 1U);
  int64_t sensor = 0;
  EXPECT_EQ(good(ingest->expire("plant", 10, sensor, 2)), 2U);
  EXPECT_EQ(good(ingest->sensors("plant", std::nullopt, 10)).size(), 1U) << "it has a reading still";
  EXPECT_EQ(good(ingest->expire("plant", 10, sensor, 1)), 1U);
  EXPECT_TRUE(good(ingest->sensors("plant", std::nullopt, 10)).empty());
  good(transaction.commit());
}

TEST_F(IngestLogTest, ReadingThatRanOutOfMemory_LeavesNothingToTheNext) {
  const auto ingest = good(IngestFile::open(file("ingest.db"), 0));
  auto transaction = good(ingest->durable().begin());
  good(ingest->accept(job_of("plant", "s", {1, 2, 3})));
  good(ingest->accept(job_of("plant", "other", {7})));
  int64_t position = 0;
  EXPECT_EQ(good(ingest->take("plant", position, 10, 1 << 20)).jobs.size(), 2U);
  good(transaction.commit());
  struct Poor final : ReadingVisitor {
    bool on_reading(const Reading&, ReadingRange::Place) override { throw std::bad_alloc(); }
  } poor;
  ReadingRange range{.app = "plant", .sensor = "s"};
  EXPECT_THROW((void)ingest->read(range, 10, poor), std::bad_alloc);
  Shown shown;
  ReadingRange other{.app = "plant", .sensor = "other"};
  EXPECT_FALSE(good(ingest->read(other, 10, shown)));
  ASSERT_EQ(shown.all.size(), 1U);
  EXPECT_EQ(shown.all[0].first, 7U);
}

TEST_F(IngestLogTest, JobWhoseReadingsAreMissing_BecomesAFailedOneAndHoldsNobodyUp) {
  AcceptedJob broken;
  {
    auto file_only = good(IngestFile::open(file("ingest.db"), 0));
    Transaction transaction = good(file_only->durable().begin());
    broken = good(file_only->accept(job_of("plant", "a", {1, 2})));
    good(file_only->accept(job_of("plant", "a", {3})));
    auto loss = good(file_only->durable().prepare("DELETE FROM payload WHERE job = ?"));
    good(file_only->durable().run(loss.bind(1, broken.id)));
    good(transaction.commit());
  }
  Publisher publisher;
  const auto log = open(publisher);
  const std::vector<IngestJob> jobs = publisher.wait(1);
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_NE(jobs[0].id, broken.id);
  log->finished(jobs[0]);
  EXPECT_TRUE(eventually([&] { return log->figures().done == 1; }));
  EXPECT_EQ(log->figures().failed_jobs, 1U);
  EXPECT_EQ(log->figures().queue_jobs, 0U);
  const auto failed = ask<std::vector<FailedJob>>(*log, [](IngestFile& one) { return one.failed("plant", 0, 10); });
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].id, broken.id);
  EXPECT_EQ(failed[0].error, "its readings are missing in the file");
}

TEST_F(IngestLogTest, DamageThatIsFoundAtACommit_EndsTheFileForGood) {
  const auto opened = good(IngestFile::open(file("one.db"), 0));
  const auto damaged_commit = [this]() -> Fault {
    write(file("two.db"), "");
    Database database = good(Database::open(file("two.db")));
    good(database.run("PRAGMA journal_mode = WAL; CREATE TABLE t (x)"));
    // What it returns is the result of the commit.
    sqlite3_wal_hook(database.handle(), [](void*, sqlite3*, const char*, int) { return SQLITE_CORRUPT; }, nullptr);
    Transaction transaction = good(Transaction::begin(database));
    good(database.run("INSERT INTO t VALUES (1)"));
    const auto done = transaction.commit();
    EXPECT_FALSE(done);
    return done ? Fault{} : done.error();
  };
  const Fault fault = damaged_commit();
  EXPECT_TRUE(fault.damaged);
  FileHealth health("one.db", "ingest_failing", "ingest_recovered");
  health.failed({"the disk is full", {}}, opened->durable());
  EXPECT_FALSE(health.for_good());
  health.failed(fault, opened->durable());
  EXPECT_TRUE(health.for_good());
  EXPECT_TRUE(opened->durable().damaged());
}

TEST_F(IngestLogTest, NameOfAJob_IsReadBackInItsFileOnly) {
  Publisher publisher;
  const auto log = open(publisher);
  const std::string name = log->name_of(17);
  EXPECT_EQ(log->parse_name(name), 17);
  for (const std::string& wrong : {name + "x", "0" + name, std::string(), std::string("-17"), name.substr(0, 9),
                                   name.substr(0, 9) + "-1", name.substr(0, 9) + "017"}) {
    EXPECT_EQ(log->parse_name(wrong), 0) << wrong;
  }
  const auto other = good(IngestLog::open({.file = file("other.db")}));
  EXPECT_EQ(other->parse_name(name), 0);
}

TEST_F(IngestLogTest, FullDisk_RefusesWhatComes_AndFinishesWhatWasUnderWayWhenItIsOver) {
  Publisher publisher;
  const auto log = open(publisher);
  good(accept(*log, job_of("plant", "s", {1})));
  const auto jobs = publisher.wait(1);
  ASSERT_EQ(jobs.size(), 1U);
  {
    const FileSizeLimit limit(std::filesystem::file_size(file("ingest.db-wal")));
    NewJob large = job_of("plant", "s", {2});
    large.data.resize(200'000);
    EXPECT_FALSE(accept(*log, std::move(large)));
    EXPECT_FALSE(log->health().healthy);
    EXPECT_GT(log->health().failing_since_ms, 0U);
    log->finished(jobs[0]);
    EXPECT_EQ(figures(*log, "plant").jobs, 1U) << "questions are answered meanwhile";
  }
  EXPECT_TRUE(eventually([&] { return log->figures().done == 1; }));
  EXPECT_TRUE(eventually([&] { return log->health().healthy; }));
  EXPECT_EQ(log->figures().queue_bytes, 0U);
  good(accept(*log, job_of("plant", "s", {3})));
  EXPECT_EQ(readings(*log, {.app = "plant", .sensor = "s"}).size(), 2U);
}

TEST_F(IngestLogTest, MoreQuestionsThanMayWait_AreRefused) {
  Publisher publisher;
  auto log = open(publisher);
  std::atomic<size_t> begun = 0;
  std::atomic<bool> go = false;
  const auto ask_one = [&] { return log->ask([&](IngestFile*, const Fault*) { return ++begun > 0 && go; }); };
  size_t asked = 0;
  while (asked < 2 * IngestLog::kQuestionsMax && ask_one()) ++asked;
  EXPECT_EQ(asked, IngestLog::kQuestionsMax);
  while (begun < 2 * asked) std::this_thread::yield();
  EXPECT_FALSE(ask_one()) << "also those count that the writer has begun";
  for (go = true; !ask_one();) std::this_thread::yield();
  log->stop();
}

TEST_F(IngestLogTest, Stop_WithOrdersThatWait_AnswersEveryOne) {
  Publisher publisher;
  auto log = open(publisher);
  std::atomic<int> told = 0;
  int taken = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const auto tell = [&told](const Outcome<AcceptedJob>& done) { told += done ? 1 : 1'000'000; };
    taken += log->accept(job_of("plant", "s", {i}), tell) == IngestLog::Taken::kYes ? 1 : 0;
  }
  log->stop();
  EXPECT_EQ(told, taken);
  EXPECT_EQ(log->accept(job_of("plant", "s", {1}), [](const Outcome<AcceptedJob>&) {}), IngestLog::Taken::kStopped);
  EXPECT_FALSE(log->ask([](IngestFile*, const Fault*) { return true; }));
  log.reset();
  Publisher later;
  log = open(later);
  EXPECT_EQ(log->figures().queue_jobs, static_cast<uint64_t>(taken));
  log->stop();  // before `later` goes
}

// Accepts jobs until it is killed; a line of a pipe for each that was answered.
[[noreturn]] void accept_for_ever(const std::filesystem::path& file, int out) {
  auto log = IngestLog::open({.file = file, .queue_bytes_max = 1 << 30});
  if (!log || !(*log)->start([&log](const std::vector<IngestJob>& jobs) {
        for (const IngestJob& job : jobs) (*log)->finished(job);
      })) {
    ::_exit(1);
  }
  for (uint64_t i = static_cast<uint64_t>(::getpid()) * 1'000'000;; ++i) {
    std::promise<bool> done;
    (*log)->accept(job_of("plant", "s", {i}),
                   [&done](const Outcome<AcceptedJob>& outcome) { done.set_value(outcome.has_value()); });
    if (done.get_future().get() && ::write(out, &i, sizeof i) != sizeof i) ::_exit(1);
  }
}

TEST_F(IngestLogTest, Kill_AtAnyMoment_LosesNothingThatWasAcceptedAndStoresNothingTwice) {
  std::set<uint64_t> accepted;
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) accept_for_ever(file("ingest.db"), ends[1]);
    ::close(ends[1]);
    uint64_t number = 0;
    for (int i = 0; i < 20 + 13 * round && ::read(ends[0], &number, sizeof number) == sizeof number; ++i) {
      accepted.insert(number);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &number, sizeof number) == sizeof number) accepted.insert(number);
    ::close(ends[0]);
  }
  Publisher publisher;
  const auto log = open(publisher);
  const size_t left = log->figures().queue_jobs;
  for (const IngestJob& job : publisher.wait(left)) log->finished(job);
  EXPECT_TRUE(eventually([&] { return log->figures().queue_jobs == 0; }));
  std::multiset<uint64_t> stored;
  for (const auto& [time, value] : readings(*log, {.app = "plant", .sensor = "s"}, 1'000)) stored.insert(time);
  EXPECT_GE(accepted.size(), 6U * 20U);
  for (const uint64_t number : accepted) EXPECT_EQ(stored.count(number), 1U) << number;
  EXPECT_EQ(std::set<uint64_t>(stored.begin(), stored.end()).size(), stored.size());
}

TEST(IngestBatch, DamagedBytes_EndItEarlyAndLeadNowhereElse) {
  const std::string whole = batch_of("sensor", {1, 2});
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    BatchReader reader(cut);
    size_t count = 0;
    while (const auto reading = reader.next()) {
      ++count;
      EXPECT_EQ(reading->sensor, "sensor");
    }
    EXPECT_LT(count, 2U);
  }
  std::string huge(24, '\xff');
  EXPECT_FALSE(BatchReader(huge).next());
}

}  // namespace
}  // namespace kilat::store
