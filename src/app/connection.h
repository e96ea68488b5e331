// Connection: one accepted TCP connection of a shard. Begins as HTTP; an upgrade turns it into a Pusher session,
// or into the WebSocket of a Socket.IO session.
// Owner: its Shard, which destroys it between two turns after the descriptor was closed.
#pragma once

#include <memory>
#include <new>
#include <span>

#include "app/admission.h"
#include "app/http_session.h"
#include "app/moved_connection.h"
#include "base/ip_address.h"
#include "net/descriptor.h"
#include "net/stream.h"
#include "pusher/session.h"
#include "socketio/link.h"

namespace kilat::app {

class Shard;

class Connection final : private net::StreamHandler, private pusher::SessionHost, private socketio::LinkHost {
 public:
  /// `lease`: what it has counted already. `tls`: whether it begins with a TLS handshake. std::bad_alloc: `fd` is
  /// closed.
  Connection(Shard& shard, net::Descriptor fd, const Peer& peer, Lease lease, bool tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  net::Stream& stream() { return stream_; }

  /// Where the client is: the other end of the connection, or whom a trusted proxy names, by the PROXY protocol or in
  /// the header of the request at hand. Not known (all zero) for a client of a Unix socket.
  /// What a Socket.IO session knows of the client that sends `request`.
  socketio::ClientInfo socketio_client(const http::Request& request) const;
  const IpAddress& client_address() const { return forwarded_ ? *forwarded_ : peer_.address; }
  /// Whether the client speaks TLS, to us or to a trusted proxy.
  bool secure() const { return secure_; }

  /// A request has come: looks at what a trusted proxy says in it.
  void note_request(const http::Request& request) {
    if (from_proxy_) read_forwarded(request);
  }

  /// The request asked for /app/{key}: answers 101 and opens a session, or refuses in the protocol's own way. `rest`
  /// is what the client sent behind the request.
  void upgrade(const http::Request& request, std::string_view app_key, std::span<char> rest);

  /// The request asked for a WebSocket of Socket.IO, and `upgrade` says that it may have it: answers 101 and opens a
  /// session, or moves to the shard of the session that wants to upgrade. Otherwise nothing has happened, and the
  /// reason says why.
  Reason upgrade_socketio(const http::Request& request, const socketio::Shard::Upgrade& upgrade, bool echo,
                          std::span<char> rest);
  /// The same for a connection that was moved here for it.
  void finish_move(MovedConnection& moved);

  /// Whose session it is; null for plain HTTP, and once it counts no longer.
  const hub::App* app() const { return app_; }

  /// Has the budget of the shard count what is unfinished. After input was used, or freed.
  void note_input() {
    stream_.note_input(session_ ? session_->buffered() : link_ ? link_->buffered() : http_ ? http_->buffered() : 0);
  }

  /// Ends the connection in the way its protocol wants.
  void close(Reason reason);

  /// The reader is too slow: drops what is queued and ends it.
  void close_slow(Reason reason);

  /// Does `event` for this connection. This is where std::bad_alloc ends: it costs the connection, with memory_budget,
  /// and nothing else.
  template <typename Event>
  void guarded(Event&& event) {
    try {
      event();
    } catch (const std::bad_alloc&) {
      give_up();
    }
  }
  void give_up();

  uint32_t place = 0;  ///< in the shard's list of connections
  /// Came to the listener for metrics: only health and figures are served.
  bool admin : 1 = false;
  /// It was closed for the drain; a request under way may still be answered.
  bool asked_to_go : 1 = false;

  static Connection& of(net::StreamHandler& handler) { return static_cast<Connection&>(handler); }

 private:
  void on_bytes(std::span<char> bytes) override;
  bool on_end() override;
  void on_drained() override {
    if (http_) guarded([this] { http_->on_drained(); });
    note_input();
  }
  void on_proxied(const net::ProxyParser& header) override;
  void read_forwarded(const http::Request& request);
  void take(std::span<char> bytes);
  void end(Reason reason);
  void on_closed(Reason reason) override;
  void finish(Reason reason) override;
  void refuse_session(hub::App* app, Reason reason);
  Reason take_quotas(hub::App& app);
  bool movable() override;
  void move(socketio::LinkHost::Move&& move) override;
  std::unique_ptr<MovedConnection> prepare_move();
  void make_link(bool deflate);
  void refuse_moved(Reason reason);
  void accept_link(std::string_view key, std::string_view protocol, std::string_view offered);
  void give_quota_back();
  pusher::SessionOptions negotiate(const http::Request& request, const hub::App& app, int protocol,
                                   std::string& extensions);

  bool tls_ : 1;         ///< on the connection itself, or as the PROXY protocol says
  bool secure_ : 1;      ///< the same, or what a proxy's header says
  bool from_proxy_ : 1;  ///< `peer_` is a trusted proxy
  Shard& shard_;
  net::Stream stream_;
  std::unique_ptr<HttpSession> http_;
  std::unique_ptr<HttpSession> upgraded_;  ///< the HTTP side after an upgrade: its call may not have returned yet
  std::unique_ptr<pusher::Session> session_;
  std::unique_ptr<socketio::Link> link_;
  hub::App* app_ = nullptr;               ///< whose quota this connection counts against
  std::unique_ptr<IpAddress> forwarded_;  ///< the client that a proxy's header names
  Peer peer_;
  Lease lease_;
};

static_assert(sizeof(Connection) <= 264, "every idle connection has one");

}  // namespace kilat::app
