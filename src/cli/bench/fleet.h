// The WebSocket connections of a run: opens them at a rate, subscribes each to its channel, hands what arrives to the
// ledger, answers and sends pings. Owner: the run; one thread.
// Bounds: the plan's connections, all made at start; kPendingMax of them connecting at a time.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "auth/hmac.h"
#include "base/random.h"
#include "cli/bench/complaints.h"
#include "cli/bench/histogram.h"
#include "cli/bench/ledger.h"
#include "cli/bench/marker.h"
#include "cli/bench/plan.h"
#include "cli/bench/socket.h"

namespace kilat::cli::bench {

class Subscriber;

class Fleet {
 public:
  static constexpr size_t kPendingMax = 128;
  static constexpr uint64_t kConnectTimeoutNs = 30'000'000'000;

  Fleet(const Plan& plan, Wire& wire, Ledger& ledger, Complaints& complaints);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// Starts connections that are due, gives up on those that take too long, and keeps the rest alive.
  void turn(uint64_t now_ns);
  /// No more connections are started.
  void stop_connecting();
  /// When turn() has something to do, at the latest.
  uint64_t next_ns(uint64_t now_ns) const;

  /// Every connection is subscribed or has failed.
  bool settled() const { return started_ == plan_.shape.connections && pending_.empty(); }
  uint32_t established() const { return established_; }  ///< were subscribed at some time
  uint32_t live() const { return live_; }                ///< are subscribed now
  uint32_t failed() const { return failed_; }
  uint32_t dropped() const { return dropped_; }
  /// Times from connect() to pusher:connection_established.
  const Histogram& connect_ns() const { return connect_ns_; }
  /// Connections established in a second, from the first attempt to the last that came about.
  double connects_per_second() const;

  bool is_live(uint32_t connection) const;
  /// Whether a message from this connection would go out now.
  bool can_send(uint32_t connection) const;
  /// Sends a text message; only where can_send().
  void send_text(uint32_t connection, std::string_view text);
  /// Says goodbye on all connections and closes them.
  void close();

 private:
  friend class Subscriber;

  void start(uint64_t now_ns);
  void expire(uint64_t now_ns);
  void ping(uint64_t now_ns);
  uint32_t mask() { return static_cast<uint32_t>(random_.next()); }

  const Plan& plan_;
  Wire& wire_;
  Ledger& ledger_;
  Complaints& complaints_;
  MarkerFinder finder_;
  auth::HmacSha256 hmac_;
  Random random_;
  std::vector<std::unique_ptr<Subscriber>> members_;
  std::deque<uint32_t> pending_;  // connecting, oldest first
  uint32_t started_ = 0;
  uint32_t established_ = 0;
  uint32_t live_ = 0;
  uint32_t failed_ = 0;
  uint32_t dropped_ = 0;
  uint64_t start_ns_ = 0;
  uint64_t last_established_ns_ = 0;
  uint64_t ping_interval_ns_;
  uint64_t pings_ = 0;
  Histogram connect_ns_;
};

}  // namespace kilat::cli::bench
