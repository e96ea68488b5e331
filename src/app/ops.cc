#include "app/ops.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "app/durable_history.h"
#include "app/gather.h"
#include "app/ingest.h"
#include "app/shard.h"
#include "app/state_dump.h"
#include "app/systemd.h"
#include "app/token_keys.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/diff.h"

namespace kilat::app {
namespace {

constexpr uint64_t kStatusEveryMs = 10'000;
constexpr std::chrono::milliseconds kPatience(Ops::kPatienceMs);

uint32_t connections_of(const Common& common) {
  return common.apps.connections().load(std::memory_order_relaxed);
}

}  // namespace

Ops::Ops(Common& common, std::span<const std::unique_ptr<Shard>> shards)
    : common_(common),
      shards_(shards),
      running_(std::make_shared<const config::Settings>(common.settings)),
      last_{std::vector<ShardSnapshot>(shards.size()), std::vector<bool>(shards.size())},
      start_unix_ms_(unix_ms()),
      watchdog_ms_(systemd::watchdog_ms()) {
  set_health_limits();
  common_.health.set_memory(metrics::resident_bytes(), metrics::memory_limit_bytes());
}

Ops::~Ops() {
  stop();
}

void Ops::start() {
  thread_ = std::thread([this] { run(); });
}

void Ops::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Ops::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= kJobsMax) return false;
    jobs_.push_back(std::move(job));
  }
  work_.notify_one();
  return true;
}

void Ops::run() {
  const uint64_t period_ms = watchdog_ms_ == 0 ? Health::kBeatMs : std::min(Health::kBeatMs, watchdog_ms_ / 3 + 1);
  uint64_t next_beat_ms = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      const uint64_t now_ms = monotonic_ms();
      if (now_ms < next_beat_ms) {
        work_.wait_for(lock, std::chrono::milliseconds(next_beat_ms - now_ms));
        continue;
      }
      lock.unlock();
      beat();
      next_beat_ms = monotonic_ms() + period_ms;
      lock.lock();
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

// --- signs of life

void Ops::beat() {
  for (uint32_t i = 0; i < shards_.size(); ++i) {
    // A stuck shard must not gather a task a second.
    if (common_.health.pulse(i).missed.fetch_add(1, std::memory_order_relaxed) % Health::kLateBeats != 0) continue;
    shards_[i]->post([&shard = *shards_[i]] { shard.beat(); });
  }
  common_.health.set_connections(connections_of(common_));
  common_.health.set_memory(metrics::resident_bytes(), metrics::memory_limit_bytes());
  if (common_.history != nullptr) common_.health.set_history(common_.history->health().healthy);
  if (common_.ingest != nullptr) common_.health.set_ingest(common_.ingest->health().healthy);
  if (common_.token_keys != nullptr) common_.token_keys->tick();
  watch_readiness();
  tell_systemd(common_.health.not_live().empty());
}

void Ops::watch_readiness() {
  const std::vector<Cause> causes = common_.health.not_ready();
  if (causes.empty() == was_ready_) return;
  was_ready_ = causes.empty();
  if (was_ready_) return log::event(log::Level::kInfo, "ready_again");
  if (common_.health.draining()) return;
  log::event(log::Level::kWarn, "not_ready", {{"cause", causes.front().id}, {"text", causes.front().text}});
}

void Ops::tell_systemd(bool all_alive) {
  if (watchdog_ms_ != 0 && all_alive) systemd::notify("WATCHDOG=1");
  const uint64_t now_ms = monotonic_ms();
  if (common_.health.draining() || now_ms - told_ms_ < kStatusEveryMs) return;
  told_ms_ = now_ms;
  systemd::notify("STATUS=" + std::string(was_ready_ ? "ready" : "not ready") + ": " +
                  std::to_string(connections_of(common_)) + " connections, " + std::to_string(shards_.size()) +
                  (shards_.size() == 1 ? " shard" : " shards"));
}

void Ops::set_health_limits() {
  common_.drain_ms.store(running_->server.drain_ms);
  common_.health.set_limits({.outbox_budget_bytes = running_->limits.shard_budget_bytes,
                             .connections_max = running_->server.max_connections,
                             .memory_percent_max = running_->health.memory_percent_max});
}

// --- figures

const Ops::Round& Ops::gather() {
  auto answers = std::make_shared<Gather<ShardSnapshot>>(shards_.size());
  for (size_t i = 0; i < shards_.size(); ++i) {
    const bool taken = shards_[i]->post([answers, i, &shard = *shards_[i]] { answers->put(i, shard.snapshot()); });
    if (!taken) answers->put(i, std::nullopt);
  }
  std::vector<std::optional<ShardSnapshot>> round = answers->wait(kPatience);
  for (size_t i = 0; i < shards_.size(); ++i) {
    last_.responding[i] = round[i].has_value();
    if (round[i]) last_.shards[i] = std::move(*round[i]);
  }
  return last_;
}

std::string Ops::metrics(metrics::Format format) {
  const Round& round = gather();
  return metrics_page({.shards = round.shards,
                       .responding = round.responding,
                       .apps = common_.apps,
                       .soketi_prefix = running_->metrics.soketi_prefix,
                       .port = port_,
                       .outbox_budget_bytes = running_->limits.shard_budget_bytes,
                       .tracked_addresses = common_.admission.tracked_addresses(),
                       .certificate_expires_s = certificate_expires_s_->load(std::memory_order_relaxed),
                       .start_unix_ms = start_unix_ms_,
                       .now_unix_ms = unix_ms(),
                       .ready = common_.health.not_ready().empty(),
                       .draining = common_.health.draining(),
                       .reloads = reloads_,
                       .ingest = common_.ingest != nullptr ? std::optional(common_.ingest->figures()) : std::nullopt,
                       .process = metrics::process_usage()},
                      format);
}

std::string Ops::dump() {
  const Round& round = gather();
  return state_dump({.shards = round.shards,
                     .responding = round.responding,
                     .apps = common_.apps,
                     .settings = *running_,
                     .causes = common_.health.not_ready(),
                     .port = port_,
                     .uptime_ms = unix_ms() - start_unix_ms_,
                     .process = metrics::process_usage()});
}

// --- reload

template <typename Task>
bool Ops::everywhere(const Task& task) {
  auto answers = std::make_shared<Gather<bool>>(shards_.size());
  for (size_t i = 0; i < shards_.size(); ++i) {
    const bool taken = shards_[i]->post([answers, i, task, &shard = *shards_[i]] {
      task(shard);
      answers->put(i, true);
    });
    if (!taken) answers->put(i, std::nullopt);
  }
  return std::ranges::all_of(answers->wait(5 * kPatience), [](const auto& answer) { return answer.has_value(); });
}

void Ops::count_refused_reload() {
  ++reloads_.refused;
  reloads_.last_succeeded = false;
}

// All or nothing: everything that can be refused is refused before the first shard changes anything. Two steps, because
// shards name apps to each other by index: no shard may use an index that another does not know yet.
ReloadReport Ops::reload(const config::Settings& wanted) {
  const uint64_t begin_ms = monotonic_ms();
  ReloadReport report;
  const auto refuse = [&](std::string why) {
    count_refused_reload();
    report.outcome = ReloadReport::Outcome::kRefused;
    report.why = std::move(why);
    return report;
  };
  if (common_.health.draining()) return refuse("the server is draining");
  for (config::Change& change : config::diff(*running_, wanted)) {
    (change.needs_restart ? report.later : report.live).push_back(std::move(change));
  }
  reloads_.last_succeeded = true;
  if (report.live.empty()) {
    ++reloads_.unchanged;
    report.ms = monotonic_ms() - begin_ms;
    return report;
  }
  auto next = std::make_shared<const config::Settings>(config::live_part(*running_, wanted));
  const std::vector<hub::AppTable::Newcomer> newcomers = common_.apps.newcomers(next->apps);
  if (common_.apps.size() + newcomers.size() > hub::AppTable::kAppsEverMax) {
    return refuse("more than " + std::to_string(hub::AppTable::kAppsEverMax) +
                  " apps have come and gone since the start; a restart is needed");
  }
  common_.apps.extend(newcomers);
  if (!everywhere([newcomers](Shard& shard) { shard.add_apps(newcomers); })) {
    return refuse("a shard did not answer in time");
  }
  common_.apps.apply(next->apps);
  auto closed = std::make_shared<std::atomic<uint64_t>>(0);
  report.late = !everywhere([next, closed](Shard& shard) { closed->fetch_add(shard.apply(next)); });
  if (report.late) log::event(log::Level::kWarn, "reload_late", {{"text", "a shard follows when it turns again"}});
  running_ = next;
  set_health_limits();
  log::set_level(log::level_from(running_->log.level));
  ++reloads_.applied;
  report.outcome = ReloadReport::Outcome::kApplied;
  report.connections_closed = closed->load();
  report.ms = monotonic_ms() - begin_ms;
  return report;
}

}  // namespace kilat::app
