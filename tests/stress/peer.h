// Peer: one client of the stress test, of either protocol: what it is subscribed to, as the Ledger sees it.
// Owner: the stress program's one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stress/ledger.h"

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
};

class Peer {
 public:
  Peer(PeerHost& host, const PeerOptions& options);
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  uint32_t serial() const { return options_.serial; }
  uint32_t user() const { return options_.user; }
  bool witness() const { return options_.witness; }
  const std::string& socket_id() const { return socket_id_; }
  virtual bool ended() const = 0;
  /// Established, and not about to leave.
  bool live() const { return !socket_id_.empty() && !leaving_ && !ended(); }
  bool leaving() const { return leaving_; }
  /// Nothing is awaited by this connection.
  virtual bool settled() const = 0;

  /// Whether it may subscribe to the channel at all.
  virtual bool reads(uint32_t) const { return true; }
  bool wanted(uint32_t channel) const { return !slots_[channel].empty() && slots_[channel].back()->wanted; }
  bool joined(uint32_t channel) const;
  /// Certainly not subscribed, whatever is on its way.
  bool outside(uint32_t channel) const { return slots_[channel].empty(); }

  void subscribe(uint32_t channel);
  void subscribe_again(uint32_t channel);
  void unsubscribe(uint32_t channel);
  virtual void client_event(uint32_t channel, uint32_t event) = 0;
  /// A client event to a channel that this client is outside of; it must be refused.
  virtual void rogue_event(uint32_t channel, uint32_t event) = 0;
  /// Asks for an answer that settled() waits for.
  virtual void ping() = 0;
  /// The same one level below; or the change to another transport.
  virtual void probe_transport(std::string payload) = 0;
  virtual void set_paused(bool paused) = 0;
  virtual bool paused() const = 0;
  /// Goes away in one of the ways that there are.
  virtual void leave(uint32_t how) = 0;
  /// The server is going to end.
  virtual void expect_end() { leaving_ = true; }
  /// Whether the server said that it ends.
  virtual bool told_of_drain() const = 0;

 protected:
  virtual void say_subscribe(const Channel& channel, Epoch& epoch, std::string_view channel_data) = 0;
  virtual void say_unsubscribe(uint32_t channel) = 0;
  /// Whether it is told of subscription counts.
  virtual bool counts() const { return true; }

  void set_socket_id(std::string_view id) { socket_id_ = id; }
  void set_leaving() { leaving_ = true; }
  void violation(const std::string& what);
  /// The connection is over; `how` is said when nobody wanted that.
  void gone(const std::string& how);
  void end_all();
  /// A subscribe was answered.
  void on_joined(Epoch& epoch, Members members);
  void refused(uint32_t channel, Epoch& epoch);
  /// An unsubscribe is certainly done.
  void left_channel(uint32_t channel);
  /// What a Pusher client can see of an event, and others can not.
  struct Details {
    bool wrapped = false;  ///< the data is JSON text of a text
    uint32_t user = 0;
  };
  void take_event(Epoch& epoch, std::string_view name, std::string_view text, std::optional<Details> details);
  /// The id of the cached event with this text.
  uint32_t check_cached(std::string_view text, std::optional<bool> wrapped);

  PeerHost& host_;
  std::vector<std::deque<Epoch*>> slots_;  ///< by channel; the front is where the server is

 private:
  std::string name() const;
  std::string channel_data(const Channel& channel) const;

  PeerOptions options_;
  std::string socket_id_;
  bool leaving_ = false;
};

/// The number at the front of `text`, and that of the user `uNUMBER`; 0 where there is none.
uint32_t number_of(std::string_view text);
uint32_t user_of(std::string_view id);

}  // namespace kilat::stress
