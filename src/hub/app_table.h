// AppTable: the apps as one shard sees them. Each shard has a table of its own, so that a reload can change it between
// two turns without a lock; all tables give an app the same index. The counters are atomics shared by all shards,
// touched when a connection opens or closes and when a limited API call comes in, never for a message to a reader.
// Bound: an index is never given to another app, so a table holds at most kAppsEverMax apps, those that were removed
// included.
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

/// What all shards count together.
struct AppCounters {
  std::atomic<uint32_t> connections{0};
  SecondWindow backend_events;
  SecondWindow read_requests;
  SecondWindow connects;
};

struct App {
  App(AppIndex index_in, AppSettings settings_in, std::shared_ptr<AppCounters> shared_in)
      : index(index_in),
        settings(std::move(settings_in)),
        shared(std::move(shared_in)),
        connections(shared->connections),
        backend_events(shared->backend_events),
        read_requests(shared->read_requests) {}

  const AppIndex index;
  AppSettings settings;  ///< changed between two turns of the shard, by a reload
  const std::shared_ptr<AppCounters> shared;
  std::atomic<uint32_t>& connections;
  SecondWindow& backend_events;
  SecondWindow& read_requests;
  bool present = true;  ///< false: removed, or not yet there; nobody finds it, but its index stays valid
};

class AppTable {
 public:
  static constexpr size_t kAppsEverMax = 20'000;

  explicit AppTable(const std::vector<AppSettings>& apps);
  /// The same apps for another shard: own settings, the same counters.
  AppTable(const AppTable& other);
  AppTable& operator=(const AppTable&) = delete;

  // A reload, in two steps, because shards name apps to each other by index: first every shard learns of the new
  // indices with extend(), then each puts the settings into effect with apply().
  struct Newcomer {
    AppSettings settings;
    std::shared_ptr<AppCounters> counters;
  };
  /// Those of `wanted` that have no index yet.
  std::vector<Newcomer> newcomers(const std::vector<AppSettings>& wanted) const;
  void extend(const std::vector<Newcomer>& newcomers);
  /// Every app of `wanted` has an index; all others are removed. Returns the indices of apps that were removed or
  /// disabled by this call.
  std::vector<AppIndex> apply(const std::vector<AppSettings>& wanted);

  /// Null when unknown. Any thread.
  App* by_key(std::string_view key) const;
  App* by_id(std::string_view id) const;
  App& operator[](AppIndex index) const { return *apps_[index]; }
  size_t size() const { return apps_.size(); }

  std::atomic<uint32_t>& connections() const { return *connections_; }

 private:
  void index();

  std::vector<std::unique_ptr<App>> apps_;
  std::unordered_map<std::string_view, App*> by_key_;
  std::unordered_map<std::string_view, App*> by_id_;
  std::shared_ptr<std::atomic<uint32_t>> connections_;  ///< of all apps
};

}  // namespace kilat::hub
