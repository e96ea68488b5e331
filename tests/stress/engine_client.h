// EngineClient: one Engine.IO session as socket.io clients have it: over a WebSocket, or over long-polling and perhaps
// on the way from there to a WebSocket. Answers the server's pings by itself.
// Owner: the stress program's one thread. Bounds: what is to be sent waits in memory; the drivers pace themselves.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stress/http_client.h"
#include "stress/ws_client.h"

namespace kilat::stress {

struct EngineOptions {
  bool websocket = false;  ///< from the beginning; else long-polling
  bool deflate = false;    ///< offer permessage-deflate
  int receive_bytes = 0;   ///< see Socket
};

class EngineClient {
 public:
  EngineClient(Poller& poller, uint16_t port, const EngineOptions& options);
  virtual ~EngineClient();
  EngineClient(const EngineClient&) = delete;
  EngineClient& operator=(const EngineClient&) = delete;

  bool over() const { return state_ == State::kOver; }
  /// Neither on the way to another transport, nor with a ping or a POST unanswered.
  bool idle() const;
  void send_message(std::string_view message);
  /// A ping frame of the WebSocket; while polling: begins to upgrade.
  void ping_or_upgrade(std::string payload);
  void pause(bool paused);
  bool is_paused() const { return paused_; }
  /// Ends the session. A client that polls can only say so: the server does not see its connections go.
  void finish(uint32_t how);
  /// From now on the end is no violation.
  void tolerate_end() { ending_ = true; }

 protected:
  /// The session is open.
  virtual void on_opened() = 0;
  virtual void on_message(std::string_view message) = 0;
  /// The session is over, whoever ended it.
  virtual void on_over() = 0;
  /// What is still to be sent never leaves this machine.
  virtual void on_cut_off() = 0;
  virtual void on_broken(const std::string& what) = 0;

 private:
  class Ws;
  enum class State : uint8_t {
    kOpening,
    kPolling,
    kProbing,    ///< a WebSocket was opened, and asked
    kSwitching,  ///< it has answered; waits for the requests that are out
    kWebSocket,
    kOver,
  };

  std::string target() const;
  void open_websocket(std::string_view path);
  void on_packet(std::string_view packet);
  void on_handshake(std::string_view json);
  void on_ws_text(std::string_view text);
  void on_ws_closed();
  void poll();
  void post(std::string body);
  void on_polled(int status, std::string_view body);
  void flush();
  void on_posted(int status, std::string_view body);
  void switch_when_free();
  void lost(const std::string& what);
  void end();

  Poller& poller_;
  uint16_t port_;
  EngineOptions options_;
  State state_ = State::kOpening;
  std::string sid_;
  std::unique_ptr<HttpClient> get_;
  std::unique_ptr<HttpClient> post_;
  std::unique_ptr<Ws> ws_;
  std::deque<std::string> queue_;  // packets that no request carries yet
  std::optional<uint32_t> finish_later_;
  bool polling_ = false;
  bool posting_ = false;
  std::string posted_;  ///< what was sent, until it is answered
  bool paused_ = false;
  bool ending_ = false;
  bool said_goodbye_ = false;
};

}  // namespace kilat::stress
