// Plays every scenario again and again; each time one more call goes well before one fails, until none has failed.
// Whatever fails costs at most the connection it was for: nothing leaks, nothing hangs, no count stays wrong, the close
// has its row, and the next client is served.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/reason.h"
#include "fake_net/failing_new.h"
#include "faults/scenario.h"

namespace kilat::faults {
namespace {

using fake_net::Call;

constexpr uint32_t kShards = 2;
/// Far above what any scenario does: a loop that has not ended by then does not end.
constexpr uint32_t kFaultsMax = 20'000;
/// Lets lingering, cached events, offline timers, and the goodbye to a client that polls no more pass.
constexpr uint64_t kAfterMs = 45'000;

/// What is made to fail, and how.
struct Kind {
  std::string name;
  bool allocation = false;
  Call call = Call::kRead;
  int error = 0;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"Read_ECONNRESET", false, Call::kRead, ECONNRESET},
      {"Read_ETIMEDOUT", false, Call::kRead, ETIMEDOUT},
      {"Read_EINTR", false, Call::kRead, EINTR},
      {"Write_EPIPE", false, Call::kWrite, EPIPE},
      {"Write_ECONNRESET", false, Call::kWrite, ECONNRESET},
      {"Write_ENOBUFS", false, Call::kWrite, ENOBUFS},
      {"Write_EINTR", false, Call::kWrite, EINTR},
      {"Accept_EMFILE", false, Call::kAccept, EMFILE},
      {"Accept_ENFILE", false, Call::kAccept, ENFILE},
      {"Accept_ECONNABORTED", false, Call::kAccept, ECONNABORTED},
      {"Watch_ENOSPC", false, Call::kWatch, ENOSPC},
      {"Watch_ENOMEM", false, Call::kWatch, ENOMEM},
      {"Allocation", true, Call::kRead, 0},
  };
  return all;
}

void arm(const Kind& kind, uint32_t nth) {
  if (kind.allocation) {
    fake_net::fail_allocation(nth);
  } else {
    fake_net::arm({.call = kind.call, .nth = nth, .error = kind.error});
  }
}

bool disarm(const Kind& kind) {
  return kind.allocation ? fake_net::allocation_failed() : fake_net::disarm();
}

std::set<Reason> closes(World& world) {
  std::set<Reason> reasons;
  for (uint32_t shard = 0; shard < world.size(); ++shard) {
    for (const app::ReasonCounts& counts : world.shard(shard).traffic().closed) {
      for (size_t reason = 0; reason < counts.size(); ++reason) {
        if (counts[reason] > 0) reasons.insert(static_cast<Reason>(reason));
      }
    }
  }
  return reasons;
}

/// A reader on one shard gets what a backend publishes on the other.
bool serves_the_next(World& world) {
  const std::string channel = channel_on(world, 1, "presence-");
  Client reader = connected(world, 0);
  reader.subscribe(channel, R"({"user_id":"next"})");
  world.settle();
  Client backend(world, 1);
  backend.publish(channel, "still here", R"(,"info":"user_count")");
  world.settle();
  return reader.heard("still here") && backend.bytes().find(R"("user_count":1)") != std::string::npos;
}

/// What a fault of this kind may end a connection with, besides what ends it in any case.
std::set<Reason> allowed(const Kind& kind) {
  // A session that polls outlives its connections until it is missed.
  std::set<Reason> reasons{Reason::kClientGone, Reason::kHttpDone, Reason::kEioPingTimeout, Reason::kSioConnectTimeout,
                           Reason::kEioUpgradeTimeout};
  if (kind.allocation || kind.call == Call::kWatch) reasons.insert(Reason::kMemoryBudget);
  // The scenarios go on where a client would have given up: after a request that was not answered.
  if (kind.allocation) reasons.insert({Reason::kSioNotConnected, Reason::kEioSessionUnknown});
  return reasons;
}

struct Outcome {
  bool failed = false;  ///< the fault happened
  std::string wrong;    ///< empty: all is well
  std::set<Reason> closes;
};

Outcome play(const Scenario& scenario, const Kind* kind, uint32_t nth) {
  Outcome outcome;
  config::Settings settings = fake_net::world_settings(kShards);
  settings.socketio.ping_interval_ms = 2'000;
  settings.socketio.ping_timeout_ms = 2'000;
  settings.socketio.upgrade_timeout_ms = 2'000;
  settings.socketio.connect_timeout_ms = 3'000;
  World world(settings);
  if (kind != nullptr) arm(*kind, nth);
  const bool worked = scenario.play(world);
  if (kind != nullptr) outcome.failed = disarm(*kind);
  if (!outcome.failed && !worked) outcome.wrong = "the scenario does not work without a fault";
  world.pass(kAfterMs);
  outcome.closes = closes(world);
  if (outcome.wrong.empty()) outcome.wrong = world.leftovers();
  if (outcome.wrong.empty() && !serves_the_next(world)) outcome.wrong = "the next client is not served";
  world.pass(kAfterMs);
  if (outcome.wrong.empty()) outcome.wrong = world.leftovers();
  const std::string open = world.end();
  if (outcome.wrong.empty()) outcome.wrong = open;
  return outcome;
}

class Faults : public ::testing::TestWithParam<std::tuple<Scenario, Kind>> {};

TEST_P(Faults, EachCallInTurn_CostsOneConnectionAtMost) {
  const auto& [scenario, kind] = GetParam();
  const Outcome quiet = play(scenario, nullptr, 0);
  ASSERT_EQ(quiet.wrong, "");
  std::set<Reason> expected = quiet.closes;
  expected.merge(allowed(kind));
  for (uint32_t nth = 1; nth <= kFaultsMax; ++nth) {
    const Outcome outcome = play(scenario, &kind, nth);
    ASSERT_EQ(outcome.wrong, "") << "fault " << nth;
    for (const Reason reason : outcome.closes) {
      ASSERT_TRUE(expected.contains(reason)) << "fault " << nth << ": closed for " << reason_row(reason).id;
    }
    if (!outcome.failed) return RecordProperty("calls", static_cast<int>(nth - 1));
  }
  FAIL() << "no end of calls";
}

std::string test_name(const ::testing::TestParamInfo<std::tuple<Scenario, Kind>>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Http, Faults,
                         ::testing::Combine(::testing::ValuesIn(http_scenarios().begin(), http_scenarios().end()),
                                            ::testing::ValuesIn(kinds())),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Pusher, Faults,
                         ::testing::Combine(::testing::ValuesIn(pusher_scenarios().begin(), pusher_scenarios().end()),
                                            ::testing::ValuesIn(kinds())),
                         test_name);
INSTANTIATE_TEST_SUITE_P(SocketIo, Faults,
                         ::testing::Combine(::testing::ValuesIn(socketio_scenarios().begin(),
                                                                socketio_scenarios().end()),
                                            ::testing::ValuesIn(kinds())),
                         test_name);

}  // namespace
}  // namespace kilat::faults
