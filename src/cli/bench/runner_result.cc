// What a runner tells about its run, while it lasts and afterwards.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/bench/runner.h"

namespace kilat::cli::bench {
namespace {

double seconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

}  // namespace

std::string Runner::progress_line(uint64_t now_ns) {
  char text[240];
  if (phase_ == Phase::kConnecting) {
    std::snprintf(text, sizeof text, "connecting  %s of %s, %s failed", with_commas(fleet_.established()).c_str(),
                  with_commas(plan_.shape.connections).c_str(), with_commas(fleet_.failed()).c_str());
    return text;
  }
  const uint64_t received = ledger_.received();
  const uint64_t sent = ledger_.sent();
  const double past_s = std::max(seconds(now_ns - std::exchange(shown_ns_, now_ns)), 0.001);
  const auto came = static_cast<double>(received - std::exchange(shown_received_, received));
  const auto went = static_cast<double>(sent) - static_cast<double>(std::exchange(shown_sent_, sent));
  const char* what = phase_ == Phase::kDraining ? "draining" : now_ns < measure_start_ns_ ? "warming up" : "measuring";
  const uint64_t left_ns = end_ns_ > now_ns ? end_ns_ - now_ns : 0;
  const Histogram& latency = ledger_.latency_ns();
  std::snprintf(text, sizeof text,
                "%s  %.0f s left  %.0f publishes/s  %.0f deliveries/s  p50 %.3g ms  p99 %.3g ms  %u connections", what,
                seconds(left_ns), std::max(went, 0.0) / past_s, came / past_s,
                static_cast<double>(latency.percentile(50)) / 1e6, static_cast<double>(latency.percentile(99)) / 1e6,
                fleet_.live());
  return text;
}

Result Runner::result(uint64_t now_ns) {
  Result out;
  if (const uint64_t silent = publisher_->unanswered(); silent > 0) {
    for (uint64_t i = 0; i < silent; ++i) complaints_.add(Stage::kPublish, {0, "no answer until the end"});
    out.refused = silent;
  }
  out.error = error_;
  out.interrupted = interrupted_;
  out.established = fleet_.established();
  out.failed = fleet_.failed();
  out.dropped = fleet_.dropped();
  out.connects_per_second = fleet_.connects_per_second();
  out.connect_ns = fleet_.connect_ns();
  out.totals = ledger_.totals();
  out.refused += publisher_->refused();
  const uint64_t measured_end_ns = std::min(end_ns_, now_ns);
  if (measured_end_ns > measure_start_ns_) out.measured_ns = measured_end_ns - measure_start_ns_;
  if (plan_.rate > 0) {
    const uint64_t due = schedule_.due_count(measured_end_ns);
    out.unsent = due > published_ ? due - published_ : 0;
  }
  out.stalls = stalls_;
  if (cpu_end_ns_ > cpu_start_ns_ && out.measured_ns > 0) {
    out.client_cpu = seconds(cpu_end_ns_ - cpu_start_ns_) / seconds(out.measured_ns);
  }
  out.answer_ns = publisher_->answer_ns();
  out.latency_ns = ledger_.latency_ns();
  out.complaints = complaints_;
  return out;
}

}  // namespace kilat::cli::bench
