// What a C++ program decides about Pusher clients. Every function is registered before Server::start(), throws
// std::logic_error afterwards, and is called on the shard of the connection; it must not block.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace kilat {

namespace embed {
struct PusherTable;
}

/// A Pusher connection, for the duration of a call.
struct PusherConnection {
  std::string_view app_id;
  std::string_view socket_id;
  std::string_view user_id;  ///< who is signed in; empty: nobody
};

struct Subscription {
  PusherConnection connection;
  std::string_view channel;
  std::string_view user_id;    ///< of a presence channel; else empty
  std::string_view user_info;  ///< JSON text, of a presence channel; may be empty
};

struct ClientEvent {
  PusherConnection connection;
  std::string_view channel;
  std::string_view event;
  std::string_view data;  ///< JSON text
};

class PusherHooks {
 public:
  PusherHooks();
  ~PusherHooks();

  /// Whether a client may subscribe; asked last, after signature and rules. False, and also a handler that throws,
  /// refuses it with handler_refused.
  void on_subscribe(std::function<bool(const Subscription&)> handler);
  /// A client has left a channel by itself; not when its connection ends.
  void on_unsubscribe(std::function<void(const Subscription&)> handler);
  /// Whether an event of a client may go to the others; asked last. False refuses it with handler_refused.
  void on_client_event(std::function<bool(const ClientEvent&)> handler);
  void on_connection(std::function<void(const PusherConnection&)> handler);
  void on_disconnect(std::function<void(const PusherConnection&)> handler);

  /// For the server.
  const std::shared_ptr<embed::PusherTable>& table() const { return table_; }

 private:
  std::shared_ptr<embed::PusherTable> table_;
};

}  // namespace kilat
