// How a run publishes: through client events of the fleet's own connections, or through the HTTP API.
// Owner: the run; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "auth/hmac.h"
#include "cli/bench/complaints.h"
#include "cli/bench/fleet.h"
#include "cli/bench/http_answer.h"
#include "cli/bench/ledger.h"
#include "cli/bench/marker.h"
#include "cli/bench/plan.h"
#include "cli/bench/socket.h"

namespace kilat::cli::bench {

class Publisher {
 public:
  virtual ~Publisher() = default;

  /// Sends one event that was due at `due_ns`. False when nobody can take it now: ask again after the next turn.
  virtual bool publish(uint64_t due_ns, uint64_t now_ns) = 0;
  /// Whether a connection is left that can publish, now, later or after a new attempt.
  virtual bool has_senders() const = 0;
  /// Publishes that have no answer yet.
  virtual uint64_t unanswered() const = 0;
  /// Publishes that the server refused, or whose fate is unknown because the connection broke.
  virtual uint64_t refused() const = 0;
  /// Why going on makes no sense, or null: the server's answer to a first publish that it will never take.
  virtual const Complaint* hopeless() const = 0;
  /// From when a publish was due to its answer; nothing is recorded where there are no answers.
  virtual const Histogram& answer_ns() const = 0;
};

/// Through client events: publisher i is connection i of the fleet, on its own channel, one after the other. A refusal
/// comes as pusher:error without a number, so the fleet counts it as a complaint and the ledger as losses.
std::unique_ptr<Publisher> make_client_event_publisher(const Plan& plan, Fleet& fleet, Ledger& ledger);

/// Through POST /events, one request at a time on each of the plan's publishers, kept alive; the channels in turn. A
/// refused event's number is used again.
std::unique_ptr<Publisher> make_http_publisher(const Plan& plan, Wire& wire, Ledger& ledger, Complaints& complaints);

/// The signed request for one event (Pusher HTTP API). `hmac` is of the plan's secret.
std::string event_request(const Plan& plan, auth::HmacSha256& hmac, std::string_view channel, std::string_view data,
                          uint64_t unix_seconds);

}  // namespace kilat::cli::bench
