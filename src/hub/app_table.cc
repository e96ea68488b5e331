#include "hub/app_table.h"

#include <unordered_set>
#include <utility>

namespace kilat::hub {

SecondWindow::Verdict SecondWindow::take(uint32_t cost, uint32_t limit, uint64_t now_ms) {
  if (limit == 0) return {true, 0};
  const uint64_t second = (now_ms / 1000) & UINT32_MAX;
  uint64_t seen = state_.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t used = (seen >> 32) == second ? (seen & UINT32_MAX) : 0;
    if (used + cost > limit) return {false, static_cast<uint32_t>(limit > used ? limit - used : 0)};
    if (state_.compare_exchange_weak(seen, (second << 32) | (used + cost), std::memory_order_relaxed)) {
      return {true, static_cast<uint32_t>(limit - used - cost)};
    }
  }
}

AppTable::AppTable(const std::vector<AppSettings>& apps) : connections_(std::make_shared<std::atomic<uint32_t>>(0)) {
  for (const AppSettings& settings : apps) {
    apps_.push_back(
        std::make_unique<App>(static_cast<AppIndex>(apps_.size()), settings, std::make_shared<AppCounters>()));
  }
  index();
}

AppTable::AppTable(const AppTable& other) : connections_(other.connections_) {
  for (const auto& app : other.apps_) {
    apps_.push_back(std::make_unique<App>(app->index, app->settings, app->shared));
    apps_.back()->present = app->present;
  }
  index();
}

void AppTable::index() {
  by_key_.clear();
  by_id_.clear();
  for (const auto& app : apps_) {
    if (!app->present) continue;
    by_key_.emplace(app->settings.key, app.get());
    by_id_.emplace(app->settings.id, app.get());
  }
}

std::vector<AppTable::Newcomer> AppTable::newcomers(const std::vector<AppSettings>& wanted) const {
  std::unordered_set<std::string_view> known;
  for (const auto& app : apps_) known.insert(app->settings.id);
  std::vector<Newcomer> out;
  for (const AppSettings& settings : wanted) {
    if (!known.contains(settings.id)) out.push_back({settings, std::make_shared<AppCounters>()});
  }
  return out;
}

void AppTable::extend(const std::vector<Newcomer>& newcomers) {
  for (const Newcomer& newcomer : newcomers) {
    apps_.push_back(std::make_unique<App>(static_cast<AppIndex>(apps_.size()), newcomer.settings, newcomer.counters));
    apps_.back()->present = false;
  }
}

std::vector<AppIndex> AppTable::apply(const std::vector<AppSettings>& wanted) {
  std::unordered_map<std::string_view, const AppSettings*> by_id;
  for (const AppSettings& settings : wanted) by_id.emplace(settings.id, &settings);
  // The maps look into the settings, so they go first.
  by_key_.clear();
  by_id_.clear();
  std::vector<AppIndex> out;
  for (const auto& app : apps_) {
    const bool served = app->present && app->settings.enabled;
    const auto found = by_id.find(app->settings.id);
    app->present = found != by_id.end();
    if (app->present) app->settings = *found->second;
    if (served && !(app->present && app->settings.enabled)) out.push_back(app->index);
  }
  index();
  return out;
}

App* AppTable::by_key(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

App* AppTable::by_id(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

}  // namespace kilat::hub
