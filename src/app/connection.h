// Connection: one accepted TCP connection of a shard. Begins as HTTP; an upgrade turns it into a Pusher session.
// Owner: its Shard, which destroys it between two turns after the descriptor was closed.
#pragma once

#include <memory>
#include <span>

#include "app/http_session.h"
#include "net/stream.h"
#include "pusher/session.h"

namespace kilat::app {

class Shard;

class Connection final : private net::StreamHandler, private pusher::SessionHost {
 public:
  Connection(Shard& shard, int fd);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  net::Stream& stream() { return stream_; }

  /// The request asked for /app/{key}: answers 101 and opens a session, or refuses in the protocol's own way. `rest`
  /// is what the client sent behind the request.
  void upgrade(const http::Request& request, std::string_view app_key, std::span<char> rest);

  /// Ends the connection in the way its protocol wants.
  void close(Reason reason);

  /// The reader is too slow: drops what is queued and ends it.
  void close_slow(Reason reason);

  // For the shard's list of connections.
  size_t place = 0;

  static Connection& of(net::StreamHandler& handler) { return static_cast<Connection&>(handler); }

 private:
  void on_bytes(std::span<char> bytes) override;
  bool on_end() override { return http_ && http_->on_end(); }
  void on_drained() override {
    if (http_) http_->on_drained();
  }
  void on_closed(Reason reason) override;
  void finish(Reason reason) override;
  void refuse_session(hub::App* app, Reason reason);
  Reason take_quota(hub::App& app);
  void give_quota_back();
  pusher::SessionOptions negotiate(const http::Request& request, const hub::App& app, int protocol,
                                   std::string& extensions);

  Shard& shard_;
  net::Stream stream_;
  std::unique_ptr<HttpSession> http_;
  std::unique_ptr<HttpSession> upgraded_;  ///< the HTTP side after an upgrade: its call may not have returned yet
  std::unique_ptr<pusher::Session> session_;
  hub::App* app_ = nullptr;  ///< whose quota this connection counts against
};

}  // namespace kilat::app
