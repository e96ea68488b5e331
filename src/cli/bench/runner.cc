#include "cli/bench/runner.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/bench/clock.h"

namespace kilat::cli::bench {
namespace {

constexpr uint64_t kBurstMax = 256;  // publishes in a turn: what arrives must not wait longer
constexpr uint64_t kTickNs = 50'000'000;
constexpr uint64_t kStallNs = 2 * kNsPerSecond;
constexpr uint32_t kFailuresBeforeGivingUp = 100;

uint64_t cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * kNsPerSecond + static_cast<uint64_t>(used.tv_nsec);
}

}  // namespace

Runner::Runner(const Plan& plan, const Address& address, const TlsClient* tls)
    : plan_(plan),
      wire_(address, tls),
      ledger_(plan.shape),
      fleet_(plan, wire_, ledger_, complaints_),
      publisher_(plan.via == Via::kHttp ? make_http_publisher(plan, wire_, ledger_, complaints_)
                                        : make_client_event_publisher(plan, fleet_, ledger_)) {
  signals_.watch(wire_.loop);
}

Result Runner::run() {
  uint64_t now_ns = monotonic_ns();
  while (phase_ != Phase::kDone) {
    turn(now_ns);
    wire_.flush();
    if (now_ns >= progress_.next_ns()) progress_.show(progress_line(now_ns), now_ns);
    now_ns = monotonic_ns();
    const uint64_t next = next_ns(now_ns);
    wire_.loop.wait(next > now_ns ? static_cast<int64_t>((next - now_ns + 999) / 1000) : 0);
    wire_.loop.dispatch();
    wire_.flush();
    now_ns = monotonic_ns();
  }
  Result out = result(now_ns);
  fleet_.close();
  return out;
}

void Runner::turn(uint64_t now_ns) {
  obey_signals(now_ns);
  note_progress(now_ns);
  account_cpu(now_ns);
  fleet_.turn(now_ns);
  switch (phase_) {
    case Phase::kConnecting: return connect_some(now_ns);
    case Phase::kPublishing: return publish_some(now_ns);
    case Phase::kDraining: return drain(now_ns);
    case Phase::kDone: return;
  }
}

void Runner::obey_signals(uint64_t now_ns) {
  const uint32_t count = signals_.count();
  if (count == 0) return;
  if (count > 1) return finish({});
  if (std::exchange(interrupted_, true)) return;
  if (phase_ == Phase::kConnecting) {
    fleet_.stop_connecting();
    return finish({});
  }
  if (phase_ == Phase::kPublishing) start_draining(now_ns);
}

void Runner::connect_some(uint64_t now_ns) {
  const bool in_vain = fleet_.established() == 0 && fleet_.failed() >= kFailuresBeforeGivingUp;
  if (in_vain) fleet_.stop_connecting();
  if (!fleet_.settled()) return;
  if (fleet_.established() == 0) return finish(complaints_.most_frequent(Stage::kConnect));
  start_publishing(now_ns);
}

void Runner::start_publishing(uint64_t now_ns) {
  phase_ = Phase::kPublishing;
  measure_start_ns_ = now_ns + plan_.warmup_ns;
  end_ns_ = measure_start_ns_ + plan_.duration_ns;
  ledger_.measure(measure_start_ns_, end_ns_);
  if (plan_.rate > 0) schedule_ = Schedule(now_ns, end_ns_, plan_.rate);
  last_progress_ns_ = now_ns;
  shown_ns_ = now_ns;
}

void Runner::publish_some(uint64_t now_ns) {
  if (fleet_.live() == 0) return finish_lost("all connections");
  // Without them nothing would come any more, however long the run goes on.
  if (!publisher_->has_senders()) return start_draining(now_ns);
  if (publisher_->hopeless() != nullptr)
    return finish("the server takes no events: " + text_of(*publisher_->hopeless()));
  eager_ = false;
  if (plan_.rate > 0) {
    publish_due(now_ns);
    // What was due is sent even when it is late, or the slowest part would be missing from the percentiles.
    const bool complete = published_ == schedule_.due_count(end_ns_);
    if (now_ns >= end_ns_ && (complete || now_ns >= end_ns_ + plan_.drain_ns)) start_draining(now_ns);
  } else if (now_ns < end_ns_) {
    publish_flat_out(now_ns);
  } else {
    start_draining(now_ns);
  }
}

void Runner::publish_due(uint64_t now_ns) {
  const uint64_t due = schedule_.due_count(now_ns);
  for (uint64_t burst = 0; published_ < due; ++burst) {
    if (burst == kBurstMax) {
      eager_ = true;
      return;
    }
    if (!publisher_->publish(schedule_.due_ns(published_), now_ns)) return;
    ++published_;
  }
}

void Runner::publish_flat_out(uint64_t now_ns) {
  for (uint64_t burst = 0; window_open(now_ns); ++burst) {
    if (burst == kBurstMax) {
      eager_ = true;
      return;
    }
    if (!publisher_->publish(now_ns, now_ns)) return;
    ++published_;
  }
}

// The window counts publishes that somebody has not seen yet. Losses would close it for good, so after a while without
// any arrival what is owed is given up.
bool Runner::window_open(uint64_t now_ns) {
  const double fan_out = ledger_.mean_fan_out();
  const uint64_t owed = ledger_.owed();
  forgiven_ = std::min(forgiven_, owed);
  if (static_cast<double>(owed - forgiven_) + fan_out <= plan_.window * std::max(fan_out, 1.0)) return true;
  if (now_ns < last_progress_ns_ + kStallNs) return false;
  forgiven_ = owed;
  last_progress_ns_ = now_ns;
  ++stalls_;
  return true;
}

void Runner::start_draining(uint64_t now_ns) {
  phase_ = Phase::kDraining;
  end_ns_ = std::min(end_ns_, now_ns);
  schedule_.cut(end_ns_);
  drain_start_ns_ = now_ns;
  account_cpu(now_ns);
}

void Runner::drain(uint64_t now_ns) {
  if (fleet_.live() == 0) return finish_lost("all connections");
  const bool complete = ledger_.owed() == 0 && publisher_->unanswered() == 0;
  // What they sent last never left them, so it is no use to wait as long as for a slow server.
  const bool lost = !publisher_->has_senders();
  const uint64_t patience_ns = lost ? std::min(plan_.drain_ns, kStallNs) : plan_.drain_ns;
  if (!complete && now_ns < std::max(drain_start_ns_, last_progress_ns_) + patience_ns) return;
  lost ? finish_lost("all publishers") : finish({});
}

void Runner::finish_lost(const char* what) {
  const std::string why = complaints_.most_frequent(Stage::kRun);
  // Publishers may also never have come about.
  finish(std::string(what) + " were lost: " + (why.empty() ? complaints_.most_frequent(Stage::kConnect) : why));
}

void Runner::finish(std::string error) {
  phase_ = Phase::kDone;
  error_ = std::move(error);
}

void Runner::note_progress(uint64_t now_ns) {
  const uint64_t seen = ledger_.received() + publisher_->answer_ns().count();
  if (std::exchange(seen_, seen) != seen) last_progress_ns_ = now_ns;
}

void Runner::account_cpu(uint64_t now_ns) {
  if (end_ns_ == 0 || now_ns < measure_start_ns_ || cpu_end_ns_ != 0) return;
  if (cpu_start_ns_ == 0) cpu_start_ns_ = cpu_ns();
  if (now_ns >= end_ns_) cpu_end_ns_ = cpu_ns();
}

uint64_t Runner::next_ns(uint64_t now_ns) const {
  if (phase_ == Phase::kDone || eager_) return now_ns;
  uint64_t next = std::min(progress_.next_ns(), now_ns + kTickNs);
  if (phase_ == Phase::kConnecting) next = std::min(next, fleet_.next_ns(now_ns));
  if (phase_ == Phase::kPublishing && plan_.rate > 0) {
    // Where something is overdue its publishers are all busy, and an event of theirs ends the wait.
    const uint64_t due_ns = schedule_.due_ns(published_);
    if (due_ns >= now_ns) next = std::min(next, due_ns);
  }
  if (phase_ == Phase::kPublishing && now_ns < end_ns_) next = std::min(next, end_ns_);
  return next;
}

}  // namespace kilat::cli::bench
