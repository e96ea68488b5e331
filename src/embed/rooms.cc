// io::Rooms: choices of sockets, carried out by the Emitter of the shard that is at hand.
#include <algorithm>

#include "embed/rooms_target.h"
#include "embed/shard_side.h"
#include "embed/text.h"
#include "hub/channel_name.h"
#include "hub/event_name.h"
#include "kilat/socket.h"
#include "socketio/emitter.h"

namespace kilat::io {

using detail::Target;
using embed::ShardSide;
using socketio::Operation;

namespace {

std::optional<socketio::Selection> selection_of(const Target& target, ShardSide& side) {
  const socketio::Shard& shard = side.shard().socketio();
  const socketio::Namespace* nsp = shard.find_namespace(target.nsp);
  if (nsp == nullptr) return std::nullopt;
  socketio::Selection to;
  to.nsp = static_cast<size_t>(nsp - shard.options.namespaces.data());
  to.everybody = target.everybody;
  for (const std::string& room : target.rooms) {
    to.channels.push_back(socketio::channel_of(room, nsp->scope));
    if (!hub::valid_channel_name(to.channels.back(), false)) return std::nullopt;
  }
  to.sockets = target.sockets;
  for (const std::string& room : target.except_rooms) {
    to.except.channels.push_back(socketio::channel_of(room, nsp->scope));
  }
  to.except.sockets = target.except_sockets;
  return to;
}

bool emit_here(ShardSide& side, const Target& target, std::string_view event, const Message& message,
               std::string_view list, const RepliesHandler* handler) {
  std::optional<socketio::Selection> to = selection_of(target, side);
  if (!to) return false;
  const std::vector<std::string_view> attachments(message.attachments.begin(), message.attachments.end());
  const socketio::Emitter::Event emitted{
      .name = event, .list = list, .attachments = attachments, .is_volatile = target.is_volatile};
  socketio::Emitter& emitter = *side.shard().socketio().emitter;
  if (handler == nullptr) return emitter.emit(emitted, std::move(*to)) == Reason::kNone;
  return emitter.ask(
      emitted, std::move(*to), target.wait_ms,
      [&side, name = std::string(event), handler = *handler](std::vector<std::string> acks, uint64_t asked) mutable {
        // Later, because this comes in the middle of other work.
        side.later([&side, name, handler, acks = std::move(acks), asked] {
          Replies replies;
          replies.asked = asked;
          for (const std::string& ack : acks) {
            replies.values.push_back(embed::value_of(ack).value_or(nullptr));
          }
          side.guard("acknowledgements", name, [&] { handler(replies); });
        });
      });
}

bool emit_to(const std::shared_ptr<const Target>& target, std::string_view event, Message message,
             std::optional<RepliesHandler> handler) {
  if (!target->link || hub::reserved_by_socketio(event)) return false;
  std::optional<std::string> list = embed::list_of(message);
  if (!list) return false;
  if (ShardSide* side = target->link->here()) {
    return emit_here(*side, *target, event, message, *list, handler ? &*handler : nullptr);
  }
  return target->link->post(target->shard, [target, event = std::string(event), message = std::move(message),
                                            list = std::move(*list), handler = std::move(handler)](ShardSide& side) {
    emit_here(side, *target, event, message, list, handler ? &*handler : nullptr);
  });
}

bool valid_room(const std::string& room) {
  const hub::ChannelKind kind = hub::kind_of(room);
  return hub::valid_channel_name(room, false) && !kind.presence() && !kind.user();
}

// Any shard will do: the one at hand, or that of the target.
bool on_a_shard(const Target& target, detail::Link::Task task) {
  ShardSide* side = target.link->here();
  if (side == nullptr) return target.link->post(target.shard, std::move(task));
  task(*side);
  return true;
}

bool operate(const std::shared_ptr<const Target>& target, Operation operation, socketio::Emitter::Done done) {
  if (!target->link) return false;
  return on_a_shard(*target,
                    [target, operation = std::move(operation), done = std::move(done)](ShardSide& side) mutable {
                      std::optional<socketio::Selection> to = selection_of(*target, side);
                      if (!to) return;
                      const std::string& scope = side.shard().socketio().options.namespaces[to->nsp].scope;
                      for (std::string& room : operation.channels) room = socketio::channel_of(room, scope);
                      operation.to = std::move(*to);
                      side.shard().socketio().emitter->operate(std::move(operation), std::move(done));
                    });
}

SocketInfo info_of(std::string_view text) {
  SocketInfo info;
  const std::optional<json::value> value = embed::value_of(text);
  if (!value || !value->is_object()) return info;
  const json::object& object = value->get_object();
  const auto text_of = [&object](std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  info.id = text_of("id");
  info.user_id = text_of("user_id");
  info.transport = text_of("transport");
  info.address = text_of("address");
  if (const json::value* rooms = object.if_contains("rooms"))
    info.rooms = json::value_to<std::vector<std::string>>(*rooms);
  if (const json::value* ms = object.if_contains("connected_ms")) {
    info.connected = std::chrono::milliseconds(ms->to_number<int64_t>());
  }
  return info;
}

// A copy of the target, changed.
template <typename Change>
Rooms changed(const std::shared_ptr<const Target>& target, Change change) {
  auto copy = std::make_shared<Target>(*target);
  change(*copy);
  return Rooms(std::move(copy));
}

// The id of a socket is a room with it only.
void add_room(std::string_view room, std::vector<std::string>& rooms, std::vector<hub::SocketId>& sockets) {
  if (const auto id = hub::SocketId::parse(room)) {
    if (sockets.size() < Target::kChosenMax) sockets.push_back(*id);
  } else if (rooms.size() < Target::kChosenMax) {
    rooms.emplace_back(room);
  }
}

}  // namespace

Rooms Rooms::to(std::string_view room) const {
  return changed(target_, [room](Target& target) {
    target.everybody = false;
    add_room(room, target.rooms, target.sockets);
  });
}

Rooms Rooms::except(std::string_view room) const {
  return changed(target_, [room](Target& target) { add_room(room, target.except_rooms, target.except_sockets); });
}

Rooms Rooms::volatile_emit() const {
  return changed(target_, [](Target& target) { target.is_volatile = true; });
}

Rooms Rooms::timeout(std::chrono::milliseconds wait) const {
  return changed(
      target_, [wait](Target& target) { target.wait_ms = static_cast<uint64_t>(std::max<int64_t>(1, wait.count())); });
}

bool Rooms::send(std::string_view event, Message message) const {
  return emit_to(target_, event, std::move(message), std::nullopt);
}

bool Rooms::ask(std::string_view event, Message message, RepliesHandler handler) const {
  return emit_to(target_, event, std::move(message), std::move(handler));
}

bool Rooms::sockets_join(std::string_view room) const {
  Operation operation;
  operation.kind = Operation::Kind::kJoin;
  operation.channels.emplace_back(room);
  return valid_room(operation.channels.front()) && operate(target_, std::move(operation), {});
}

bool Rooms::sockets_leave(std::string_view room) const {
  Operation operation;
  operation.kind = Operation::Kind::kLeave;
  operation.channels.emplace_back(room);
  return valid_room(operation.channels.front()) && operate(target_, std::move(operation), {});
}

bool Rooms::disconnect_sockets(bool close) const {
  if (!target_->link) return false;
  Operation operation;
  operation.kind = Operation::Kind::kDisconnect;
  operation.close = close;
  // Later: among them may be the socket whose handler asks for it.
  const auto order = std::make_shared<Operation>(std::move(operation));
  return target_->link->post(target_->shard, [target = target_, order](ShardSide&) { operate(target, *order, {}); });
}

bool Rooms::fetch_sockets(std::function<void(std::vector<SocketInfo>)> handler) const {
  if (!target_->link) return false;
  return on_a_shard(*target_, [target = target_, handler = std::move(handler)](ShardSide& side) {
    Operation operation;
    operation.kind = Operation::Kind::kSockets;
    operate(target, std::move(operation), [&side, handler](const socketio::OperationReply& reply) {
      side.later([&side, handler, sockets = reply.sockets] {
        std::vector<SocketInfo> list;
        list.reserve(sockets.size());
        for (const std::string& text : sockets) list.push_back(info_of(text));
        side.guard("fetch_sockets", {}, [&] { handler(std::move(list)); });
      });
    });
  });
}

}  // namespace kilat::io
