// Health: whether this process should get traffic (ready) and whether it should be restarted (live), with the causes.
// Shared by all threads: atomics, written about once a second by the thread of Ops and by each shard for itself.
// Ready fails fast: one cause is enough. Live fails slowly: only when a shard has left kStuckBeats questions in a row
// without an answer, because the remedy is a restart, which costs every client its connection. Questions are counted,
// and not time, so that a process which was suspended as a whole is well when it goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/response.h"

namespace kilat::app {

struct Cause {
  std::string_view id;  ///< stable: "draining"
  std::string text;     ///< for people
};

class Health {
 public:
  static constexpr uint64_t kBeatMs = 1'000;
  static constexpr uint32_t kLateBeats = 5;    ///< with more than these the server is not ready
  static constexpr uint32_t kStuckBeats = 30;  ///< and with more than these, not live
  static constexpr uint64_t kBudgetPercent = 90;

  explicit Health(uint32_t shards);

  // --- each shard, for itself
  struct Pulse {
    std::atomic<uint32_t> missed{0};  ///< questions since the last answer; counted by Ops, set to 0 by the shard
    std::atomic<uint64_t> outbox_bytes{0};
    std::atomic<bool> accepting{true};
  };
  Pulse& pulse(uint32_t shard) { return pulses_[shard]; }

  // --- Ops, or the main thread before the shards run
  struct Limits {
    uint64_t outbox_budget_bytes = 0;  ///< of each shard
    uint32_t connections_max = 0;      ///< 0: none
    uint32_t memory_percent_max = 0;   ///< 0: none
  };
  void set_limits(const Limits& limits);
  void set_connections(uint32_t connections) { connections_.store(connections, std::memory_order_relaxed); }
  void set_memory(uint64_t used_bytes, uint64_t limit_bytes);
  /// Whether events of durable channels can be written.
  void set_history(bool healthy) { history_.store(healthy, std::memory_order_relaxed); }
  /// Whether readings can be written.
  void set_ingest(bool healthy) { ingest_.store(healthy, std::memory_order_relaxed); }

  /// Any thread; never taken back.
  void start_draining() { draining_.store(true, std::memory_order_release); }
  bool draining() const { return draining_.load(std::memory_order_acquire); }

  /// Why the server is not ready; empty when it is.
  std::vector<Cause> not_ready() const;
  std::vector<Cause> not_live() const;
  /// Soketi's /accept-traffic: draining, or too little memory.
  std::vector<Cause> no_traffic() const;

  uint64_t memory_used() const { return memory_used_.load(std::memory_order_relaxed); }
  uint64_t memory_limit() const { return memory_limit_.load(std::memory_order_relaxed); }

 private:
  uint32_t most_missed() const;
  void add_draining(std::vector<Cause>& causes) const;
  void add_memory(std::vector<Cause>& causes) const;

  std::vector<Pulse> pulses_;
  std::atomic<bool> draining_{false};
  std::atomic<uint64_t> outbox_budget_{0};
  std::atomic<uint32_t> connections_{0};
  std::atomic<uint32_t> connections_max_{0};
  std::atomic<uint32_t> memory_percent_max_{0};
  std::atomic<uint64_t> memory_used_{0};
  std::atomic<uint64_t> memory_limit_{0};
  std::atomic<bool> history_{true};
  std::atomic<bool> ingest_{true};
};

/// Whether `path` (without the prefix) asks for health: our own /health/live and /health/ready, Soketi's /, /ready and
/// /accept-traffic, Reverb's /up.
bool is_health_path(std::string_view path);

/// The answer to such a path: 200, or 503 with every cause. Any thread.
http::Response health_answer(std::string_view path, const Health& health);

/// Soketi's /usage: {"memory":{"free","used","total","percent"}}.
http::Response usage_answer(const Health& health);

}  // namespace kilat::app
