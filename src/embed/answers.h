// What stands behind io::Ack and io::Next. Owner: shared by the copies of the handle; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "embed/socket_state.h"
#include "kilat/handler.h"
#include "kilat/socket.h"

namespace kilat::io {

struct Ack::State {
  State(const std::shared_ptr<detail::SocketState>& socket_in, uint64_t id_in) : socket(socket_in), id(id_in) {}
  std::weak_ptr<detail::SocketState> socket;
  uint64_t id;
  std::atomic<bool> used{false};
};

struct Next::State {
  using Go = std::function<void(embed::ShardSide& side, const std::optional<Refusal>& refusal)>;
  State(std::shared_ptr<detail::Link> link_in, hub::ShardIndex shard_in, Go go_in)
      : link(std::move(link_in)), shard(shard_in), go(std::move(go_in)) {}
  /// Nobody can decide any more: that is a refusal.
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void decide(std::optional<Refusal> refusal);

  std::shared_ptr<detail::Link> link;
  hub::ShardIndex shard;
  Go go;
  std::atomic<bool> decided{false};
};

}  // namespace kilat::io
