// SocketRegistry: the records of Socket.IO sockets that outlive the process, in one file for all shards. Each shard
// hands its records over through a desk of its own, and hears on its own thread when they are on disk. Owner: Server;
// opened after the histories were restored and before the shards run, stopped after they have ended. Thread: open,
// restore and stop belong to the main thread, a desk to its shard. Bounds: store::SocketStore.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "store/socket_store.h"

namespace kilat::app {

class Shard;

class SocketRegistry {
 public:
  /// `first_order`: of the durable events of this run. Error: kDurableFileInvalid with what is wrong and what to do.
  static Result<std::unique_ptr<SocketRegistry>> open(const std::filesystem::path& file, uint64_t first_order,
                                                      std::span<const std::unique_ptr<Shard>> shards);
  ~SocketRegistry();

  /// Gives each shard the records of its sockets. Before they run.
  Result<void> restore();
  /// Writes what is under way. After the shards have ended.
  void stop();

 private:
  class Desk;

  explicit SocketRegistry(std::span<const std::unique_ptr<Shard>> shards);
  void deliver(uint64_t ticket, uint64_t shards);

  std::span<const std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Desk>> desks_;
  std::unique_ptr<store::SocketStore> store_;
};

}  // namespace kilat::app
