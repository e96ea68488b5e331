#include "store/socket_store.h"

#include <array>
#include <chrono>
#include <new>
#include <utility>

#include "base/memory_reserve.h"
#include "base/result.h"
#include "store/writer_thread.h"

namespace kilat::store {
namespace {

/// In PRAGMA application_id ("KilS").
constexpr int64_t kSocketStoreId = 0x4b696c53;
constexpr int kCacheKib = 4 * 1024;

constexpr std::array<const char*, 1> kSteps{R"(
  CREATE TABLE socket (
    key TEXT NOT NULL PRIMARY KEY,
    shard INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run (last INTEGER NOT NULL) STRICT;
  INSERT INTO run (last) VALUES (0);
)"};

}  // namespace

struct SocketStore::Statements {
  Statement put;
  Statement erase;
  Statement wipe;
};

SocketStore::SocketStore(Options options, std::unique_ptr<DurableFile> file)
    : options_(std::move(options)),
      file_(std::move(file)),
      health_(options_.file.string(), "socket_store_failing", "socket_store_recovered") {}

SocketStore::~SocketStore() {
  stop();
}

Outcome<std::unique_ptr<SocketStore>> SocketStore::open(Options options) {
  TRY(std::unique_ptr<DurableFile> file, DurableFile::open({.file = options.file,
                                                            .busy_ms = options.busy_ms,
                                                            .steps = kSteps,
                                                            .application_id = kSocketStoreId,
                                                            .cache_kib = kCacheKib,
                                                            .begins_anew = "each Socket.IO client"}));
  std::unique_ptr<SocketStore> out(new SocketStore(std::move(options), std::move(file)));
  TRY_VOID(out->prepare());
  TRY_VOID(out->count_run());
  TRY(out->thread_, start_writer([store = out.get()] { store->run_writer(); }));
  return out;
}

Outcome<void> SocketStore::prepare() {
  TRY(Statement put, file_->prepare("INSERT INTO socket (key, shard, record) VALUES (?1, ?2, ?3) "
                                    "ON CONFLICT (key) DO UPDATE SET shard = ?2, record = ?3"));
  TRY(Statement erase, file_->prepare("DELETE FROM socket WHERE key = ?"));
  TRY(Statement wipe, file_->prepare("DELETE FROM socket"));
  sql_ = std::make_unique<Statements>(std::move(put), std::move(erase), std::move(wipe));
  return {};
}

Outcome<void> SocketStore::count_run() {
  TRY(Statement next, file_->prepare("UPDATE run SET last = last + 1"));
  TRY(Statement read, file_->prepare("SELECT last FROM run"));
  TRY(Transaction transaction, file_->begin());
  TRY_VOID(file_->run(next));
  TRY([[maybe_unused]] const bool row, file_->step(read));
  run_ = static_cast<uint64_t>(read.number(0));
  read.reset();
  return transaction.commit();
}

Outcome<std::vector<SocketRow>> SocketStore::load() {
  const std::lock_guard lock(file_mutex_);
  std::vector<SocketRow> out;
  TRY(Statement rows, file_->prepare("SELECT key, shard, record FROM socket ORDER BY key"));
  for (;;) {
    TRY(const bool row, file_->step(rows));
    if (!row) return out;
    out.push_back({rows.text(0), static_cast<uint32_t>(rows.number(1)), rows.text(2)});
  }
}

size_t SocketStore::bytes_of(const std::string& key, const Change& change) {
  return sizeof(Changes::value_type) + key.size() + (change.record ? change.record->size() : 0);
}

uint64_t SocketStore::put(SocketRow row) {
  return change(std::move(row.key), {row.shard, std::move(row.record)});
}

void SocketStore::erase(std::string key) {
  change(std::move(key), {});
}

uint64_t SocketStore::change(std::string key, Change change) {
  uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || health_.for_good()) return 0;
    const size_t bytes = bytes_of(key, change);
    if (change.record) shards_ |= uint64_t{1} << change.shard;
    const auto found = changes_.find(key);
    if (found != changes_.end()) {
      bytes_ = bytes_ - bytes_of(key, found->second) + bytes;
      found->second = std::move(change);
    } else {
      bytes_ += bytes;
      changes_.emplace(std::move(key), std::move(change));
    }
    if (bytes_ > options_.waiting_bytes_max) {
      changes_.clear();
      bytes_ = 0;
      wipe_ = true;
    }
    ticket = ++last_ticket_;
  }
  wake_.notify_one();
  // While the disk is full nobody waits for it to have room again.
  return failing_.load(std::memory_order_relaxed) ? 0 : ticket;
}

void SocketStore::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// --- the writer's thread

void SocketStore::run_writer() {
  memory::keep_reserve();
  do {
    if (!take()) continue;
    const Outcome<void> done = write();
    if (!done) {
      const memory::MustSucceed noting;
      health_.failed(done.error(), *file_);
      put_back();
    } else {
      health_.succeeded();
      taken_.clear();
      taken_wipe_ = false;
    }
    failing_.store(health_.failing(), std::memory_order_relaxed);
    if (options_.on_written) options_.on_written(taken_ticket_, taken_shards_);
    memory::keep_reserve();
  } while (!last_round_);
  const std::lock_guard lock(file_mutex_);
  sql_.reset();
  file_.reset();
}

// False: there is nothing to write.
bool SocketStore::take() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const bool any = !changes_.empty() || wipe_;
    if (!any || health_.for_good()) {
      wake_.wait(lock);
      continue;
    }
    if (!health_.failing()) break;
    const uint64_t now_ms = monotonic_ms();
    if (now_ms >= health_.retry_at_ms()) break;
    wake_.wait_for(lock, std::chrono::milliseconds(health_.retry_at_ms() - now_ms));
  }
  last_round_ = stopping_;
  taken_.swap(changes_);
  bytes_ = 0;
  taken_wipe_ = std::exchange(wipe_, false);
  taken_ticket_ = last_ticket_;
  taken_shards_ = std::exchange(shards_, 0);
  return (!taken_.empty() || taken_wipe_) && !health_.for_good();
}

Outcome<void> SocketStore::write() {
  const std::lock_guard lock(file_mutex_);
  if (health_.failing()) TRY_VOID(health_.recover(*file_, false));
  TRY_VOID(or_out_of_memory([this] { return attempt(); }));
  return file_->checkpoint_if_due();
}

Outcome<void> SocketStore::attempt() {
  TRY(Transaction transaction, file_->begin());
  if (taken_wipe_) TRY_VOID(file_->run(sql_->wipe));
  for (const auto& [key, change] : taken_) {
    if (change.record) {
      TRY_VOID(file_->run(sql_->put.bind(1, key).bind(2, int64_t{change.shard}).bind(3, *change.record)));
    } else {
      TRY_VOID(file_->run(sql_->erase.bind(1, key)));
    }
  }
  return transaction.commit();
}

// For the next attempt; what was changed meanwhile counts. A wipe that was asked for meanwhile has seen to all of it.
void SocketStore::put_back() {
  const std::lock_guard lock(mutex_);
  if (!wipe_) {
    for (auto& [key, change] : taken_) {
      const size_t bytes = bytes_of(key, change);
      if (changes_.try_emplace(key, std::move(change)).second) bytes_ += bytes;
    }
  }
  wipe_ = wipe_ || taken_wipe_;
  taken_.clear();
  taken_wipe_ = false;
}

}  // namespace kilat::store
