// kilat::Server: a realtime server inside a C++ program: Socket.IO, Pusher and HTTP on one port.
//
//   kilat::Server server({.port = 6001});
//   server.io().on_connection([](kilat::io::Socket socket) {
//     socket.on("chat", [socket](std::string text) { socket.broadcast().emit("chat", text); });
//   });
//   return server.run();
//
// Threads. Handlers are registered before start(), by one thread. They run on the shards (threads of the server): those
// of one connection one after the other, those of two connections perhaps at once, so what they share needs a lock or
// post(). They must not block: one that takes longer than 100 ms is named in the log. What a handler throws is logged
// (handler_threw) and hurts nobody else. Every method may be called from any thread unless it says otherwise.
// Several servers may live in one process, each with its own ports.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kilat/http.h"
#include "kilat/pusher.h"
#include "kilat/socket.h"

namespace kilat {

namespace embed {
class Runtime;
}

/// An app: what backends and clients name in their configuration.
struct AppCredentials {
  std::string id = "app";
  std::string key;     ///< empty: a fresh one
  std::string secret;  ///< empty: a fresh one
};

/// How the server is configured. Without `file` and `text` it has one app, `app`.
struct Options {
  std::string file = {};                   ///< a kilat.toml; see docs/configuration.md
  std::string text = {};                   ///< the text of one
  std::string host = {};                   ///< empty: as configured; 127.0.0.1 otherwise
  std::optional<std::uint16_t> port = {};  ///< 0: the kernel picks one; not given: as configured; 6001 otherwise
  std::uint32_t shards = 0;                ///< threads; 0: as configured; one for each hardware thread otherwise
  AppCredentials app = {};                 ///< used when neither a file nor a text is given
  /// Any other setting, by its name in docs/configuration.md: {"socketio.recovery_ms", "120000"}. Stands above the
  /// file.
  std::map<std::string, std::string> settings = {};

  static Options from_file(std::string path) { return {.file = std::move(path)}; }
  static Options from_text(std::string toml) { return {.text = std::move(toml)}; }
};

/// A timer of Server::after and Server::every. Copies are the same timer; it goes on when all are gone.
class TimerHandle {
 public:
  TimerHandle() = default;
  explicit TimerHandle(std::shared_ptr<std::atomic<bool>> cancelled) : cancelled_(std::move(cancelled)) {}
  /// It is not called any more; a call that runs already ends as it would. Any thread.
  void cancel() const {
    if (cancelled_) cancelled_->store(true);
  }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

class Server {
 public:
  explicit Server(Options options = {});
  /// Stops, and waits for the shards. Not from a handler.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds the ports and starts the shards; serves when it returns. Once. The error says what is wrong, for people.
  std::expected<void, std::string> start();
  /// start(), wait for SIGINT or SIGTERM, drain, join. Returns what main() should; says on standard error why it could
  /// not start. Main thread.
  int run();
  /// Says goodbye to all connections, spread over server.drain_ms, then ends.
  void drain();
  /// Ends at once.
  void stop();
  /// Waits until the server has ended. One thread, not a shard.
  void join();

  /// The port of the first TCP address; 0 before start().
  std::uint16_t port() const;
  /// The only or first app, with the key and secret that were made when none were given. After start().
  AppCredentials app() const;
  /// Connections that are open now: sockets of both protocols.
  std::uint32_t connections() const;

  /// A Socket.IO namespace; it is made when it is not configured. See socket.h.
  ::kilat::io::Namespace io(std::string_view name = "/");
  PusherHooks& pusher() { return *pusher_; }
  web::Routes& http() { return *http_; }

  /// Publishes an event to a channel, for clients of both protocols. `data` reaches Pusher clients as a backend's
  /// would: a string as it is, anything else as its JSON text. `except_socket`: a socket id that does not get it.
  /// False for an unknown app, an invalid name, or when there is no room for it; from another thread than a shard's,
  /// true says only that it was handed over. Calls from one thread keep their order.
  bool publish(std::string_view app_id, std::string_view channel, std::string_view event, const json::value& data,
               std::string_view except_socket = {});

  // Signed-in users of an app, with all their connections of both protocols. False for an unknown app or a user that
  // there can't be, and when there is no room for it; from another thread than a shard's, true says only that it was
  // handed over.

  /// Publishes an event to a user; otherwise as publish().
  bool publish_to_user(std::string_view app_id, std::string_view user_id, std::string_view event,
                       const json::value& data);
  /// Ends a user's connections, with the reason terminated_by_api.
  bool disconnect_user(std::string_view app_id, std::string_view user_id);
  /// Counts a user's connections, 0: not connected, or unknown after all. `handler` is called once, on a shard, later;
  /// not when this is false.
  bool count_user(std::string_view app_id, std::string_view user_id, std::function<void(std::size_t)> handler);

  /// Runs a task on a shard. False when the server does not run, or 65,536 tasks wait already.
  bool post(std::move_only_function<void()> task);
  /// Runs a function on a shard, once after `delay`, or every `interval` (1 ms at least). Before start(): counted from
  /// then on.
  TimerHandle after(std::chrono::milliseconds delay, std::function<void()> function);
  TimerHandle every(std::chrono::milliseconds interval, std::function<void()> function);

 private:
  std::shared_ptr<io::detail::Link> link_;
  std::unique_ptr<PusherHooks> pusher_;
  std::unique_ptr<web::Routes> http_;
  std::unique_ptr<embed::Runtime> runtime_;
};

}  // namespace kilat
