// Session: one Pusher client (protocol 7) without its socket: bytes of the server in, what they mean out.
// Owner: one connection of the run; one thread. Does no I/O. Bounds: 16 KiB of handshake, one message of at most the
// size given; the WebSocket codec is ws::Reader, which reads what servers send as well.
// Invariant: what the handler hears depends on the bytes alone, never on how they were split.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/bench/complaints.h"
#include "cli/bench/http_answer.h"
#include "ws/reader.h"

namespace kilat::cli::bench {

/// What a session tells. Calls come from Session::feed only.
class SessionHandler {
 public:
  /// A text message, before anything else looks at it. True when it was a published event: then it is done with.
  virtual bool on_text(std::string_view text) = 0;
  /// pusher:connection_established; `activity_timeout_s` is 0 where the server names none.
  virtual void on_established(std::string_view socket_id, uint32_t activity_timeout_s) = 0;
  virtual void on_subscribed() = 0;
  /// A refused subscription.
  virtual void on_subscription_error(const Complaint& complaint) = 0;
  /// pusher:error; the connection may go on.
  virtual void on_server_error(const Complaint& complaint) = 0;
  /// The server refused the handshake, closed, or broke the protocol. Nothing follows.
  virtual void on_end(const Complaint& complaint) = 0;
  /// Bytes for the server.
  virtual void send(std::string_view bytes) = 0;

 protected:
  ~SessionHandler() = default;
};

class Session {
 public:
  Session(SessionHandler& handler, uint32_t message_bytes_max);

  /// The request that opens the WebSocket; `host` with its port, `path` with its query. `key` as make_handshake_key
  /// makes it.
  std::string handshake(std::string_view host, std::string_view path, std::string_view key);

  /// Takes bytes of the server; they may change, and ws::kPadding readable bytes follow them.
  void feed(std::span<char> bytes);

 private:
  void feed_handshake(std::span<char>& bytes);
  void on_event(const ws::Event& event);
  void on_protocol(std::string_view text);
  void end(const Complaint& complaint);

  SessionHandler& handler_;
  ws::Reader reader_;
  std::string accept_;                // what Sec-WebSocket-Accept must be
  std::optional<HttpAnswer> answer_;  // while the handshake lasts
  bool ended_ = false;
};

/// A Sec-WebSocket-Key (RFC 6455 section 4.1) from 128 random bits.
std::string make_handshake_key(uint64_t random_high, uint64_t random_low);

/// A message in a masked text frame. The mask is there for proxies that mistake frames for requests; the load tool
/// sends through none, so a key of any quality will do.
std::string text_frame(std::string_view text, uint32_t mask);

/// pusher:subscribe; `auth` is "" for a public channel.
std::string subscribe_message(std::string_view channel, std::string_view auth);

}  // namespace kilat::cli::bench
