#include "store/event_log_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/result.h"

namespace kilat::store {
namespace {

// A channel's rows lie together and in order, so that appending, trimming from the old end and loading each touch few
// pages. Beginning a channel anew gives it another id: its old rows (`dead`) are deleted bit by bit, not while
// publishers wait. AUTOINCREMENT, because an id that still has dead rows must not come back.
constexpr std::array<const char*, 2> kSteps{R"(
  CREATE TABLE channel (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    app TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch TEXT NOT NULL,
    trimmed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (app, name)
  ) STRICT;
  CREATE TABLE dead (id INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE event (
    channel INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    unix_ms INTEGER NOT NULL,
    from_client INTEGER NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    user_id TEXT NOT NULL,
    packet TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (channel, offset)
  ) STRICT, WITHOUT ROWID;
)",
                                            R"(
  ALTER TABLE event ADD COLUMN delivery_order INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE channel ADD COLUMN trimmed_order INTEGER NOT NULL DEFAULT 0;
)"};

constexpr uint64_t kOffsetMax = std::numeric_limits<int64_t>::max();

}  // namespace

struct EventLogFile::Statements {
  Statement find;
  Statement range;
  Statement order;
  Statement append;
  Statement begin;
  Statement end;
  Statement bury;
  Statement trimmed;
  Statement remove;
  Statement dead;
  Statement collected;
};

EventLogFile::EventLogFile(std::unique_ptr<DurableFile> file) : file_(std::move(file)) {}
EventLogFile::~EventLogFile() = default;

Outcome<std::unique_ptr<EventLogFile>> EventLogFile::open(const std::filesystem::path& file, uint32_t busy_ms) {
  TRY(std::unique_ptr<DurableFile> durable, DurableFile::open({.file = file,
                                                               .busy_ms = busy_ms,
                                                               .steps = kSteps,
                                                               .application_id = kEventLogId,
                                                               .begins_anew = "all history"}));
  std::unique_ptr<EventLogFile> out(new EventLogFile(std::move(durable)));
  TRY_VOID(out->prepare());
  return out;
}

Outcome<void> EventLogFile::prepare() {
  TRY(Statement find, file_->prepare("SELECT id, trimmed FROM channel WHERE app = ? AND name = ?"));
  TRY(Statement range, file_->prepare("SELECT (SELECT min(offset) FROM event WHERE channel = ?1), "
                                      "(SELECT max(offset) FROM event WHERE channel = ?1)"));
  TRY(Statement append, file_->prepare("INSERT INTO event (channel, offset, unix_ms, from_client, name, data, "
                                       "user_id, packet, key, delivery_order) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  TRY(Statement order, file_->prepare("SELECT delivery_order FROM event WHERE channel = ? AND offset = ?"));
  TRY(Statement begin, file_->prepare("INSERT INTO channel (app, name, epoch) VALUES (?, ?, ?)"));
  TRY(Statement end, file_->prepare("DELETE FROM channel WHERE id = ?"));
  TRY(Statement bury, file_->prepare("INSERT INTO dead (id) VALUES (?)"));
  TRY(Statement trimmed,
      file_->prepare("UPDATE channel SET trimmed = ?2, trimmed_order = ?3 WHERE id = ?1 AND trimmed < ?2"));
  TRY(Statement remove, file_->prepare("DELETE FROM event WHERE channel = ? AND offset <= ?"));
  TRY(Statement dead, file_->prepare("SELECT id FROM dead LIMIT 1"));
  TRY(Statement collected, file_->prepare("DELETE FROM dead WHERE id = ?"));
  sql_ = std::make_unique<Statements>(std::move(find), std::move(range), std::move(order), std::move(append),
                                      std::move(begin), std::move(end), std::move(bury), std::move(trimmed),
                                      std::move(remove), std::move(dead), std::move(collected));
  return {};
}

void EventLogFile::on_rollback() {
  known_.clear();
}

EventLogFile::Known& EventLogFile::remember(ChannelView channel, Known known) {
  if (known_.size() >= kChannelsCached) known_.clear();
  return known_.insert_or_assign(ChannelKey(channel), known).first->second;
}

Outcome<EventLogFile::Known*> EventLogFile::find(ChannelView channel) {
  const auto at = known_.find(channel);
  if (at != known_.end()) return &at->second;
  TRY(const bool row, step(sql_->find.bind(1, channel.app).bind(2, channel.channel)));
  Known known;
  if (row) known = {sql_->find.number(0), static_cast<uint64_t>(sql_->find.number(1))};
  sql_->find.reset();
  if (row) {
    TRY(const Range rows, range(known.id));
    known.last = std::max(known.last, rows.newest);
  }
  return &remember(channel, known);
}

Outcome<EventLogFile::Range> EventLogFile::range(int64_t id) {
  TRY([[maybe_unused]] const bool row, step(sql_->range.bind(1, id)));
  const Range out{static_cast<uint64_t>(sql_->range.number(0)), static_cast<uint64_t>(sql_->range.number(1))};
  sql_->range.reset();
  return out;
}

Outcome<bool> EventLogFile::append(const EventRecord& record) {
  TRY(Known* const known, find({record.app, record.channel}));
  const bool first = known->last == 0;
  if (known->id == 0 || record.offset == 0 || record.offset > kOffsetMax) return false;
  if (!first && record.offset != known->last + 1) return false;
  sql_->append.bind(1, known->id).bind(2, static_cast<int64_t>(record.offset));
  sql_->append.bind(3, static_cast<int64_t>(record.unix_ms)).bind(4, int64_t{record.from_client});
  sql_->append.bind(5, record.event).bind(6, record.data).bind(7, record.user_id);
  sql_->append.bind(8, record.packet).bind(9, record.key);
  TRY_VOID(run(sql_->append.bind(10, static_cast<int64_t>(record.order))));
  known->last = record.offset;
  return true;
}

Outcome<void> EventLogFile::begin_channel(ChannelView channel, std::string_view epoch) {
  TRY_VOID(end_channel(channel));
  TRY_VOID(run(sql_->begin.bind(1, channel.app).bind(2, channel.channel).bind(3, epoch)));
  remember(channel, {file_->last_rowid(), 0});
  return {};
}

Outcome<void> EventLogFile::end_channel(ChannelView channel) {
  TRY(const Known* const known, find(channel));
  const int64_t id = known->id;
  if (id == 0) return {};
  TRY_VOID(run(sql_->bury.bind(1, id)));
  TRY_VOID(run(sql_->end.bind(1, id)));
  remember(channel, {});
  return {};
}

Outcome<uint32_t> EventLogFile::remove_oldest(int64_t id, uint64_t up_to_offset, uint32_t rows_max) {
  TRY(const Range rows, range(id));
  if (rows.newest == 0 || rows.oldest > up_to_offset) return 0;
  const uint64_t count = std::min<uint64_t>(rows_max, std::min(up_to_offset, rows.newest) - rows.oldest + 1);
  const auto last = static_cast<int64_t>(rows.oldest + count - 1);
  TRY(const bool row, step(sql_->order.bind(1, id).bind(2, last)));
  const int64_t order = row ? sql_->order.number(0) : 0;
  sql_->order.reset();
  TRY_VOID(run(sql_->remove.bind(1, id).bind(2, last)));
  TRY_VOID(run(sql_->trimmed.bind(1, id).bind(2, last).bind(3, order)));
  return static_cast<uint32_t>(count);
}

Outcome<uint32_t> EventLogFile::trim(ChannelView channel, uint64_t up_to_offset, uint32_t rows_max) {
  TRY(const Known* const known, find(channel));
  return known->id == 0 ? 0 : remove_oldest(known->id, up_to_offset, rows_max);
}

Outcome<uint32_t> EventLogFile::collect(uint32_t rows_max) {
  uint32_t done = 0;
  while (done < rows_max) {
    TRY(const bool row, step(sql_->dead));
    const int64_t id = row ? sql_->dead.number(0) : 0;
    sql_->dead.reset();
    if (!row) break;
    TRY(const uint32_t removed, remove_oldest(id, kOffsetMax, rows_max - done));
    done += removed;
    if (done == rows_max) break;
    TRY_VOID(run(sql_->collected.bind(1, id)));
    ++done;
  }
  return done;
}

}  // namespace kilat::store
