// SocketState: what stands behind an io::Socket. Owner: the socket of the server; handles hold it weakly. Belongs to
// the shard, except for what is const after its making, and `connected`.
#pragma once

#include <any>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.h"
#include "embed/link.h"
#include "hub/ids.h"
#include "kilat/socket.h"
#include "socketio/first_request.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::io::detail {

struct SocketState;

/// An acknowledgement that a client is asked for. Its timer ends it.
struct Asked : Timer {
  explicit Asked(Callback callback) : Timer(callback) {}
  embed::ShardSide* side = nullptr;
  std::weak_ptr<SocketState> socket;
  uint64_t id = 0;
  std::string event;
  ReplyHandler handler;
};

struct SocketState final : socketio::SocketMemory {
  static constexpr size_t kAskedMax = 1'000;

  // Never changed.
  std::shared_ptr<Link> link;
  hub::ShardIndex shard = 0;
  const NamespaceHandlers* nsp = nullptr;
  hub::SocketId socket_id;
  std::string id;
  Handshake handshake;  ///< without what is in `request`, which the sockets of a client share
  socketio::FirstRequestPtr request;

  std::atomic<bool> connected{false};

  // The shard's.
  socketio::Socket* socket = nullptr;    ///< null when it has ended
  socketio::Session* session = nullptr;  ///< while middleware decides
  bool recovered = false;
  embed::TextMap<std::shared_ptr<EventHandler>> events;
  std::vector<std::shared_ptr<Socket::AnyHandler>> any;
  std::vector<std::shared_ptr<Socket::DisconnectHandler>> disconnect;
  std::vector<std::shared_ptr<Socket::Middleware>> middleware;
  std::unordered_map<uint64_t, std::unique_ptr<Asked>> asked;
  std::vector<std::string> rooms;  ///< to be joined once it is connected; after its end: those it was in
  std::any data;
};

}  // namespace kilat::io::detail
