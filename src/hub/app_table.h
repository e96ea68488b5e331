// AppTable: the apps of this process. Settings are immutable; the counters are atomics shared by all shards, touched
// when a connection opens or closes and when a limited API call comes in, never for a message to a reader.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hub/app_settings.h"
#include "hub/ids.h"

namespace kilat::hub {

/// Counts events in windows of one second, over all shards, without a lock. `cost` events at once.
class SecondWindow {
 public:
  struct Verdict {
    bool allowed;
    uint32_t remaining;
  };
  /// `limit` 0: everything is allowed. `now_ms`: unix or monotonic, but always the same clock. Any thread.
  Verdict take(uint32_t cost, uint32_t limit, uint64_t now_ms);

 private:
  std::atomic<uint64_t> state_{0};  ///< second in the upper half, count in the lower
};

struct App {
  App(AppIndex index_in, AppSettings settings_in) : index(index_in), settings(std::move(settings_in)) {}

  const AppIndex index;
  const AppSettings settings;
  std::atomic<uint32_t> connections{0};
  SecondWindow backend_events;
  SecondWindow read_requests;
};

class AppTable {
 public:
  explicit AppTable(const std::vector<AppSettings>& apps);

  /// Null when unknown. Any thread.
  App* by_key(std::string_view key) const;
  App* by_id(std::string_view id) const;
  App& operator[](AppIndex index) const { return *apps_[index]; }
  size_t size() const { return apps_.size(); }

  std::atomic<uint32_t>& connections() const { return connections_; }

 private:
  std::vector<std::unique_ptr<App>> apps_;
  std::unordered_map<std::string_view, App*> by_key_;
  std::unordered_map<std::string_view, App*> by_id_;
  mutable std::atomic<uint32_t> connections_{0};  ///< of all apps
};

}  // namespace kilat::hub
