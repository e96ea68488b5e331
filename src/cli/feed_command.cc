#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/proc_stats.h"
#include "cli/target.h"
#include "cli/telemetry.h"

namespace kilat::cli {
namespace {

constexpr size_t kBatchMax = 10;  // what every Pusher server takes

struct FeedOptions {
  TargetOptions target;
  uint32_t interval_ms = 500;
  uint64_t count = 0;  // 0: no end
};

// Publishes ticks; says once when the server goes and once when it is back.
class Feeder {
 public:
  explicit Feeder(ApiTarget target) : client_(std::move(target)) {}

  /// False when the server refuses for good: failure() says why.
  bool publish(const std::vector<Reading>& readings) {
    for (const std::string& body : batch_bodies(readings, unix_ms(), kBatchMax)) {
      const auto answer = client_.post("/batch_events", body);
      if (answer && answer->status == 200) {
        came_back();
        continue;
      }
      const bool worth_waiting = !answer || answer->status == 429 || answer->status >= 500;
      failure_ = answer ? client_.refusal("cannot publish telemetry", *answer) : answer.error();
      if (!worth_waiting) return false;
      went_away();
      std::this_thread::sleep_for(backoff_.next());  // this tick is lost: stale readings help nobody
      return true;
    }
    ++ticks_;
    return true;
  }

  uint64_t ticks() const { return ticks_; }
  const Failure& failure() const { return failure_; }

 private:
  void came_back() {
    if (away_) std::printf("feed: connected again\n");
    if (!away_ && ticks_ == 0)
      std::printf("feed: publishing to %s, channel scada-data\n", client_.target().url.c_str());
    std::fflush(stdout);
    away_ = false;
    backoff_.reset();
  }

  void went_away() {
    if (!away_)
      std::fprintf(stderr, "feed: %s at %s; trying again\n", failure_.why.c_str(), client_.target().url.c_str());
    away_ = true;
  }

  ApiClient client_;
  Backoff backoff_;
  Failure failure_;
  bool away_ = false;
  uint64_t ticks_ = 0;
};

int feed(const FeedOptions& options) {
  auto target = find_target(options.target);
  if (!target) return report(target.error());
  Feeder feeder(std::move(*target));
  HostSample before = sample_host();
  using Clock = std::chrono::steady_clock;
  auto next = Clock::now();
  while (options.count == 0 || feeder.ticks() < options.count) {
    // The time of a request is no part of the interval; ticks that were missed are not made up for.
    next = std::max(next, Clock::now() - std::chrono::milliseconds(options.interval_ms)) +
           std::chrono::milliseconds(options.interval_ms);
    std::this_thread::sleep_until(next);
    const HostSample now = sample_host();
    if (!feeder.publish(readings_between(before, now))) return report(feeder.failure());
    before = now;
  }
  return 0;
}

}  // namespace

Action install_feed(CLI::App& command) {
  auto options = std::make_shared<FeedOptions>();
  command.add_option("--interval-ms", options->interval_ms, "Time between two ticks")
      ->check(CLI::Range(10, 3'600'000))
      ->capture_default_str();
  command.add_option("--count", options->count, "Ticks to publish; 0: no end")->capture_default_str();
  command.add_option("--app", options->target.app, "Id of the app; else the first of the configuration");
  add_target_options(command, options->target);
  return [options] { return feed(*options); };
}

}  // namespace kilat::cli
