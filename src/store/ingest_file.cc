#include "store/ingest_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "store/ingest_statements.h"

namespace kilat::store {
namespace {

// What a job holds is apart from what is said about it, so that lists and marks do not touch it. The index answers
// questions about the queue by itself. A sensor's readings lie together in the order of time.
constexpr std::array<const char*, 1> kSteps{R"(
  CREATE TABLE epoch (epoch INTEGER NOT NULL) STRICT;
  CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app TEXT NOT NULL,
    position INTEGER NOT NULL,
    failed INTEGER NOT NULL DEFAULT 0,
    to_store INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX job_queue ON job (app, failed, position, readings, bytes, created_ms);
  CREATE TABLE payload (job INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
  CREATE TABLE answered (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app TEXT NOT NULL,
    key TEXT NOT NULL,
    job INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    unix_ms INTEGER NOT NULL,
    UNIQUE (app, key)
  ) STRICT;
  CREATE TABLE sensor (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (app, name)
  ) STRICT;
  CREATE TABLE reading (
    sensor INTEGER NOT NULL,
    unix_ms INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    value TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (sensor, unix_ms, sequence)
  ) STRICT, WITHOUT ROWID;
)"};

// A job's number and the index of a reading in it are one number.
constexpr int kIndexBits = 20;
static_assert(ReadingBatch::kReadingsMax < (1U << kIndexBits));

}  // namespace

IngestFile::IngestFile(std::unique_ptr<DurableFile> file) : file_(std::move(file)) {}
IngestFile::~IngestFile() = default;

Outcome<std::unique_ptr<IngestFile>> IngestFile::open(const std::filesystem::path& file, uint32_t busy_ms) {
  TRY(std::unique_ptr<DurableFile> durable, DurableFile::open({.file = file,
                                                               .busy_ms = busy_ms,
                                                               .steps = kSteps,
                                                               .application_id = kIngestId,
                                                               .cache_kib = 32 * 1024,
                                                               .check_bytes_max = kCheckBytesMax,
                                                               .begins_anew = "an empty queue, and history,"}));
  std::unique_ptr<IngestFile> out(new IngestFile(std::move(durable)));
  TRY_VOID(out->prepare());
  TRY_VOID(out->load_state());
  return out;
}

Outcome<void> IngestFile::prepare() {
  TRY(sql_, IngestStatements::prepare(*file_));
  return {};
}

Outcome<void> IngestFile::load_state() {
  TRY(Statement epoch, file_->prepare("SELECT epoch FROM epoch"));
  TRY(const bool known, file_->step(epoch));
  epoch_ = static_cast<uint32_t>(epoch.number(0));
  epoch.reset();
  if (!known) {
    epoch_ = static_cast<uint32_t>(Random().next());
    TRY(Statement insert, file_->prepare("INSERT INTO epoch (epoch) VALUES (?)"));
    TRY(Transaction transaction, file_->begin());
    TRY_VOID(file_->run(insert.bind(1, int64_t{epoch_})));
    TRY_VOID(transaction.commit());
  }
  TRY(Statement last, file_->prepare("SELECT max(position) FROM job"));
  TRY([[maybe_unused]] const bool row, file_->step(last));
  position_ = last.number(0);
  return {};
}

// --- jobs

Outcome<AcceptedJob> IngestFile::accept(const NewJob& job) {
  if (!job.key.empty()) {
    Statement& find = sql_->find_key.bind_view(1, job.app).bind_view(2, job.key);
    TRY(const bool known, file_->step(find));
    const AcceptedJob before{find.number(0), static_cast<uint32_t>(find.number(1)), true};
    find.reset();
    if (known) return before;
  }
  const auto bytes = static_cast<int64_t>(job.data.size() + kJobBytes);
  Statement& insert = sql_->insert_job.bind_view(1, job.app).bind(2, ++position_).bind(3, int64_t{job.store});
  insert.bind(4, int64_t{job.readings}).bind(5, bytes).bind(6, static_cast<int64_t>(job.unix_ms));
  TRY_VOID(file_->run(insert));
  const int64_t id = file_->last_rowid();
  TRY_VOID(file_->run(sql_->insert_payload.bind(1, id).bind_blob(2, job.data)));
  if (!job.key.empty()) {
    Statement& note = sql_->insert_key.bind_view(1, job.app).bind_view(2, job.key).bind(3, id);
    TRY_VOID(file_->run(note.bind(4, int64_t{job.readings}).bind(5, static_cast<int64_t>(job.unix_ms))));
  }
  return AcceptedJob{id, job.readings, false};
}

Outcome<IngestFile::Taken> IngestFile::take(const std::string& app, int64_t& position, size_t jobs_max,
                                            uint64_t bytes_max) {
  Taken out;
  uint64_t bytes = 0;
  while (out.jobs.size() + out.lost < jobs_max) {
    TRY(const bool row, file_->step(sql_->next_job.bind_view(1, app).bind(2, position)));
    const int64_t id = sql_->next_job.number(0);
    const int64_t at = sql_->next_job.number(1);
    const bool to_store = sql_->next_job.number(2) != 0;
    const auto readings = static_cast<uint32_t>(sql_->next_job.number(3));
    bytes += static_cast<uint64_t>(sql_->next_job.number(4));
    sql_->next_job.reset();
    if (!row || (!out.jobs.empty() && bytes > bytes_max)) break;
    position = at;
    const ResetAtEnd done(sql_->payload);
    TRY(const bool found, file_->step(sql_->payload.bind(1, id)));
    if (!found) {
      // Somebody has been in the file. Told as done, the readings would be gone without a word.
      TRY_VOID(fail(id, 0, "its readings are missing in the file", unix_ms()));
      ++out.lost;
      continue;
    }
    out.jobs.push_back({.id = id,
                        .app = app,
                        .data = sql_->payload.text(0),
                        .readings = readings,
                        .stored = to_store,
                        .position = at});
    if (to_store) TRY_VOID(store(id, app, out.jobs.back().data));
  }
  return out;
}

Outcome<uint64_t> IngestFile::remove(int64_t id) {
  TRY(const bool row, file_->step(sql_->job_bytes.bind(1, id)));
  const auto bytes = static_cast<uint64_t>(sql_->job_bytes.number(0));
  sql_->job_bytes.reset();
  if (!row) return 0;
  TRY_VOID(file_->run(sql_->delete_payload.bind(1, id)));
  TRY_VOID(file_->run(sql_->delete_job.bind(1, id)));
  return bytes;
}

Outcome<void> IngestFile::fail(int64_t id, uint32_t tries, std::string_view error, uint64_t unix_ms) {
  Statement& update = sql_->fail_job.bind(1, id).bind(2, int64_t{tries}).bind_view(3, error);
  return file_->run(update.bind(4, static_cast<int64_t>(unix_ms)));
}

Outcome<IngestFile::Changed> IngestFile::retry(std::string_view app, int64_t id) {
  TRY([[maybe_unused]] const bool row, file_->step(sql_->failed_sum.bind_view(1, app).bind(2, id)));
  const Changed out{static_cast<uint64_t>(sql_->failed_sum.number(0)),
                    static_cast<uint64_t>(sql_->failed_sum.number(1))};
  const int64_t last = sql_->failed_sum.number(2);
  sql_->failed_sum.reset();
  // Behind all others, in the order in which they had come.
  TRY_VOID(file_->run(sql_->retry_jobs.bind_view(1, app).bind(2, id).bind(3, position_)));
  position_ += last;
  return out;
}

Outcome<IngestFile::Changed> IngestFile::forget(std::string_view app, int64_t id) {
  TRY([[maybe_unused]] const bool row, file_->step(sql_->failed_sum.bind_view(1, app).bind(2, id)));
  const Changed out{static_cast<uint64_t>(sql_->failed_sum.number(0)),
                    static_cast<uint64_t>(sql_->failed_sum.number(1))};
  sql_->failed_sum.reset();
  TRY_VOID(file_->run(sql_->forget_payloads.bind_view(1, app).bind(2, id)));
  TRY_VOID(file_->run(sql_->forget_jobs.bind_view(1, app).bind(2, id)));
  return out;
}

Outcome<IngestFile::Changed> IngestFile::forget_app(std::string_view app) {
  TRY(Statement sum, file_->prepare("SELECT count(*), sum(bytes) FROM job WHERE app = ?"));
  TRY([[maybe_unused]] const bool row, file_->step(sum.bind_view(1, app)));
  const Changed out{static_cast<uint64_t>(sum.number(0)), static_cast<uint64_t>(sum.number(1))};
  sum.reset();
  TRY(Statement payloads, file_->prepare("DELETE FROM payload WHERE job IN (SELECT id FROM job WHERE app = ?)"));
  TRY_VOID(file_->run(payloads.bind_view(1, app)));
  TRY(Statement jobs, file_->prepare("DELETE FROM job WHERE app = ?"));
  TRY_VOID(file_->run(jobs.bind_view(1, app)));
  return out;
}

Outcome<std::vector<AppQueue>> IngestFile::queues() {
  std::vector<AppQueue> out;
  TRY(Statement sums, file_->prepare("SELECT app, sum(failed = 0), sum(failed), sum(bytes) FROM job GROUP BY app"));
  for (;;) {
    TRY(const bool row, file_->step(sums));
    if (!row) return out;
    out.push_back({.app = sums.text(0),
                   .jobs = static_cast<uint64_t>(sums.number(1)),
                   .failed_jobs = static_cast<uint64_t>(sums.number(2)),
                   .bytes = static_cast<uint64_t>(sums.number(3))});
  }
}

Outcome<uint32_t> IngestFile::forget_keys(uint64_t before_ms, uint32_t rows_max) {
  Statement& forget = sql_->forget_keys.bind(1, static_cast<int64_t>(before_ms));
  TRY_VOID(file_->run(forget.bind(2, static_cast<int64_t>(kKeysMax)).bind(3, int64_t{rows_max})));
  return static_cast<uint32_t>(file_->changes());
}

Outcome<std::vector<std::string>> IngestFile::waiting_apps() {
  std::vector<std::string> out;
  TRY(Statement apps, file_->prepare("SELECT DISTINCT app FROM job WHERE failed = 0"));
  for (;;) {
    TRY(const bool row, file_->step(apps));
    if (!row) return out;
    out.push_back(apps.text(0));
  }
}

Outcome<QueueFigures> IngestFile::figures(std::string_view app) {
  QueueFigures out;
  Statement& sums = (app.empty() ? sql_->all_figures : sql_->app_figures);
  if (!app.empty()) sums.bind_view(1, app);
  for (;;) {
    TRY(const bool row, file_->step(sums));
    if (!row) break;
    const auto jobs = static_cast<uint64_t>(sums.number(1));
    const auto bytes = static_cast<uint64_t>(sums.number(3));
    if (sums.number(0) != 0) {
      out.failed_jobs = jobs;
      out.failed_bytes = bytes;
    } else {
      out.jobs = jobs;
      out.readings = static_cast<uint64_t>(sums.number(2));
      out.bytes = bytes;
      out.oldest_ms = static_cast<uint64_t>(sums.number(4));
    }
  }
  sums.reset();
  return out;
}

Outcome<std::vector<FailedJob>> IngestFile::failed(std::string_view app, int64_t after, uint32_t limit) {
  std::vector<FailedJob> out;
  const ResetAtEnd done(sql_->failed_jobs);
  Statement& list = sql_->failed_jobs.bind_view(1, app).bind(2, after).bind(3, int64_t{limit});
  for (;;) {
    TRY(const bool row, file_->step(list));
    if (!row) break;
    out.push_back({.id = list.number(0),
                   .created_ms = static_cast<uint64_t>(list.number(1)),
                   .failed_ms = static_cast<uint64_t>(list.number(2)),
                   .readings = static_cast<uint32_t>(list.number(3)),
                   .bytes = static_cast<uint64_t>(list.number(4)),
                   .tries = static_cast<uint32_t>(list.number(5)),
                   .error = list.text(6)});
  }
  return out;
}

// --- readings

Outcome<int64_t> IngestFile::sensor_id(std::string_view app, std::string_view name, bool make) {
  if (const auto at = sensors_.find(ChannelView{app, name}); at != sensors_.end()) return at->second;
  TRY(const bool row, file_->step(sql_->find_sensor.bind_view(1, app).bind_view(2, name)));
  int64_t id = row ? sql_->find_sensor.number(0) : 0;
  sql_->find_sensor.reset();
  if (id == 0 && !make) return 0;
  if (id == 0) {
    TRY_VOID(file_->run(sql_->insert_sensor.bind_view(1, app).bind_view(2, name)));
    id = file_->last_rowid();
  }
  if (sensors_.size() >= kSensorsCached) sensors_.clear();
  sensors_.emplace(ChannelKey(ChannelView{app, name}), id);
  return id;
}

Outcome<void> IngestFile::store(int64_t job, std::string_view app, std::string_view data) {
  int64_t sequence = job << kIndexBits;
  BatchReader batch(data);
  while (const auto reading = batch.next()) {
    TRY(const int64_t sensor, sensor_id(app, reading->sensor, true));
    Statement& insert = sql_->insert_reading.bind(1, sensor).bind(2, static_cast<int64_t>(reading->unix_ms));
    insert.bind(3, sequence++).bind_view(4, reading->value).bind_view(5, reading->data);
    TRY_VOID(file_->run(insert));
  }
  return file_->run(sql_->stored_job.bind(1, job));
}

Outcome<std::vector<SensorRow>> IngestFile::sensors(std::string_view app, const std::optional<std::string>& after,
                                                    uint32_t limit) {
  std::vector<SensorRow> out;
  const ResetAtEnd done(sql_->list_sensors);
  Statement& list = sql_->list_sensors.bind_view(1, app).bind_view(2, after ? *after : std::string_view());
  list.bind(3, int64_t{limit}).bind(4, int64_t{!after});
  for (;;) {
    TRY(const bool row, file_->step(list));
    if (!row) break;
    out.push_back({.name = list.text(0),
                   .first_ms = static_cast<uint64_t>(list.number(1)),
                   .last_ms = static_cast<uint64_t>(list.number(2)),
                   .last_value = list.text(3)});
  }
  return out;
}

Outcome<bool> IngestFile::read(ReadingRange& range, uint32_t rows_max, ReadingVisitor& visitor) {
  TRY(const int64_t sensor, sensor_id(range.app, range.sensor, false));
  if (sensor == 0) return false;
  const auto from = static_cast<int64_t>(std::min<uint64_t>(range.from_ms, INT64_MAX));
  const auto to = static_cast<int64_t>(std::min<uint64_t>(range.to_ms, INT64_MAX));
  using Place = ReadingRange::Place;
  // A place that somebody names may lie outside of the range.
  if (range.backwards) {
    range.after = std::min(range.after.value_or(Place{UINT64_MAX, 0}), Place{static_cast<uint64_t>(to), 0});
  } else {
    range.after = std::max(range.after.value_or(Place{0, -1}), Place{static_cast<uint64_t>(from), -1});
  }
  Statement& rows = range.backwards ? sql_->newest_readings : sql_->oldest_readings;
  const ResetAtEnd done(rows);
  rows.bind(1, sensor).bind(2, static_cast<int64_t>(range.after->unix_ms)).bind(3, range.after->sequence);
  rows.bind(4, range.backwards ? from : to).bind(5, int64_t{rows_max});
  uint32_t seen = 0;
  bool wanted = true;
  while (wanted) {
    TRY(const bool row, file_->step(rows));
    if (!row) break;
    ++seen;
    const ReadingRange::Place place{static_cast<uint64_t>(rows.number(0)), rows.number(1)};
    const std::string_view value = rows.view(2);
    wanted = visitor.on_reading(
        {.unix_ms = place.unix_ms, .sensor = range.sensor, .value = value, .data = rows.view(3)}, place);
    if (wanted) range.after = place;
  }
  return wanted && seen == rows_max;
}

Outcome<uint32_t> IngestFile::expire(std::string_view app, uint64_t before_ms, int64_t& sensor, uint32_t rows_max) {
  constexpr uint32_t kSensorsMax = 1'000;
  uint32_t removed = 0;
  for (uint32_t i = 0; i < kSensorsMax && removed < rows_max; ++i) {
    TRY(const bool row, file_->step(sql_->next_sensor.bind_view(1, app).bind(2, sensor)));
    const int64_t id = sql_->next_sensor.number(0);
    sql_->next_sensor.reset();
    if (!row) {
      sensor = 0;
      break;
    }
    Statement& expire = sql_->expire.bind(1, id).bind(2, static_cast<int64_t>(before_ms));
    TRY_VOID(file_->run(expire.bind(3, int64_t{rows_max - removed})));
    const auto rows = static_cast<uint32_t>(file_->changes());
    removed += rows;
    if (rows > 0) {
      // Where readings are left, this does nothing.
      TRY_VOID(file_->run(sql_->drop_sensor.bind(1, id)));
      if (file_->changes() > 0) sensors_.clear();
    }
    if (removed == rows_max) break;  // there may be more of this sensor
    sensor = id;
  }
  return removed;
}

}  // namespace kilat::store
