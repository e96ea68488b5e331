// Runner: one run of the load tool, from the first connection to the result, on one event loop.
// Owner: the command; one thread, blocks it until the run is over. Takes SIGINT, SIGTERM and SIGHUP: the first ends the
// run early with its result, the second at once.
#pragma once

#include <memory>

#include "cli/bench/fleet.h"
#include "cli/bench/plan.h"
#include "cli/bench/progress.h"
#include "cli/bench/publisher.h"
#include "cli/bench/result.h"
#include "cli/bench/schedule.h"
#include "cli/bench/signal_watch.h"
#include "cli/bench/socket.h"

namespace kilat::cli::bench {

class Runner {
 public:
  /// `tls`: null when the plan asks for none.
  Runner(const Plan& plan, const Address& address, const TlsClient* tls);

  Result run();

 private:
  enum class Phase : uint8_t { kConnecting, kPublishing, kDraining, kDone };

  void turn(uint64_t now_ns);
  void connect_some(uint64_t now_ns);
  void start_publishing(uint64_t now_ns);
  void publish_some(uint64_t now_ns);
  void publish_due(uint64_t now_ns);
  void publish_flat_out(uint64_t now_ns);
  bool window_open(uint64_t now_ns);
  void start_draining(uint64_t now_ns);
  void drain(uint64_t now_ns);
  void finish_lost(const char* what);
  void finish(std::string error);
  void obey_signals(uint64_t now_ns);
  void note_progress(uint64_t now_ns);
  void account_cpu(uint64_t now_ns);
  uint64_t next_ns(uint64_t now_ns) const;
  std::string progress_line(uint64_t now_ns);
  Result result(uint64_t now_ns);

  const Plan& plan_;
  SignalWatch signals_;
  Wire wire_;
  Complaints complaints_;
  Ledger ledger_;
  Fleet fleet_;
  std::unique_ptr<Publisher> publisher_;
  Progress progress_;
  Schedule schedule_;
  Phase phase_ = Phase::kConnecting;
  std::string error_;
  bool interrupted_ = false;
  bool eager_ = false;      // the burst of a turn was used up: more is due already
  uint64_t published_ = 0;  // of the schedule
  uint64_t measure_start_ns_ = 0;
  uint64_t end_ns_ = 0;
  uint64_t drain_start_ns_ = 0;
  uint64_t last_progress_ns_ = 0;  // when something came last
  uint64_t seen_ = 0;              // deliveries and answers at that time
  uint64_t forgiven_ = 0;          // deliveries that the window waits for no more
  uint64_t stalls_ = 0;
  uint64_t cpu_start_ns_ = 0;
  uint64_t cpu_end_ns_ = 0;
  uint64_t shown_ns_ = 0;  // state of the last progress line
  uint64_t shown_received_ = 0;
  uint64_t shown_sent_ = 0;
};

}  // namespace kilat::cli::bench
