// Target: what an io::Rooms has chosen. Immutable once it is shared; any thread. Bound: kChosenMax names of each kind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "embed/link.h"
#include "hub/ids.h"
#include "socketio/letters.h"

namespace kilat::io::detail {

struct Target {
  static constexpr size_t kChosenMax = 1'000;

  std::shared_ptr<Link> link;  ///< null: of a socket that is gone
  hub::ShardIndex shard = 0;   ///< does the work when the caller is no shard
  std::string nsp;
  bool everybody = true;
  std::vector<std::string> rooms;
  std::vector<hub::SocketId> sockets;
  std::vector<std::string> except_rooms;
  std::vector<hub::SocketId> except_sockets;
  bool is_volatile = false;
  uint64_t wait_ms = 30'000;
};

}  // namespace kilat::io::detail
