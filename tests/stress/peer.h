// Peer: one Pusher client of the stress test. Tells the Ledger what each of its subscriptions gets.
// Owner: the stress program's one thread.
//
// An unsubscribe has no answer, so each is followed by a pusher:ping: what comes before its pong belongs to the
// subscription that was left, what comes after it to the next one.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "stress/ledger.h"
#include "stress/ws_client.h"

namespace kilat::stress {

class PeerHost {
 public:
  virtual Ledger& ledger() = 0;
  virtual void complain(const std::string& what) = 0;
  /// A witness has got an event.
  virtual void on_witnessed(uint32_t serial) = 0;

 protected:
  ~PeerHost() = default;
};

struct PeerOptions {
  uint32_t serial = 0;  ///< names the connection; never 0
  uint32_t user = 0;
  bool witness = false;
  WsOptions ws;
};

class Peer final : public WsClient {
 public:
  Peer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options);

  uint32_t serial() const { return options_.serial; }
  uint32_t user() const { return options_.user; }
  bool witness() const { return options_.witness; }
  const std::string& socket_id() const { return socket_id_; }
  /// Established, and not about to leave.
  bool live() const { return !socket_id_.empty() && !leaving_ && !ended(); }
  bool leaving() const { return leaving_; }
  /// Nothing is awaited by this connection.
  bool settled() const { return ended() || (live() && barriers_.empty() && pings_out() == 0 && rogues_due_ == 0); }

  bool wanted(uint32_t channel) const { return !slots_[channel].empty() && slots_[channel].back()->wanted; }
  bool joined(uint32_t channel) const;
  /// Certainly not subscribed, whatever is on its way.
  bool outside(uint32_t channel) const { return slots_[channel].empty(); }

  void subscribe(uint32_t channel);
  void subscribe_again(uint32_t channel);
  void unsubscribe(uint32_t channel);
  void client_event(uint32_t channel, uint32_t event);
  /// A client event to a channel that this client is outside of; it must be refused.
  void rogue_event(uint32_t channel, uint32_t event);
  void ping();
  /// The server is going to end.
  void expect_end() { leaving_ = true; }
  void leave_by_reset();
  void leave_by_fin();
  void leave_by_close_frame();

 private:
  struct Message;
  static constexpr int64_t kNoChannel = -1;

  void on_text(std::string_view text) override;
  void on_closed() override;
  void on_violation(const std::string& what) override;
  void on_own_message(const Message& message);
  void on_channel_message(const Message& message, uint32_t channel, Epoch& epoch);
  void on_pong();
  void on_error(const Message& message);
  void on_succeeded(const Message& message, Epoch& epoch);
  void on_refused(const Message& message, uint32_t channel, Epoch& epoch);
  void on_event(const Message& message, Epoch& epoch);
  void end_all();
  std::string name() const;
  std::string channel_data() const;

  PeerHost& host_;
  PeerOptions options_;
  std::string socket_id_;
  bool leaving_ = false;
  uint32_t rogues_due_ = 0;
  uint32_t messages_ = 0;
  std::vector<std::deque<Epoch*>> slots_;  // by channel; the front is where the server is
  std::deque<int64_t> barriers_;           // of each pusher:ping: the channel left just before, or kNoChannel
};

}  // namespace kilat::stress
