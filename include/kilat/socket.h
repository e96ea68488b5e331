// Socket.IO in a C++ program: sockets, rooms, namespaces, acknowledgements and middleware.
//
// Threads. A socket lives on one shard (a thread). Its handlers run there, one after the other, and must not block. All
// that is below may be called from any thread unless it says otherwise: on the socket's own shard it happens before the
// call returns, elsewhere it is posted there. Calls from one thread keep their order.
// Lifetime. io::Socket, io::Ack, io::Next and io::Rooms are small and cheap to copy, and may be kept for ever: when the
// socket, or the server, is gone, calls do nothing and return false.
// Bounds. 1,000 acknowledgements that one socket is asked for at a time; 65,536 calls that wait for a shard; a longer
// message than limits.outbox_bytes_max ends the clients that it was for.
#pragma once

#include <any>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "kilat/handler.h"
#include "kilat/message.h"

namespace kilat::io {

/// What a client has answered to an emit. False: it did not, in time or any more.
struct Reply {
  bool answered = false;
  Args args;
  explicit operator bool() const { return answered; }
};
using ReplyHandler = std::function<void(const Reply& reply)>;

/// What many clients have answered: the first argument of each.
struct Replies {
  std::vector<json::value> values;
  std::size_t asked = 0;  ///< how many were asked; fewer values: some did not answer in time
};
using RepliesHandler = std::function<void(const Replies& replies)>;

/// A socket of any shard, as it was when it was asked for.
struct SocketInfo {
  std::string id;
  std::vector<std::string> rooms;
  std::string user_id;    ///< empty: not signed in
  std::string transport;  ///< "websocket" or "polling"
  std::string address;
  std::chrono::milliseconds connected{};
};

/// How a client came; a copy, so it may be kept. `url`, `query` and `headers` are those of the request that began its
/// connection: the first of long-polling, also after an upgrade, or that of the WebSocket. Bounds: as for HTTP
/// requests.
struct Handshake {
  std::string address;  ///< of the client, behind trusted proxies; empty over a Unix socket
  bool secure = false;  ///< over TLS
  std::chrono::system_clock::time_point time;
  json::object auth;                         ///< what the client passed as `auth`; empty when nothing
  std::string url;                           ///< as sent, with its query
  std::map<std::string, std::string> query;  ///< decoded, with Engine.IO's own; of several with one name the first
  std::vector<std::pair<std::string, std::string>> headers;

  /// The first header of this name, compared without case; empty when there is none.
  std::string_view header(std::string_view name) const&;
  /// Of a handshake that nobody keeps: a copy.
  std::string header(std::string_view name) && { return std::string(std::as_const(*this).header(name)); }
};

/// Why middleware refuses. The client's `connect_error` gets an Error with this message and `data`.
struct Refusal {
  std::string message;
  json::value data = nullptr;
};

/// How middleware answers: next() goes on, next("message", data) refuses. May be kept and called later, from any
/// thread; the first call counts. When the last copy goes without a call, the client is refused.
class Next {
 public:
  struct State;
  explicit Next(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void operator()() const { decide(std::nullopt); }
  void operator()(std::string message, json::value data = nullptr) const {
    decide(Refusal{std::move(message), std::move(data)});
  }

 private:
  void decide(std::optional<Refusal> refusal) const;
  std::shared_ptr<State> state_;
};

namespace detail {
class Link;
struct Target;
struct SocketState;

/// Whether the last of the values is a function that takes this.
template <typename Parameter, typename... Values>
consteval bool last_takes() {
  if constexpr (sizeof...(Values) == 0) {
    return false;
  } else {
    return std::is_invocable_v<std::tuple_element_t<sizeof...(Values) - 1, std::tuple<Values...>>, Parameter>;
  }
}
template <typename Parameter, typename... Values>
inline constexpr bool kLastTakes = last_takes<Parameter, Values...>();

/// All but the last value are arguments; the last is the handler.
template <typename Handler, typename First, typename... Values>
void take(Message& message, Handler& handler, First&& first, Values&&... values) {
  if constexpr (sizeof...(Values) == 0) {
    handler = std::forward<First>(first);
  } else {
    message.add(std::forward<First>(first));
    take(message, handler, std::forward<Values>(values)...);
  }
}
}  // namespace detail

/// A choice of sockets, made step by step: io.to("a").to("b").except("c").emit(…). Each step returns another choice.
class Rooms {
 public:
  explicit Rooms(std::shared_ptr<const detail::Target> target) : target_(std::move(target)) {}

  /// Also those in `room`; the id of a socket is a room with that socket only. Each socket is reached once.
  Rooms to(std::string_view room) const;
  Rooms in(std::string_view room) const { return to(room); }
  /// Not those in `room`.
  Rooms except(std::string_view room) const;
  /// Dropped for clients that are not ready for it.
  Rooms volatile_emit() const;
  /// How long acknowledgements are waited for: 30 s, which is also the most.
  Rooms timeout(std::chrono::milliseconds wait) const;

  /// Sends an event. A function as the last value asks for acknowledgements: it gets `const io::Replies&`, on a shard.
  /// False when it can't be sent: too many attachments, a reserved name, or the server has ended. On a shard also when
  /// another shard has no room.
  template <typename... Values>
  bool emit(std::string_view event, Values&&... values) const {
    if constexpr (detail::kLastTakes<const Replies&, Values...>) {
      RepliesHandler handler;
      Message message;
      detail::take(message, handler, std::forward<Values>(values)...);
      return ask(event, std::move(message), std::move(handler));
    } else {
      return send(event, message_of(std::forward<Values>(values)...));
    }
  }
  bool send(std::string_view event, Message message) const;
  bool ask(std::string_view event, Message message, RepliesHandler handler) const;

  /// Has the sockets join or leave a room. False as for emit, and for rooms that nobody may join so: presence rooms.
  bool sockets_join(std::string_view room) const;
  bool sockets_leave(std::string_view room) const;
  /// `close`: the connections, too.
  bool disconnect_sockets(bool close = false) const;
  /// Lists the sockets of all shards, 10,000 at most; `handler` is called on a shard.
  bool fetch_sockets(std::function<void(std::vector<SocketInfo>)> handler) const;

 private:
  std::shared_ptr<const detail::Target> target_;
};

/// One client in one namespace.
class Socket {
 public:
  using DisconnectHandler = std::function<void(std::string_view reason)>;
  using AnyHandler = std::function<void(std::string_view event, const Args& args)>;
  using Middleware = std::function<void(std::string_view event, const Args& args, Next next)>;

  Socket() = default;
  explicit Socket(std::weak_ptr<detail::SocketState> state) : state_(std::move(state)) {}

  /// Empty when the socket has ended and nothing of it is left.
  std::string id() const;
  bool connected() const;
  /// Whether the client came back and has this socket still (connection state recovery). On its shard.
  bool recovered() const;
  Handshake handshake() const;
  /// Who the client has shown to be, by a token or by signing in; empty: nobody. On its shard.
  std::string user_id() const;
  /// Anything the program wants to remember, for the life of the socket; kept over a recovery. On its shard; when the
  /// socket has ended, a value that nobody keeps.
  std::any& data() const;
  /// The rooms it is in, without the one of its own id; after it has ended those it was in. On its shard.
  std::vector<std::string> rooms() const;

  /// Sets the handler of an event; see handler.h for what it may take. Replaces the one before. On its shard, best in
  /// on_connection: an event that came before nobody hears.
  template <typename Function>
  void on(std::string event, Function function) const {
    set_handler(std::move(event), detail::handler_of(std::move(function)));
  }
  /// The same for the next event of this name only.
  template <typename Function>
  void once(std::string event, Function function) const {
    set_handler(event, [name = event, handler = detail::handler_of(std::move(function))](
                           const Socket& socket, const Args& args, const Ack& ack) {
      socket.off(name);
      handler(socket, args, ack);
    });
  }
  void off(std::string_view event) const;
  /// Sees every event, before its handler. On its shard.
  void on_any(AnyHandler handler) const;
  /// The client has left, for a row of the table of reasons. On its shard.
  void on_disconnect(DisconnectHandler handler) const;
  /// Asked before every event of this client; who does not call next() drops it. On its shard.
  void use(Middleware middleware) const;

  /// Sends an event. A function as the last value asks for an acknowledgement: it gets `const io::Reply&`, on the
  /// socket's shard. False as for Rooms::emit, and when the socket is gone.
  template <typename... Values>
  bool emit(std::string_view event, Values&&... values) const {
    return emit_within(std::chrono::seconds(30), false, event, std::forward<Values>(values)...);
  }
  /// socket.timeout(1s).emit(…): how long an acknowledgement is waited for.
  class Timed {
   public:
    Timed(const Socket& socket, std::chrono::milliseconds wait) : socket_(socket), wait_(wait) {}
    template <typename... Values>
    bool emit(std::string_view event, Values&&... values) const {
      return socket_.emit_within(wait_, false, event, std::forward<Values>(values)...);
    }

   private:
    const Socket& socket_;
    std::chrono::milliseconds wait_;
  };
  Timed timeout(std::chrono::milliseconds wait) const { return {*this, wait}; }
  /// Dropped when the client is not ready for it.
  template <typename... Values>
  bool emit_volatile(std::string_view event, Values&&... values) const {
    return emit_within({}, true, event, std::forward<Values>(values)...);
  }
  bool send(std::string_view event, Message message, bool is_volatile = false) const;
  bool ask(std::string_view event, Message message, std::chrono::milliseconds wait, ReplyHandler handler) const;

  /// Joins a room: any name of a channel, but not of a presence channel. False when the name is not allowed.
  bool join(std::string_view room) const;
  bool leave(std::string_view room) const;
  /// Everybody in the room but this socket.
  Rooms to(std::string_view room) const { return broadcast().to(room); }
  Rooms except(std::string_view room) const { return broadcast().except(room); }
  /// Everybody in the namespace but this socket.
  Rooms broadcast() const;
  /// Ends it; `close`: the whole connection. In middleware: refuses the client.
  bool disconnect(bool close = false) const;
  /// Runs a function on the shard of this socket, later. False when that shard is gone or has too much to do.
  bool post(std::move_only_function<void()> task) const;

 private:
  template <typename... Values>
  bool emit_within(std::chrono::milliseconds wait, bool is_volatile, std::string_view event, Values&&... values) const {
    if constexpr (detail::kLastTakes<const Reply&, Values...>) {
      Message message;
      ReplyHandler handler;
      detail::take(message, handler, std::forward<Values>(values)...);
      return ask(event, std::move(message), wait, std::move(handler));
    } else {
      return send(event, message_of(std::forward<Values>(values)...), is_volatile);
    }
  }
  void set_handler(std::string event, EventHandler handler) const;

  std::weak_ptr<detail::SocketState> state_;
};

/// A namespace: server.io() is "/", server.io("/admin") another. What is registered here is so before Server::start(),
/// and throws std::logic_error afterwards.
class Namespace {
 public:
  using Middleware = std::function<void(const Socket& socket, Next next)>;

  Namespace(std::shared_ptr<detail::Link> link, std::string name) : link_(std::move(link)), name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  /// A client is connected.
  Namespace& on_connection(std::function<void(Socket socket)> handler);
  /// The handler of an event of every client, where its socket has none of its own: saves memory with many clients.
  template <typename Function>
  Namespace& on(std::string event, Function function) {
    return set_handler(std::move(event), detail::handler_of(std::move(function)));
  }
  /// Asked for each client before it is connected, one after the other; also for clients that are recovered.
  Namespace& use(Middleware middleware);
  /// Whether the server answers `subscribe`, `unsubscribe`, `signin` and `publish` by itself where no handler has that
  /// name (default: yes). A client could `subscribe` to any room that is not private: switch it off where a room is
  /// what only the program decides on.
  Namespace& built_in_events(bool on);

  Rooms to(std::string_view room) const { return everybody().to(room); }
  Rooms in(std::string_view room) const { return everybody().to(room); }
  Rooms except(std::string_view room) const { return everybody().except(room); }
  Rooms timeout(std::chrono::milliseconds wait) const { return everybody().timeout(wait); }
  template <typename... Values>
  bool emit(std::string_view event, Values&&... values) const {
    return everybody().emit(event, std::forward<Values>(values)...);
  }
  bool sockets_join(std::string_view room) const { return everybody().sockets_join(room); }
  bool sockets_leave(std::string_view room) const { return everybody().sockets_leave(room); }
  bool disconnect_sockets(bool close = false) const { return everybody().disconnect_sockets(close); }
  bool fetch_sockets(std::function<void(std::vector<SocketInfo>)> handler) const {
    return everybody().fetch_sockets(std::move(handler));
  }
  /// All sockets of the namespace.
  Rooms everybody() const;

 private:
  Namespace& set_handler(std::string event, EventHandler handler);

  std::shared_ptr<detail::Link> link_;
  std::string name_;
};

}  // namespace kilat::io
