// PollPool: the outboxes of the sessions of a shard that poll: filled by the fan-out like those of sockets, but emptied
// into HTTP answers. Owner: one shard. Bounds: OutboxLimits, as for sockets.
#pragma once

#include <string>

#include "net/outbox.h"

namespace kilat::socketio {

class PollPool;
class Session;

/// The queue of one polling session: WebSocket frames with one packet each.
class PollOutbox final : public net::Outbox {
 public:
  PollOutbox(PollPool& pool, Session* session_in);
  ~PollOutbox();
  Session* const session;  ///< null: the outbox of sockets without a connection, which takes nothing

 private:
  PollPool& polls_;
};

class PollPool final : public net::OutboxPool {
 public:
  explicit PollPool(const net::OutboxLimits& limits) : OutboxPool(limits) {}

  /// The outbox goes.
  void forget(net::Outbox& outbox);

  void set_now_us(uint64_t now_us) { now_us_ = now_us; }

  /// Answers the waiting polls of all that got something since the last call. At the end of a turn.
  void flush();

 private:
  void relieve(net::Outbox& outbox) override;
  void collect();
  std::vector<net::Outbox*> flushing_;
  std::vector<net::Outbox*> over_;  ///< were above the hard limit in this turn
};

/// Takes everything out of `outbox`, as the body of a polling answer.
std::string take_body(net::Outbox& outbox);
/// Moves everything from one outbox to another.
void move_frames(net::Outbox& from, net::Outbox& to);

}  // namespace kilat::socketio
