// Shard: one thread with its event loop and everything it owns: listener, connections, timers, hub, HTTP API.
// Nothing here is touched by another thread, except through the mailbox and ask().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/service.h"
#include "app/connection.h"
#include "app/linger.h"
#include "app/sink.h"
#include "base/timer_wheel.h"
#include "config/settings.h"
#include "hub/shard_hub.h"
#include "net/listener.h"
#include "net/mailbox.h"
#include "net/stream.h"
#include "pusher/session.h"

namespace kilat::app {

/// What all shards share: settings that do not change, the app counters, and the rings between the shards.
struct Common {
  Common(config::Settings settings_in, uint32_t shards_in);

  const config::Settings settings;
  const uint32_t shards;
  hub::AppTable apps;
  net::MailGrid<hub::Command> mail;
  uint32_t node = 0;  ///< random part of this process in its socket ids
  /// Shards that drain and have no connection left. All end together, because the others may still need the channels
  /// whose home a shard is, and the kernel still hands it new connections.
  std::atomic<uint32_t> drained{0};
};

class Shard final : private net::AcceptHandler, private net::SlowReaderPolicy, private api::ServiceHost {
 public:
  enum class Request : uint8_t { kNone, kDrain, kStop };

  Shard(Common& common, uint32_t index);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Takes over a listening socket. Before run().
  void listen(int fd);
  /// The shard's life, on its own thread: returns after a stop, or when a drain has ended.
  void run();
  /// Any thread; a later request counts if it is a stronger one.
  void ask(Request request);

  // --- for the connections of this shard
  const config::Settings& settings() const { return common_.settings; }
  hub::AppTable& apps() { return common_.apps; }
  net::Reactor& reactor() { return reactor_; }
  TimerWheel& wheel() { return wheel_; }
  pusher::Shard& pusher() { return pusher_; }
  api::Service& service() { return service_; }
  uint64_t now_ms() const { return now_ms_; }
  uint64_t unix_now_ms() const { return unix_now_ms_; }
  std::string_view http_date();
  bool draining() const { return draining_; }
  hub::SocketId new_socket_id();
  uint64_t next_http_id() { return ++last_http_id_; }

  void note_waiting(uint64_t http_id, HttpSession& session) { waiting_[http_id] = &session; }
  void forget_waiting(uint64_t http_id) { waiting_.erase(http_id); }
  void start_tail(Taps::Tap tap);
  void end_tail(const net::Outbox& outbox);
  void bury(Connection& connection);
  void log_refusal(Reason reason, std::string_view path) const;

 private:
  static constexpr size_t kMailPerTurn = 1024;  ///< from each shard, so that sockets are not starved by mail
  static constexpr uint64_t kSweepMs = 250;

  void on_accepted(int fd) override;
  void on_slow_reader(net::StreamHandler& handler, Reason reason) override;
  void answer(api::Ticket ticket, const http::Response& response) override;

  void turn();
  int64_t wait_us();
  void read_clocks();
  void start_drain();
  void drain_some();
  bool finished();

  Common& common_;
  uint32_t index_;
  uint64_t now_us_;
  uint64_t now_ms_;
  uint64_t unix_now_ms_ = 0;
  LingerController linger_;
  net::Reactor reactor_;
  net::Wakeup wakeup_;
  net::Mailbox<hub::Command> mailbox_;
  TimerWheel wheel_;
  ShardSink sink_;
  hub::ShardHub hub_;
  pusher::Shard pusher_;
  api::Service service_;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_map<uint64_t, HttpSession*> waiting_;  ///< HTTP sessions that may get an answer later
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> graves_;  ///< closed in this turn; freed at its end
  std::unordered_map<const net::Outbox*, hub::AppIndex> tails_;
  std::atomic<Request> request_{Request::kNone};
  uint64_t last_http_id_ = 0;
  uint64_t swept_ms_ = 0;
  std::string http_date_;
  uint64_t http_date_s_ = 0;
  uint64_t drain_from_ms_ = 0;
  uint64_t drain_until_ms_ = 0;
  size_t drain_total_ = 0;
  size_t drain_closed_ = 0;
  bool draining_ = false;
  bool drained_ = false;  ///< counted in Common::drained
  bool stopped_ = false;
};

}  // namespace kilat::app
