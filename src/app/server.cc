#include "app/server.h"

#include <algorithm>
#include <utility>

namespace kilat::app {

Result<std::unique_ptr<Server>> Server::start(config::Settings settings) {
  uint32_t shards = settings.server.shards != 0 ? settings.server.shards : std::thread::hardware_concurrency();
  shards = std::clamp<uint32_t>(shards, 1, hub::kShardsMax);
  std::unique_ptr<Server> server(new Server(std::move(settings), shards));
  TRY([[maybe_unused]] const bool bound, server->bind());
  for (const auto& shard : server->shards_) server->threads_.emplace_back([&shard = *shard] { shard.run(); });
  return server;
}

Server::Server(config::Settings settings, uint32_t shards) : common_(std::move(settings), shards) {
  for (uint32_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(common_, i));
}

Server::~Server() {
  stop();
  join();
}

Result<bool> Server::bind() {
  const config::ServerSettings& settings = common_.settings.server;
  // SO_REUSEPORT would let a second server start on the same port unnoticed: the first bind is an exclusive trial.
  {
    int trial = -1;
    TRY(trial, net::listen_on(settings.host, settings.port, false));
    port_ = net::bound_port(trial);
    net::close_socket(trial);
  }
  for (const auto& shard : shards_) {
    int fd = -1;
    TRY(fd, net::listen_on(settings.host, port_, true));
    shard->listen(fd);
  }
  return true;
}

void Server::ask(Shard::Request request) {
  for (const auto& shard : shards_) shard->ask(request);
}

void Server::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace kilat::app
