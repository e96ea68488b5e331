#include "app/health.h"

#include <algorithm>
#include <array>

#include "api/answer.h"
#include "base/json_text.h"

namespace kilat::app {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::array<std::string_view, 6> kPaths{"/",   "/ready",       "/accept-traffic",
                                                 "/up", "/health/live", "/health/ready"};

std::string megabytes(uint64_t bytes) {
  return std::to_string(bytes / (1024 * 1024)) + " MiB";
}

http::Response refused(const std::vector<Cause>& causes) {
  std::string json = R"({"status":"unavailable","cause":)" + json_string(causes.front().id) + R"(,"causes":[)";
  for (size_t i = 0; i < causes.size(); ++i) {
    if (i > 0) json += ',';
    json += R"({"cause":)" + json_string(causes[i].id) + R"(,"text":)" + json_string(causes[i].text) + "}";
  }
  json += "]}";
  return {.status = 503,
          .content_type = api::kJson,
          .cache_control = "no-store",
          .body = std::move(json),
          .headers = {{"Retry-After", "1"}}};
}

}  // namespace

Health::Health(uint32_t shards) : pulses_(shards) {}

void Health::set_limits(const Limits& limits) {
  outbox_budget_.store(limits.outbox_budget_bytes, std::memory_order_relaxed);
  connections_max_.store(limits.connections_max, std::memory_order_relaxed);
  memory_percent_max_.store(limits.memory_percent_max, std::memory_order_relaxed);
}

void Health::set_memory(uint64_t used_bytes, uint64_t limit_bytes) {
  memory_used_.store(used_bytes, std::memory_order_relaxed);
  memory_limit_.store(limit_bytes, std::memory_order_relaxed);
}

uint32_t Health::most_missed() const {
  uint32_t most = 0;
  for (const Pulse& pulse : pulses_) most = std::max(most, pulse.missed.load(std::memory_order_relaxed));
  return most;
}

void Health::add_draining(std::vector<Cause>& causes) const {
  if (draining()) causes.push_back({"draining", "the server says goodbye to its connections"});
}

void Health::add_memory(std::vector<Cause>& causes) const {
  const uint64_t percent_max = memory_percent_max_.load(std::memory_order_relaxed);
  const uint64_t limit = memory_limit();
  if (percent_max == 0 || limit == 0 || memory_used() <= limit / 100 * percent_max) return;
  causes.push_back({"memory", megabytes(memory_used()) + " of " + megabytes(limit) + " in use, more than " +
                                  std::to_string(percent_max) + " %"});
}

std::vector<Cause> Health::not_ready() const {
  std::vector<Cause> causes;
  add_draining(causes);
  if (most_missed() > kLateBeats) causes.push_back({"shard_late", "a shard does not answer in time"});
  const uint64_t budget = outbox_budget_.load(std::memory_order_relaxed);
  for (const Pulse& pulse : pulses_) {
    const uint64_t outbox = pulse.outbox_bytes.load(std::memory_order_relaxed);
    if (budget != 0 && outbox > budget / 100 * kBudgetPercent) {
      causes.push_back({"over_budget", "outboxes and unfinished input of a shard hold " + megabytes(outbox) + " of " +
                                           megabytes(budget) + " (limits.shard_budget_bytes)"});
      break;
    }
  }
  const auto rests = [](const Pulse& pulse) { return !pulse.accepting.load(std::memory_order_relaxed); };
  if (std::ranges::any_of(pulses_, rests)) causes.push_back({"no_open_files", "no file is left for new connections"});
  const uint32_t most = connections_max_.load(std::memory_order_relaxed);
  if (most != 0 && connections_.load(std::memory_order_relaxed) >= most) {
    causes.push_back({"full", "server.max_connections is reached"});
  }
  if (!history_.load(std::memory_order_relaxed)) {
    causes.push_back({"history_failing", "events of durable channels can't be written (history.file)"});
  }
  if (!ingest_.load(std::memory_order_relaxed)) {
    causes.push_back({"ingest_failing", "readings can't be written (ingest.file)"});
  }
  add_memory(causes);
  return causes;
}

std::vector<Cause> Health::not_live() const {
  if (most_missed() <= kStuckBeats) return {};
  return {{"shard_stuck", "a shard has not answered for " + std::to_string(kStuckBeats * kBeatMs / 1000) + " s"}};
}

std::vector<Cause> Health::no_traffic() const {
  std::vector<Cause> causes;
  add_draining(causes);
  add_memory(causes);
  return causes;
}

bool is_health_path(std::string_view path) {
  return std::ranges::find(kPaths, path) != kPaths.end();
}

http::Response health_answer(std::string_view path, const Health& health) {
  std::vector<Cause> causes;
  if (path == "/ready" || path == "/health/ready") causes = health.not_ready();
  if (path == "/health/live") causes = health.not_live();
  if (path == "/accept-traffic") causes = health.no_traffic();
  if (!causes.empty()) return refused(causes);
  if (path == "/up") return {.status = 200, .content_type = api::kJson, .body = R"({"health":"OK"})"};
  if (!path.starts_with("/health/")) return {.status = 200, .content_type = kText, .body = "OK"};
  return {.status = 200,
          .content_type = api::kJson,
          .cache_control = "no-store",
          .body = path == "/health/live" ? R"({"status":"live"})" : R"({"status":"ready"})"};
}

http::Response usage_answer(const Health& health) {
  const uint64_t total = health.memory_limit();
  const uint64_t used = std::min(health.memory_used(), total);
  const double percent = total == 0 ? 0 : 100.0 * static_cast<double>(used) / static_cast<double>(total);
  return {.status = 200,
          .content_type = api::kJson,
          .body = R"({"memory":{"free":)" + std::to_string(total - used) + R"(,"used":)" + std::to_string(used) +
                  R"(,"total":)" + std::to_string(total) + R"(,"percent":)" + std::to_string(percent) + "}}"};
}

}  // namespace kilat::app
