#include "embed/socket_side.h"

#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/memory_reserve.h"
#include "embed/answers.h"
#include "embed/shard_side.h"
#include "embed/text.h"
#include "hub/event_name.h"
#include "socketio/content.h"

namespace kilat::embed {
namespace {

StatePtr state_of(const socketio::Socket& socket) {
  return std::static_pointer_cast<SocketState>(socket.memory);
}

std::string refusal_json(const io::Refusal& refusal) {
  json::object object{{"message", refusal.message}};
  if (!refusal.data.is_null()) object["data"] = refusal.data;
  return json::serialize(object);
}

hub::PublicationPtr publication_of(const socketio::Socket& socket, std::string_view event, std::string_view list,
                                   const std::vector<std::string>& attachments) {
  const std::vector<std::string_view> views(attachments.begin(), attachments.end());
  const std::string packet = socketio::pack(list, views);
  return hub::Publication::make({.app = socket.nsp().app, .event = event, .packet = packet});
}

}  // namespace

// --- coming

// A socket that is recovered gets a new one: handles of the time before stay what they are, and only `data` goes over.
StatePtr SocketSide::remember(socketio::Session& session, socketio::Socket& socket, std::string_view auth) {
  const auto state = std::make_shared<SocketState>();
  state->link = side_.shared_link();
  state->shard = side_.shard().index();
  state->nsp = side_.link().find(socket.nsp().name);
  state->socket_id = socket.socket_id();
  state->id = socket.id();
  state->handshake.address = session.client().address;
  state->handshake.secure = session.client().secure;
  state->handshake.time = std::chrono::system_clock::now();
  state->request = session.client().request;
  if (std::optional<json::value> value = value_of(auth); value && value->is_object()) {
    state->handshake.auth = std::move(value->get_object());
  }
  if (const StatePtr before = state_of(socket)) state->data = std::move(before->data);
  state->socket = &socket;
  state->session = &session;
  socket.memory = state;
  return state;
}

void SocketSide::on_connecting(socketio::Session& session, socketio::Socket& socket, std::string_view auth) {
  if (side_.link().find(socket.nsp().name) == nullptr) return session.admit(socket);
  go_on_connecting(remember(session, socket, auth), 0, std::nullopt);
}

void SocketSide::go_on_connecting(const StatePtr& state, size_t index, const std::optional<io::Refusal>& refusal) {
  if (state->session == nullptr) return;  // it did not wait
  if (refusal) return state->session->turn_away(*state->socket, refusal_json(*refusal));
  if (index == state->nsp->middleware.size()) return state->session->admit(*state->socket);
  const io::Next next(std::make_shared<io::Next::State>(
      state->link, state->shard,
      [weak = std::weak_ptr(state), index](ShardSide& side, const std::optional<io::Refusal>& said) {
        if (const StatePtr waiting = weak.lock()) side.socket_side().go_on_connecting(waiting, index + 1, said);
      }));
  const bool fine =
      side_.guard("middleware", state->nsp->name, [&] { state->nsp->middleware[index](io::Socket(state), next); });
  if (!fine) next(std::string(reason_row(Reason::kHandlerRefused).text));
}

void SocketSide::on_connected(socketio::Socket& socket, bool recovered) {
  const StatePtr state = state_of(socket);
  if (!state) return;
  state->session = nullptr;
  state->recovered = recovered;
  state->connected.store(true);
  for (const std::string& room : std::exchange(state->rooms, {})) join(*state, room);
  for (const auto& handler : state->nsp->connection) {
    if (!state->connected.load()) return;
    side_.guard("on_connection", state->nsp->name, [&] { handler(io::Socket(state)); });
  }
}

// --- events

bool SocketSide::wants(const SocketState& state, const std::string& event) const {
  return state.events.contains(event) || state.nsp->events.contains(event);
}

bool SocketSide::on_event(socketio::Socket& socket, const socketio::EventContent& event, std::optional<uint64_t> ack,
                          std::span<const std::string> attachments) {
  const StatePtr state = state_of(socket);
  if (!state || !state->connected.load()) return false;
  const bool wanted = wants(*state, event.name);
  if (!wanted && state->any.empty() && state->middleware.empty()) {
    if (state->nsp->built_in) return false;
    ++side_.shard().socketio().tally.unhandled;
    return true;
  }
  const std::optional<io::Args> args = args_of(event.arguments, attachments);
  if (!args) {
    socket.session()->close(Reason::kSioPacketInvalid);
    return true;
  }
  for (const auto& handler : std::vector(state->any)) {
    side_.guard("on_any", event.name, [&] { (*handler)(event.name, *args); });
  }
  if (!wanted && state->middleware.empty()) return !state->nsp->built_in || !state->connected.load();
  io::Ack answer;
  if (ack) answer = io::Ack(std::make_shared<io::Ack::State>(state, *ack));
  go_on_event(state, 0, event.name, *args, answer);
  return true;
}

void SocketSide::go_on_event(const StatePtr& state, size_t index, const std::string& event, const io::Args& args,
                             const io::Ack& ack) {
  if (!state->connected.load()) return;
  if (index >= state->middleware.size()) return call_event(state, event, args, ack);
  const auto middleware = state->middleware[index];
  const io::Next next(std::make_shared<io::Next::State>(
      state->link, state->shard,
      [weak = std::weak_ptr(state), index, event, args, ack](ShardSide& side, const std::optional<io::Refusal>& said) {
        const StatePtr waiting = weak.lock();
        if (waiting && !said) side.socket_side().go_on_event(waiting, index + 1, event, args, ack);
      }));
  side_.guard("use", event, [&] { (*middleware)(event, args, next); });
}

void SocketSide::call_event(const StatePtr& state, const std::string& event, const io::Args& args, const io::Ack& ack) {
  std::shared_ptr<io::EventHandler> handler;
  if (const auto own = state->events.find(event); own != state->events.end()) {
    handler = own->second;
  } else if (const auto common = state->nsp->events.find(event); common != state->nsp->events.end()) {
    handler = common->second;
  }
  if (!handler) {
    ++side_.shard().socketio().tally.unhandled;
    return;
  }
  side_.guard("on", event, [&] { (*handler)(io::Socket(state), args, ack); });
}

// --- acknowledgements

bool SocketSide::on_ack(socketio::Socket& socket, uint64_t id, std::string_view payload,
                        std::span<const std::string> attachments) {
  const StatePtr state = state_of(socket);
  if (!state || !state->asked.contains(id)) return false;
  answer_asked(state, id, {.answered = true, .args = args_of_list(payload, attachments).value_or(io::Args())});
  return true;
}

void SocketSide::answer_asked(const StatePtr& state, uint64_t id, const io::Reply& reply) {
  const auto node = state->asked.extract(id);
  if (node.empty()) return;
  side_.guard("acknowledgement", node.mapped()->event, [&] { node.mapped()->handler(reply); });
}

void SocketSide::on_timeout(Timer& timer) {
  auto& asked = static_cast<io::detail::Asked&>(timer);
  const StatePtr state = asked.socket.lock();
  if (!state || state->socket == nullptr) return;
  asked.side->socket_side().answer_asked(state, uint64_t{asked.id}, {});
}

// --- what handles ask for

bool SocketSide::emit(SocketState& state, std::string_view event, const io::Message& message, bool is_volatile) {
  if (!state.connected.load() || hub::reserved_by_socketio(event)) return false;
  const std::optional<std::string> list = list_of(message);
  if (!list) return false;
  state.socket->deliver(*publication_of(*state.socket, event, *list, message.attachments), is_volatile);
  return true;
}

bool SocketSide::ask(const StatePtr& state, std::string_view event, const io::Message& message, uint64_t wait_ms,
                     io::ReplyHandler handler) {
  if (!state->connected.load() || hub::reserved_by_socketio(event)) return false;
  if (state->asked.size() >= SocketState::kAskedMax) return false;
  const std::optional<std::string> list = list_of(message);
  if (!list) return false;
  socketio::Shard& shard = side_.shard().socketio();
  auto asked = std::make_unique<io::detail::Asked>(&SocketSide::on_timeout);
  asked->side = &side_;
  asked->socket = state;
  asked->id = shard.emitter->new_ack_id();
  asked->event = event;
  asked->handler = std::move(handler);
  shard.wheel.schedule(*asked, monotonic_ms() + std::min(wait_ms, socketio::Emitter::kAckMsMax));
  const uint64_t id = asked->id;
  state->asked.emplace(id, std::move(asked));
  state->socket->ask(*publication_of(*state->socket, event, *list, message.attachments), id);
  return true;
}

bool SocketSide::join(SocketState& state, const std::string& room) {
  if (state.socket == nullptr) return false;
  const hub::AppSettings& settings = state.socket->app().settings;
  const std::string channel = socketio::channel_of(room, state.socket->nsp().scope);
  const hub::ChannelKind kind = hub::kind_of(channel);
  const bool strict = side_.shard().socketio().options.strict_channel_names;
  if (channel.size() > settings.channel_name_max || !hub::valid_channel_name(channel, strict) || kind.presence() ||
      kind.user()) {
    return false;
  }
  if (state.session != nullptr) {
    if (state.rooms.size() < settings.subscriptions_max) state.rooms.push_back(room);
    return true;
  }
  state.socket->join_channel(channel);
  return state.socket->find(channel) != nullptr;
}

bool SocketSide::leave(SocketState& state, const std::string& room) {
  if (state.socket == nullptr) return false;
  if (state.session != nullptr) return std::erase(state.rooms, room) > 0;
  state.socket->leave_channel(socketio::channel_of(room, state.socket->nsp().scope));
  return true;
}

bool SocketSide::disconnect(SocketState& state, bool close) {
  if (state.socket == nullptr) return false;
  if (state.session != nullptr) {
    const io::Refusal refusal{.message = std::string(reason_row(Reason::kHandlerRefused).text)};
    state.session->turn_away(*state.socket, refusal_json(refusal));
    return true;
  }
  state.socket->disconnect(close);
  return true;
}

std::vector<std::string> SocketSide::rooms(const SocketState& state) const {
  if (state.socket == nullptr || state.session != nullptr) return state.rooms;
  std::vector<std::string> rooms;
  for (const hub::Subscription& subscription : state.socket->subscriptions()) {
    if (subscription.channel->kind.user()) continue;
    rooms.push_back(socketio::room_of(subscription.channel->name, state.socket->nsp().scope));
  }
  return rooms;
}

// --- going

void SocketSide::on_gone(socketio::Socket& socket, Reason reason) noexcept {
  const StatePtr state = state_of(socket);
  if (!state || state->socket == nullptr) return;
  const memory::MustSucceed telling;
  state->rooms = rooms(*state);
  state->socket = nullptr;
  state->session = nullptr;
  const bool was_connected = state->connected.exchange(false);
  state->events.clear();
  state->any.clear();
  state->middleware.clear();
  auto told = std::exchange(state->disconnect, {});
  auto asked = std::exchange(state->asked, {});
  for (const auto& [id, one] : asked) side_.shard().wheel().cancel(*one);
  if (!was_connected || (told.empty() && asked.empty())) return;
  side_.later([this, state, reason, told = std::move(told), asked = std::move(asked)] {
    for (const auto& [id, one] : asked) {
      side_.guard("acknowledgement", one->event, [&] { one->handler({}); });
    }
    for (const auto& handler : told) {
      side_.guard("on_disconnect", state->nsp->name, [&] { (*handler)(reason_row(reason).id); });
    }
  });
}

}  // namespace kilat::embed
