// SocketSide: the Socket.IO handlers of a program, on one shard. Owner: ShardSide.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "embed/socket_state.h"
#include "socketio/emitter.h"
#include "socketio/handlers.h"

namespace kilat::embed {

class ShardSide;

using io::detail::SocketState;
using StatePtr = std::shared_ptr<SocketState>;

class SocketSide final : public socketio::Handlers {
 public:
  explicit SocketSide(ShardSide& side) : side_(side) {}

  void on_connecting(socketio::Session& session, socketio::Socket& socket, std::string_view auth) override;
  void on_connected(socketio::Socket& socket, bool recovered) override;
  bool on_event(socketio::Socket& socket, const socketio::EventContent& event, std::optional<uint64_t> ack,
                std::span<const std::string> attachments) override;
  bool on_ack(socketio::Socket& socket, uint64_t id, std::string_view payload,
              std::span<const std::string> attachments) override;
  void on_gone(socketio::Socket& socket, Reason reason) noexcept override;

  // For handles, on the shard of the socket.
  bool emit(SocketState& state, std::string_view event, const io::Message& message, bool is_volatile);
  bool ask(const StatePtr& state, std::string_view event, const io::Message& message, uint64_t wait_ms,
           io::ReplyHandler handler);
  bool join(SocketState& state, const std::string& room);
  bool leave(SocketState& state, const std::string& room);
  bool disconnect(SocketState& state, bool close);
  std::vector<std::string> rooms(const SocketState& state) const;

  /// A step of the middleware of the namespace, from `index` on; `refusal`: what the one before has said.
  void go_on_connecting(const StatePtr& state, size_t index, const std::optional<io::Refusal>& refusal);
  /// The same for an event that passes the middleware of its socket.
  void go_on_event(const StatePtr& state, size_t index, const std::string& event, const io::Args& args,
                   const io::Ack& ack);

 private:
  struct Step;
  StatePtr remember(socketio::Session& session, socketio::Socket& socket, std::string_view auth);
  void call_event(const StatePtr& state, const std::string& event, const io::Args& args, const io::Ack& ack);
  bool wants(const SocketState& state, const std::string& event) const;
  void answer_asked(const StatePtr& state, uint64_t id, const io::Reply& reply);
  static void on_timeout(Timer& timer);

  ShardSide& side_;
};

}  // namespace kilat::embed
