// Server: all shards of one process. Thread-safe where a method says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/shard.h"
#include "base/result.h"
#include "config/settings.h"

namespace kilat::app {

class Server {
 public:
  /// Binds, starts the shards' threads, and serves when it returns. Fails with the address and the system's reason.
  static Result<std::unique_ptr<Server>> start(config::Settings settings);
  /// Stops and joins, if that has not been done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const { return port_; }
  std::string host() const { return common_.settings.server.host; }
  uint32_t shards() const { return common_.shards; }

  /// Says goodbye to all connections, spread over server.drain_ms, then stops. Any thread.
  void drain() { ask(Shard::Request::kDrain); }
  /// Stops at once. Any thread.
  void stop() { ask(Shard::Request::kStop); }
  /// Waits until all shards have ended. One thread.
  void join();

 private:
  Server(config::Settings settings, uint32_t shards);
  Result<bool> bind();
  void ask(Shard::Request request);

  Common common_;
  uint16_t port_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
};

}  // namespace kilat::app
