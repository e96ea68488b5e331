// Ops: the thread that looks after the shards: gathers their figures for scrapes and dumps, carries reloads to them,
// asks each for a sign of life once a second, and tells systemd.
// Owner: Server; starts after the shards, ends after they have ended. Other threads hand it work with submit().
// Bounds: kJobsMax jobs wait; a gathering waits kPatienceMs for a shard, then goes on without it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "app/metrics_page.h"
#include "app/reload.h"
#include "app/shard_snapshot.h"
#include "config/settings.h"

namespace kilat::app {

struct Common;
class Shard;

class Ops {
 public:
  using Job = std::move_only_function<void()>;
  static constexpr size_t kJobsMax = 16;
  static constexpr uint32_t kPatienceMs = 2'000;

  Ops(Common& common, std::span<const std::unique_ptr<Shard>> shards);
  ~Ops();
  Ops(const Ops&) = delete;
  Ops& operator=(const Ops&) = delete;

  void start();
  /// Ends the thread; jobs that wait are dropped.
  void stop();

  /// Any thread. False when too many jobs wait.
  bool submit(Job job);

  // --- for jobs, on this thread
  std::string metrics(metrics::Format format);
  std::string dump();
  ReloadReport reload(const config::Settings& wanted);
  void count_refused_reload();

  /// Before start(): what only the Server knows. `certificate_expires_s` must outlive this.
  void set_server(uint16_t port, const std::atomic<int64_t>& certificate_expires_s) {
    port_ = port;
    certificate_expires_s_ = &certificate_expires_s;
  }

 private:
  struct Round {
    std::vector<ShardSnapshot> shards;
    std::vector<bool> responding;
  };
  void run();
  void beat();
  void tell_systemd(bool all_alive);
  void watch_readiness();
  void set_health_limits();
  const Round& gather();
  /// Has every shard do `task`; false when one has not done so in time.
  template <typename Task>
  bool everywhere(const Task& task);

  Common& common_;
  std::span<const std::unique_ptr<Shard>> shards_;
  std::shared_ptr<const config::Settings> running_;
  Round last_;
  ReloadCounts reloads_;
  uint64_t start_unix_ms_;
  uint64_t watchdog_ms_;
  uint64_t told_ms_ = 0;
  bool was_ready_ = true;
  uint16_t port_ = 0;
  const std::atomic<int64_t>* certificate_expires_s_ = nullptr;

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kilat::app
