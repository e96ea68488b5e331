#include "app/ingest.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/shard.h"
#include "base/keyed_hash.h"
#include "base/log.h"

namespace kilat::app {
namespace {

constexpr size_t kUnservedTold = 100;  ///< apps in the log, each time

}  // namespace

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
  std::set<std::string, std::less<>> served;
  for (const hub::AppSettings& app : apps) {
    if (app.enabled) served.insert(app.id);
    if (app.ingest.keep_s > 0) keep_ms.emplace(app.id, app.ingest.keep_s * 1'000);
  }
  log_->keep(std::move(keep_ms));
  log_->serve(served);
  look_for_unserved(std::move(served));
}

// Nobody can ask for them by the API, but they fill the queue.
void Ingest::look_for_unserved(std::set<std::string, std::less<>> served) {
  log_->ask([this, served = std::move(served)](store::IngestFile* file, const store::Fault* /*fault*/) {
    auto read = file == nullptr ? std::vector<store::AppQueue>() : file->queues();
    const std::vector<store::AppQueue> queues = std::move(read).value_or(std::vector<store::AppQueue>());
    uint64_t jobs = 0;
    size_t apps = 0;
    for (const store::AppQueue& queue : queues) {
      if (served.contains(queue.app)) continue;
      jobs += queue.jobs + queue.failed_jobs;
      if (++apps > kUnservedTold) continue;
      log::event(log::Level::kWarn, "ingest_app_not_served",
                 {{"app", queue.app},
                  {"jobs", queue.jobs},
                  {"failed_jobs", queue.failed_jobs},
                  {"bytes", queue.bytes},
                  {"remedy", "configure it, or stop the server and: kilat jobs forget APP --all --file FILE"}});
    }
    unserved_jobs_ = jobs;
    return true;
  });
}

IngestFigures Ingest::figures() const {
  return {.log = log_->figures(),
          .retries = retries_.load(std::memory_order_relaxed),
          .unserved_jobs = unserved_jobs_.load(std::memory_order_relaxed)};
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
