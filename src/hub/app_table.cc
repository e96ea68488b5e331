#include "hub/app_table.h"

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

AppTable::AppTable(const std::vector<AppSettings>& apps) {
  for (const AppSettings& settings : apps) {
    auto app = std::make_unique<App>(static_cast<AppIndex>(apps_.size()), settings);
    by_key_.emplace(app->settings.key, app.get());
    by_id_.emplace(app->settings.id, app.get());
    apps_.push_back(std::move(app));
  }
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
