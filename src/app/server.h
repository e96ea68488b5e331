// Server: all shards of one process. Thread-safe where a method says so.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/durable_history.h"
#include "app/ingest.h"
#include "app/ops.h"
#include "app/reload.h"
#include "app/shard.h"
#include "app/socket_registry.h"
#include "app/token_keys.h"
#include "base/result.h"
#include "config/listen.h"
#include "config/settings.h"

namespace kilat::app {

class Server {
 public:
  struct StartOptions {
    bool beside = false;         ///< another process may listen on the same ports: this one will take over from it
    Program* program = nullptr;  ///< that has this server inside; outlives it
    std::vector<int> sockets;    ///< listening sockets that systemd has opened, in the order of server.listen
  };
  /// Binds, starts the shards' threads, and serves when it returns. Fails with the address and the system's reason.
  static Result<std::unique_ptr<Server>> start(config::Settings settings, const StartOptions& options);
  static Result<std::unique_ptr<Server>> start(config::Settings settings) { return start(std::move(settings), {}); }
  /// Stops and joins, if that has not been done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port of the first TCP address; 0 when there is none.
  uint16_t port() const { return port_; }
  /// All addresses of server.listen, with the ports that the kernel picked.
  std::vector<config::Listen> listeners() const;
  std::string host() const { return common_.settings.server.host; }
  uint32_t shards() const { return common_.shards; }

  /// Reads the files of [tls] again; new connections get what is in them, old ones go on with what they have. All or
  /// nothing: after an error the old certificates stay in use. Any thread, one at a time.
  Result<void> reload_certificates();
  /// When the first certificate expires, in seconds since 1970; 0 without TLS. Any thread.
  int64_t certificate_expires_unix_s() const { return certificate_expires_s_.load(std::memory_order_relaxed); }

  /// Says goodbye to all connections, spread over server.drain_ms, then stops. Any thread.
  /// /health/ready fails from now on. Where another process listens too, nothing is accepted any more.
  void drain();
  /// Stops at once. Any thread.
  void stop() { ask(Shard::Request::kStop); }

  /// Puts what can be changed live into effect in all shards, or nothing at all. Certificates are not read again.
  /// Blocks for some milliseconds; not from a shard.
  ReloadReport reload(const config::Settings& wanted);
  /// For metrics: a configuration was refused before it came to reload(). Any thread.
  void count_refused_reload() {
    ops_->submit([this] { ops_->count_refused_reload(); });
  }
  /// The state as JSON, without secrets. Blocks like reload(); empty when the server has ended.
  std::string dump_state();
  const Health& health() const { return common_.health; }
  /// How long a drain takes at most, after the last reload. Any thread.
  uint32_t drain_ms() const { return common_.drain_ms.load(std::memory_order_relaxed); }
  /// WebSocket connections now. Any thread.
  uint32_t connections() const { return common_.apps.connections().load(std::memory_order_relaxed); }
  /// After join(): connections that were cut off, because they had not gone when the drain ended.
  uint64_t cut_off() const { return common_.cut_off.load(std::memory_order_relaxed); }
  /// Where /metrics is served; 0: nowhere.
  uint16_t metrics_port() const { return metrics_port_; }

  /// Waits until all shards have ended. One thread.
  void join();

 private:
  Server(config::Settings settings, uint32_t shards, Program* program);
  Result<bool> bind(const StartOptions& options);
  Result<bool> bind_inherited(const StartOptions& options);
  Result<bool> bind_metrics(bool beside);
  Result<bool> bind_exclusively(const std::string& host, uint16_t& port, bool beside);
  bool somebody_follows() const;
  Result<bool> bind_tcp(const config::Listen& listen, const net::ListenerTraits& traits, bool beside);
  Result<bool> bind_unix(const config::Listen& listen, const net::ListenerTraits& traits, bool beside);
  void ask(Shard::Request request);
  Result<void> open_history();
  Result<void> open_socket_registry();
  Result<void> open_ingest();
  ReloadReport reload_on_ops(const config::Settings& wanted);

  Common common_;
  uint16_t port_ = 0;
  std::vector<uint16_t> ports_;
  struct SocketFile {
    std::string path;
    uint64_t id;
  };
  std::vector<SocketFile> socket_files_;  ///< removed at the end, if they are still the same
  std::atomic<int64_t> certificate_expires_s_{0};
  uint16_t metrics_port_ = 0;
  bool inherited_ = false;            ///< systemd keeps the sockets open behind us
  std::vector<uint64_t> own_inodes_;  ///< of our listening TCP sockets
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
  std::unique_ptr<DurableHistory> history_;  ///< null: no channel is durable
  std::unique_ptr<SocketRegistry> sockets_;  ///< null: Socket.IO's sockets end with the process
  std::unique_ptr<Ingest> ingest_;           ///< null: no app takes readings
  std::unique_ptr<Ops> ops_;
  std::unique_ptr<TokenKeys> token_keys_;
  net::HttpClient http_client_;  ///< its callbacks need all above, so it goes first
};

}  // namespace kilat::app
