// Timers and the talk between shards.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "base/timer_wheel.h"
#include "counters.h"
#include "hub/command.h"
#include "net/mailbox.h"

namespace kilat::bench {
namespace {

// Among as many timers as a shard has connections; deadlines up to the usual time of silence.
void timer_add_and_cancel(benchmark::State& state) {
  constexpr uint64_t kHorizonMs = 150'000;
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<Timer>> others;
  for (int64_t i = 0; i < state.range(0); ++i) {
    others.push_back(std::make_unique<Timer>([](Timer&) {}));
    wheel.schedule(*others.back(), 1 + static_cast<uint64_t>(i) * 7'919 % kHorizonMs);
  }
  Timer timer([](Timer&) {});
  uint64_t deadline_ms = 1;
  Counters counters(state);
  for (auto _ : state) {
    deadline_ms = 1 + (deadline_ms + 7'919) % kHorizonMs;
    wheel.schedule(timer, deadline_ms);
    wheel.cancel(timer);
  }
}
BENCHMARK(timer_add_and_cancel)->Arg(10'000);

// Time goes by a millisecond at once: what firing, re-arming and moving down cost for each timer fired.
void timer_fire_and_rearm(benchmark::State& state) {
  constexpr uint64_t kPeriodMs = 1'000;
  struct Periodic : Timer {
    explicit Periodic(TimerWheel& wheel_in)
        : Timer([](Timer& timer) {
            static_cast<Periodic&>(timer).wheel.schedule(timer, timer.deadline_ms() + kPeriodMs);
          }),
          wheel(wheel_in) {}
    TimerWheel& wheel;
  };
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<Periodic>> timers;
  for (int64_t i = 0; i < state.range(0); ++i) {
    timers.push_back(std::make_unique<Periodic>(wheel));
    wheel.schedule(*timers.back(), 1 + static_cast<uint64_t>(i) % kPeriodMs);
  }
  uint64_t now_ms = 0;
  Counters counters(state, static_cast<uint64_t>(state.range(0)) / kPeriodMs);
  for (auto _ : state) wheel.advance(++now_ms);
}
BENCHMARK(timer_fire_and_rearm)->Arg(10'000);

// Messages posted by one shard and taken by another in one turn; both ends run here, so no cache line moves.
void mailbox_post_and_drain(benchmark::State& state) {
  const auto messages = static_cast<uint64_t>(state.range(0));
  net::MailGrid<hub::Command> grid(2, 4'096);
  net::Mailbox<hub::Command> from(grid, 0, nullptr);
  net::Mailbox<hub::Command> to(grid, 1, nullptr);
  const hub::PublicationPtr publication = hub::Publication::make({.channel = "room", .event = "e", .data = "{}"});
  uint64_t taken = 0;
  from.post(1, hub::MsgDeliver{publication});  // makes the ring's memory
  taken += to.drain(1, [](hub::Command&&) {});
  Counters counters(state, messages);
  for (auto _ : state) {
    for (uint64_t i = 0; i < messages; ++i) from.post(1, hub::MsgDeliver{publication});
    from.deliver();
    taken += to.drain(1'024, [](hub::Command&& command) { hub::Command gone(std::move(command)); });
  }
  benchmark::DoNotOptimize(taken);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(mailbox_post_and_drain)->Arg(1)->Arg(64);

}  // namespace
}  // namespace kilat::bench
