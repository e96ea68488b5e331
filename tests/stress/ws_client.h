// WsClient: one WebSocket of a Pusher client. Answers pings and close frames by itself.
// Owner: the stress program's one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "stress/socket.h"
#include "ws/deflate.h"
#include "ws/reader.h"

namespace kilat::stress {

struct WsOptions {
  std::string path;       ///< of the upgrade, with its query
  bool deflate = false;   ///< offer permessage-deflate
  int receive_bytes = 0;  ///< see Socket
};

class WsClient : public Socket {
 public:
  WsClient(Poller& poller, uint16_t port, const WsOptions& options);

  /// Sends a text message, with a seeded choice cut into several frames.
  void send_text(std::string_view text, bool fragmented = false);
  /// A ping frame; the pong is checked to come in order with this payload.
  void send_ping(std::string payload);
  /// Says goodbye (1000); the server answers and ends.
  void send_close();
  size_t pings_out() const { return pings_.size(); }
  uint16_t close_code() const { return close_code_; }  ///< of the server's close frame; 0 when there was none

 protected:
  virtual void on_text(std::string_view text) = 0;
  /// The connection is over, whoever ended it.
  virtual void on_closed() = 0;
  /// The server broke the protocol.
  virtual void on_violation(const std::string& what) = 0;

 private:
  void on_bytes(std::span<char> bytes) final;
  void on_end(int error) final;
  void on_event(const ws::Event& event);
  void upgrade(std::string& head);

  std::string head_;  // of the upgrade's answer, until it is complete
  bool upgraded_ = false;
  bool goodbye_ = false;
  uint16_t close_code_ = 0;
  uint32_t mask_ = 0x9e3779b9;
  std::deque<std::string> pings_;
  std::unique_ptr<ws::Inflater> inflater_;
  std::unique_ptr<ws::Reader> reader_;
};

}  // namespace kilat::stress
