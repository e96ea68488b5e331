// Runtime: a running server of a program: its settings, its shards, its timers. Owner: kilat::Server; any thread, where
// a method does not say otherwise.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/program.h"
#include "app/server.h"
#include "config/settings.h"
#include "embed/http_side.h"
#include "embed/link.h"
#include "embed/pusher_side.h"
#include "embed/repeating.h"
#include "kilat/server.h"

namespace kilat::embed {

class Runtime final : public app::Program {
 public:
  Runtime(Options options, std::shared_ptr<io::detail::Link> link, std::shared_ptr<PusherTable> pusher,
          std::shared_ptr<RouteTable> routes)
      : options_(std::move(options)), link_(std::move(link)), pusher_(std::move(pusher)), routes_(std::move(routes)) {}

  /// One thread, once.
  std::expected<void, std::string> start();
  /// Null before start().
  app::Server* server() const { return server_.get(); }
  AppCredentials credentials() const;
  uint32_t shards() const { return shards_; }

  /// A task for a shard: each in turn.
  bool post(io::detail::Link::Task task);
  TimerHandle repeat(std::chrono::milliseconds first, std::chrono::milliseconds interval,
                     std::function<void()> function);

  std::unique_ptr<app::ShardProgram> join(app::Shard& shard) override;

 private:
  std::expected<config::Settings, std::string> settings() const;

  Options options_;
  std::shared_ptr<io::detail::Link> link_;
  std::shared_ptr<PusherTable> pusher_;
  std::shared_ptr<RouteTable> routes_;
  std::unique_ptr<app::Server> server_;
  AppCredentials credentials_;
  uint32_t shards_ = 1;
  std::atomic<uint32_t> next_{0};
  std::mutex mutex_;
  std::vector<RepeatingPtr> before_start_;  ///< timers that begin with the server
  bool running_ = false;
};

}  // namespace kilat::embed
