#include "app/ingest.h"

#include <map>
#include <string>
#include <utility>

#include "app/shard.h"
#include "base/keyed_hash.h"

namespace kilat::app {

Ingest::Ingest(std::unique_ptr<store::IngestLog> log, std::span<const std::unique_ptr<Shard>> shards)
    : log_(std::move(log)), shards_(shards) {
  for (const auto& shard : shards) {
    doors_.push_back(std::make_unique<IngestDoor>(*shard, *log_));
    desks_.push_back(std::make_unique<IngestDesk>(*shard, *log_, retries_));
    shard->set_ingest(*desks_.back());
  }
}

Ingest::~Ingest() {
  stop();
}

Result<std::unique_ptr<Ingest>> Ingest::open(const std::filesystem::path& file, uint64_t queue_bytes_max,
                                             std::span<const std::unique_ptr<Shard>> shards) {
  auto log = store::IngestLog::open({.file = file, .queue_bytes_max = queue_bytes_max});
  if (!log) return fail(Reason::kDurableFileInvalid, file.string() + ": " + log.error().why);
  return std::unique_ptr<Ingest>(new Ingest(std::move(*log), shards));
}

Result<void> Ingest::start() {
  auto started = log_->start([this](std::vector<store::IngestJob> jobs) { hand_out(std::move(jobs)); });
  if (!started) return fail(Reason::kDurableFileInvalid, started.error().why);
  return {};
}

void Ingest::apply(const std::vector<hub::AppSettings>& apps) {
  std::map<std::string, uint64_t> keep_ms;
  for (const hub::AppSettings& app : apps) {
    if (app.ingest.keep_s > 0) keep_ms.emplace(app.id, app.ingest.keep_s * 1'000);
  }
  log_->keep(std::move(keep_ms));
}

IngestFigures Ingest::figures() const {
  return {.log = log_->figures(), .retries = retries_.load(std::memory_order_relaxed)};
}

// One desk for each app keeps its jobs in order.
size_t Ingest::desk_of(std::string_view app) const {
  return keyed_hash(app, kHashSeed) % desks_.size();
}

// On the writer's thread. A shard that has ended takes nothing; the jobs stay in the file.
void Ingest::hand_out(std::vector<store::IngestJob> jobs) {
  std::vector<std::vector<store::IngestJob>> by_desk(desks_.size());
  for (store::IngestJob& job : jobs) by_desk[desk_of(job.app)].push_back(std::move(job));
  for (size_t i = 0; i < by_desk.size(); ++i) {
    if (by_desk[i].empty()) continue;
    shards_[i]->post([&desk = *desks_[i], own = std::move(by_desk[i])]() mutable { desk.take(std::move(own)); });
  }
}

}  // namespace kilat::app
