// io::Socket and io::Namespace.
#include "kilat/socket.h"

#include <algorithm>

#include "embed/rooms_target.h"
#include "embed/shard_side.h"
#include "embed/socket_state.h"
#include "embed/text.h"

namespace kilat::io {

using embed::ShardSide;
using embed::StatePtr;

namespace {

// Whether the thread that calls is the one of the socket.
bool is_here(const StatePtr& state) {
  const ShardSide* side = state->link->here();
  return side != nullptr && state->link->here()->shard().index() == state->shard;
}

// Does it at once on the socket's shard, with its answer; elsewhere it is handed over.
template <typename Function>
bool perform(const StatePtr& state, Function function) {
  if (!state) return false;
  if (is_here(state)) return function(state->link->here()->socket_side());
  if (!state->connected.load()) return false;
  return state->link->post(state->shard, [function = std::move(function)](ShardSide& side) mutable {
    static_cast<void>(function(side.socket_side()));
  });
}

}  // namespace

std::string Socket::id() const {
  const StatePtr state = state_.lock();
  return state ? state->id : std::string();
}

bool Socket::connected() const {
  const StatePtr state = state_.lock();
  return state && state->connected.load();
}

bool Socket::recovered() const {
  const StatePtr state = state_.lock();
  return state && state->recovered;
}

Handshake Socket::handshake() const {
  const StatePtr state = state_.lock();
  if (!state) return {};
  Handshake handshake = state->handshake;
  if (state->request) {
    handshake.url = state->request->url();
    handshake.query = embed::query_of(state->request->query());
    handshake.headers = state->request->headers();
  }
  return handshake;
}

std::string_view Handshake::header(std::string_view name) const& {
  return embed::find_header(headers, name);
}

std::string Socket::user_id() const {
  const StatePtr state = state_.lock();
  return state && is_here(state) && state->socket != nullptr ? std::string(state->socket->user_id()) : std::string();
}

std::any& Socket::data() const {
  thread_local std::any nobodys;
  if (const StatePtr state = state_.lock()) return state->data;
  nobodys.reset();
  return nobodys;
}

std::vector<std::string> Socket::rooms() const {
  const StatePtr state = state_.lock();
  if (!state || !is_here(state)) return {};
  return state->link->here()->socket_side().rooms(*state);
}

void Socket::set_handler(std::string event, EventHandler handler) const {
  const StatePtr state = state_.lock();
  if (state && is_here(state)) {
    state->events.insert_or_assign(std::move(event), std::make_shared<EventHandler>(std::move(handler)));
  }
}

void Socket::off(std::string_view event) const {
  const StatePtr state = state_.lock();
  if (!state || !is_here(state)) return;
  if (const auto found = state->events.find(event); found != state->events.end()) state->events.erase(found);
}

void Socket::on_any(AnyHandler handler) const {
  const StatePtr state = state_.lock();
  if (state && is_here(state)) state->any.push_back(std::make_shared<AnyHandler>(std::move(handler)));
}

void Socket::on_disconnect(DisconnectHandler handler) const {
  const StatePtr state = state_.lock();
  if (state && is_here(state)) state->disconnect.push_back(std::make_shared<DisconnectHandler>(std::move(handler)));
}

void Socket::use(Middleware middleware) const {
  const StatePtr state = state_.lock();
  if (state && is_here(state)) state->middleware.push_back(std::make_shared<Middleware>(std::move(middleware)));
}

bool Socket::send(std::string_view event, Message message, bool is_volatile) const {
  const StatePtr state = state_.lock();
  return perform(state, [state, event = std::string(event), message = std::move(message), is_volatile](auto& side) {
    return side.emit(*state, event, message, is_volatile);
  });
}

bool Socket::ask(std::string_view event, Message message, std::chrono::milliseconds wait, ReplyHandler handler) const {
  const StatePtr state = state_.lock();
  const auto wait_ms = static_cast<uint64_t>(std::max<int64_t>(1, wait.count()));
  return perform(
      state, [state, event = std::string(event), message = std::move(message), wait_ms, handler = std::move(handler)](
                 auto& side) mutable { return side.ask(state, event, message, wait_ms, std::move(handler)); });
}

bool Socket::join(std::string_view room) const {
  const StatePtr state = state_.lock();
  return perform(state, [state, room = std::string(room)](auto& side) { return side.join(*state, room); });
}

bool Socket::leave(std::string_view room) const {
  const StatePtr state = state_.lock();
  return perform(state, [state, room = std::string(room)](auto& side) { return side.leave(*state, room); });
}

bool Socket::disconnect(bool close) const {
  const StatePtr state = state_.lock();
  return perform(state, [state, close](auto& side) { return side.disconnect(*state, close); });
}

bool Socket::post(std::move_only_function<void()> task) const {
  const StatePtr state = state_.lock();
  if (!state) return false;
  return state->link->post(state->shard, [task = std::move(task), id = state->id](ShardSide& side) mutable {
    side.guard("post", id, task);
  });
}

Rooms Socket::broadcast() const {
  auto target = std::make_shared<detail::Target>();
  if (const StatePtr state = state_.lock()) {
    target->link = state->link;
    target->shard = state->shard;
    target->nsp = state->nsp->name;
    target->except_sockets.push_back(state->socket_id);
  }
  return Rooms(std::move(target));
}

// --- namespaces

Namespace& Namespace::on_connection(std::function<void(Socket)> handler) {
  embed::require_open(link_->sealed());
  link_->handlers(name_).connection.push_back(std::move(handler));
  return *this;
}

Namespace& Namespace::set_handler(std::string event, EventHandler handler) {
  embed::require_open(link_->sealed());
  link_->handlers(name_).events.insert_or_assign(std::move(event), std::make_shared<EventHandler>(std::move(handler)));
  return *this;
}

Namespace& Namespace::use(Middleware middleware) {
  embed::require_open(link_->sealed());
  link_->handlers(name_).middleware.push_back(std::move(middleware));
  return *this;
}

Namespace& Namespace::built_in_events(bool on) {
  embed::require_open(link_->sealed());
  link_->handlers(name_).built_in = on;
  return *this;
}

Rooms Namespace::everybody() const {
  auto target = std::make_shared<detail::Target>();
  target->link = link_;
  target->nsp = name_;
  return Rooms(std::move(target));
}

}  // namespace kilat::io
