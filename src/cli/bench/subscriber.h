// Subscriber: one WebSocket connection of the fleet, from connect() to its end. Never comes back.
// Owner: the fleet; one thread; lives until the run ends.
#pragma once

#include "cli/bench/fleet.h"
#include "cli/bench/session.h"

namespace kilat::cli::bench {

class Subscriber final : public Socket, private SessionHandler {
 public:
  enum class State : uint8_t { kNew, kConnecting, kReady, kOver };

  Subscriber(Fleet& fleet, uint32_t index);

  void connect(uint64_t now_ns);
  /// Gives up when it is connecting still.
  void expire();
  void goodbye();

  State state() const { return state_; }
  uint64_t started_ns() const { return started_ns_; }

 private:
  void on_open() override;
  void on_bytes(std::span<char> bytes) override;
  void on_lost(const std::string& why) override;

  bool on_text(std::string_view text) override;
  void on_established(std::string_view socket_id, uint32_t activity_timeout_s) override;
  void on_subscribed() override;
  void on_subscription_error(const Complaint& complaint) override;
  void on_server_error(const Complaint& complaint) override;
  void on_end(const Complaint& complaint) override;
  void send(std::string_view bytes) override;

  void finish(const Complaint& complaint);

  Fleet& fleet_;
  Session session_;
  uint64_t started_ns_ = 0;
  uint64_t read_ns_ = 0;  // when the bytes being looked at were read
  uint32_t index_;
  int last_error_ = 0;  // of pusher:error; the close that follows it carries the same code
  State state_ = State::kNew;
};

}  // namespace kilat::cli::bench
