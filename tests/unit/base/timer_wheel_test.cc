#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace kilat {
namespace {

constexpr uint64_t kMaxMs = std::numeric_limits<uint64_t>::max();

/// A timer that runs a closure and notes its number.
struct TestTimer : Timer {
  TestTimer(std::vector<int>& log_to, int number) : Timer(&TestTimer::fire), log(log_to), id(number) {}

  static void fire(Timer& timer) {
    auto& self = static_cast<TestTimer&>(timer);
    EXPECT_FALSE(self.armed());
    self.log.push_back(self.id);
    if (self.then) {
      const auto action = self.then;  // The closure may destroy the timer that holds it.
      action();
    }
  }

  std::vector<int>& log;
  int id;
  std::function<void()> then;
};

using Log = std::vector<int>;

TEST(TimerWheel, NoTimer_HasNoDeadlineAndFiresNothing) {
  TimerWheel wheel(5);
  EXPECT_EQ(wheel.next_deadline_ms(), std::nullopt);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.advance(kMaxMs), 0U);
}

TEST(TimerWheel, Deadline_FiresAtItsTickAndNotBefore) {
  for (const uint64_t delay : {1ULL, 63ULL, 64ULL, 65ULL, 4095ULL, 4096ULL, 300'000ULL, 1ULL << 36, 1ULL << 60}) {
    for (const uint64_t start : {0ULL, 1ULL, 63ULL, 4095ULL, 1'700'000'000'123ULL}) {
      Log log;
      TimerWheel wheel(start);
      TestTimer timer(log, 1);
      wheel.schedule(timer, start + delay);
      EXPECT_TRUE(timer.armed());
      EXPECT_EQ(timer.deadline_ms(), start + delay);
      ASSERT_LE(wheel.next_deadline_ms(), start + delay);
      EXPECT_EQ(wheel.advance(start + delay - 1), 0U);
      ASSERT_EQ(wheel.next_deadline_ms(), start + delay) << "one tick before, the answer is exact";
      EXPECT_EQ(wheel.advance(start + delay), 1U);
      EXPECT_FALSE(timer.armed());
      EXPECT_EQ(wheel.size(), 0U);
      EXPECT_EQ(wheel.next_deadline_ms(), std::nullopt);
    }
  }
}

TEST(TimerWheel, FollowingNextDeadline_ReachesTheTimerInFewSteps) {
  Log log;
  TimerWheel wheel(12'345);
  TestTimer timer(log, 1);
  wheel.schedule(timer, 12'345 + (1ULL << 50) + 77);
  int steps = 0;
  while (wheel.size() != 0) {
    wheel.advance(wheel.next_deadline_ms().value());
    ASSERT_LE(++steps, 11);
  }
  EXPECT_EQ(log, Log{1});
}

TEST(TimerWheel, LastTickOfTime_CanBeReached) {
  Log log;
  TimerWheel wheel(kMaxMs - 3);
  TestTimer last(log, 1);
  TestTimer before(log, 2);
  wheel.schedule(last, kMaxMs);
  wheel.schedule(before, kMaxMs - 1);
  EXPECT_EQ(wheel.advance(kMaxMs), 2U);
  EXPECT_EQ(log, (Log{2, 1}));
}

TEST(TimerWheel, PastDeadline_FiresOnTheNextAdvanceBeforeTheOthers) {
  Log log;
  TimerWheel wheel(100);
  TestTimer future(log, 1);
  TestTimer past(log, 2);
  TestTimer now(log, 3);
  wheel.schedule(future, 101);
  wheel.schedule(past, 3);
  wheel.schedule(now, 100);
  EXPECT_EQ(wheel.next_deadline_ms(), 100U);
  EXPECT_EQ(wheel.advance(101), 3U);
  EXPECT_EQ(log, (Log{2, 3, 1}));
}

TEST(TimerWheel, EqualDeadlines_FireInTheOrderOfScheduleAcrossLevels) {
  Log log;
  TimerWheel wheel(0);
  TestTimer first(log, 1);
  TestTimer second(log, 2);
  TestTimer third(log, 3);
  wheel.schedule(first, 5000);
  wheel.advance(4097);
  wheel.schedule(second, 5000);
  wheel.advance(4999);
  wheel.schedule(third, 5000);
  EXPECT_EQ(wheel.advance(5000), 3U);
  EXPECT_EQ(log, (Log{1, 2, 3}));
}

TEST(TimerWheel, LongSuspension_FiresAllInDeadlineOrder) {
  Log log;
  TimerWheel wheel(17);
  std::deque<TestTimer> timers;
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t deadline = 18 + random() % 5'000'000;
    timers.emplace_back(log, static_cast<int>(deadline));
    wheel.schedule(timers.back(), deadline);
  }
  EXPECT_EQ(wheel.advance(1ULL << 55), 2000U);
  EXPECT_TRUE(std::is_sorted(log.begin(), log.end()));
}

TEST(TimerWheel, ClockGoingBack_StandsStill) {
  Log log;
  TimerWheel wheel(1000);
  TestTimer timer(log, 1);
  wheel.schedule(timer, 1010);
  EXPECT_EQ(wheel.advance(10), 0U);
  EXPECT_EQ(wheel.advance(1009), 0U);
  EXPECT_EQ(wheel.advance(1010), 1U);
}

TEST(TimerWheel, Reschedule_MovesTheTimer) {
  Log log;
  TimerWheel wheel(0);
  TestTimer timer(log, 1);
  wheel.schedule(timer, 10);
  wheel.schedule(timer, 100'000);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(wheel.advance(99'999), 0U);
  wheel.schedule(timer, 99'999 + 5);
  EXPECT_EQ(wheel.advance(99'999 + 5), 1U);
}

TEST(TimerWheel, CancelAndDestroy_EmptyTheWheel) {
  Log log;
  TimerWheel wheel(0);
  TestTimer timer(log, 1);
  wheel.cancel(timer);
  wheel.schedule(timer, 70);
  {
    TestTimer scoped(log, 2);
    wheel.schedule(scoped, 70);
    EXPECT_EQ(wheel.size(), 2U);
  }
  EXPECT_EQ(wheel.size(), 1U);
  wheel.cancel(timer);
  wheel.cancel(timer);
  EXPECT_FALSE(timer.armed());
  EXPECT_EQ(wheel.next_deadline_ms(), std::nullopt) << "the occupancy bit goes with the last timer of a slot";
  EXPECT_EQ(wheel.advance(100), 0U);
}

TEST(TimerWheel, WheelDestroyedFirst_DisarmsItsTimers) {
  Log log;
  TestTimer timer(log, 1);
  TestTimer overdue(log, 2);
  {
    TimerWheel wheel(10);
    wheel.schedule(timer, 70);
    wheel.schedule(overdue, 1);
  }
  EXPECT_FALSE(timer.armed());
  EXPECT_FALSE(overdue.armed());
  EXPECT_TRUE(log.empty());
}

TEST(TimerWheel, ScheduleOnAnotherWheel_LeavesTheFirst) {
  Log log;
  TimerWheel one(0);
  TimerWheel two(0);
  TestTimer timer(log, 1);
  one.schedule(timer, 10);
  two.schedule(timer, 20);
  EXPECT_EQ(one.size(), 0U);
  one.cancel(timer);
  EXPECT_TRUE(timer.armed());
  EXPECT_EQ(one.advance(10), 0U);
  EXPECT_EQ(two.advance(20), 1U);
}

TEST(TimerWheelCallback, RearmingItselfInThePast_WaitsForTheNextAdvance) {
  Log log;
  TimerWheel wheel(0);
  TestTimer timer(log, 1);
  timer.then = [&] { wheel.schedule(timer, 5); };
  wheel.schedule(timer, 5);
  EXPECT_EQ(wheel.advance(10), 1U);
  EXPECT_EQ(wheel.next_deadline_ms(), 10U);
  EXPECT_EQ(wheel.advance(10), 1U);
}

TEST(TimerWheelCallback, CancelledByAnEarlierOneOfTheSameTick_DoesNotFire) {
  Log log;
  TimerWheel wheel(0);
  TestTimer first(log, 1);
  TestTimer cancelled(log, 2);
  auto destroyed = std::make_unique<TestTimer>(log, 3);
  TestTimer moved(log, 4);
  TestTimer last(log, 5);
  first.then = [&] {
    EXPECT_TRUE(cancelled.armed());
    EXPECT_EQ(wheel.size(), 4U);
    wheel.cancel(cancelled);
    destroyed.reset();
    wheel.schedule(moved, 200);
  };
  for (Timer* timer : std::initializer_list<Timer*>{&first, &cancelled, destroyed.get(), &moved, &last}) {
    wheel.schedule(*timer, 9);
  }
  EXPECT_EQ(wheel.advance(9), 2U);
  EXPECT_EQ(log, (Log{1, 5}));
  EXPECT_EQ(wheel.advance(200), 1U);
  EXPECT_EQ(log, (Log{1, 5, 4}));
}

TEST(TimerWheelCallback, DestroyingItself_IsSafe) {
  Log log;
  TimerWheel wheel(0);
  auto timer = std::make_unique<TestTimer>(log, 1);
  TestTimer next(log, 2);
  timer->then = [&] { timer.reset(); };
  wheel.schedule(*timer, 3);
  wheel.schedule(next, 3);
  EXPECT_EQ(wheel.advance(3), 2U);
  EXPECT_EQ(timer, nullptr);
  EXPECT_EQ(log, (Log{1, 2}));
}

TEST(TimerWheelCallbackDeathTest, AdvancingFromACallback_EndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Log log;
  TimerWheel wheel(0);
  TestTimer timer(log, 1);
  timer.then = [&] { wheel.advance(5); };
  wheel.schedule(timer, 3);
  EXPECT_DEATH(wheel.advance(3), "broken invariant");
}

/// The wheel beside a std::multimap that keeps equal keys in the order of insertion, as the wheel promises.
class Model {
 public:
  Model(uint64_t seed, unsigned range_bits)
      : random_(seed), range_bits_(range_bits), now_(random_() >> random_() % 64) {
    wheel_ = std::make_unique<TimerWheel>(now_);
    for (int id = 0; id < kTimers; ++id) make(id);
  }

  void step() {
    switch (random_() % 4) {
      case 0: advance(); break;
      default: act(); break;
    }
    ASSERT_EQ(wheel_->size(), by_deadline_.size());
    const auto next = wheel_->next_deadline_ms();
    ASSERT_EQ(next.has_value(), !by_deadline_.empty());
    if (next) {
      ASSERT_LE(*next, by_deadline_.begin()->first);
      ASSERT_GE(*next, now_);
    }
  }

  [[nodiscard]] size_t fired() const { return fired_; }

 private:
  static constexpr int kTimers = 40;

  struct Entry : Timer {
    Entry(Model& m, int number) : Timer(&Entry::fire), model(m), id(number) {}
    static void fire(Timer& timer) {
      auto& self = static_cast<Entry&>(timer);
      self.model.on_fire(self.id);
    }
    Model& model;
    int id;
  };

  void make(int id) {
    if (timers_.size() <= static_cast<size_t>(id)) timers_.resize(static_cast<size_t>(id) + 1);
    timers_[static_cast<size_t>(id)] = std::make_unique<Entry>(*this, id);
  }

  uint64_t random_span() { return random_() >> (64 - 1 - random_() % range_bits_); }

  uint64_t clamp_add(uint64_t span) const { return span > kMaxMs - now_ ? kMaxMs : now_ + span; }

  void forget(int id) {
    std::erase_if(by_deadline_, [id](const auto& item) { return item.second == id; });
    std::erase(firing_, id);
  }

  /// Schedules, cancels or destroys one timer, in both worlds.
  void act() {
    const int id = static_cast<int>(random_() % kTimers);
    Entry& timer = *timers_[static_cast<size_t>(id)];
    const uint64_t dice = random_() % 10;
    forget(id);
    if (dice < 7) {
      const uint64_t span = random_span();
      const uint64_t deadline = dice == 0 ? now_ - std::min(now_, span) : clamp_add(span);
      wheel_->schedule(timer, deadline);
      by_deadline_.emplace(std::max(deadline, now_), id);
    } else if (dice < 9) {
      wheel_->cancel(timer);
    } else {
      make(id);
    }
    EXPECT_EQ(timers_[static_cast<size_t>(id)]->armed(), dice < 7);
  }

  void advance() {
    const uint64_t target = clamp_add(random_() % 3 == 0 ? random_span() : random_() % 100);
    now_ = target;
    const auto end = by_deadline_.upper_bound(target);
    for (auto it = by_deadline_.begin(); it != end; ++it) firing_.push_back(it->second);
    by_deadline_.erase(by_deadline_.begin(), end);
    const size_t before = fired_;
    const size_t reported = wheel_->advance(target);
    EXPECT_EQ(reported, fired_ - before);
    EXPECT_TRUE(firing_.empty());
  }

  void on_fire(int id) {
    ++fired_;
    ASSERT_FALSE(firing_.empty());
    ASSERT_EQ(firing_.front(), id);
    firing_.pop_front();
    for (uint64_t i = random_() % 3; i != 0; --i) act();
  }

  std::mt19937_64 random_;
  unsigned range_bits_;
  uint64_t now_;
  std::unique_ptr<TimerWheel> wheel_;
  std::vector<std::unique_ptr<Entry>> timers_;
  std::multimap<uint64_t, int> by_deadline_;  ///< the later of the deadline and the time of schedule
  std::deque<int> firing_;
  size_t fired_ = 0;
};

TEST(TimerWheelModel, RandomOperations_MatchAMultimap) {
  size_t fired = 0;
  for (const unsigned range_bits : {4U, 9U, 20U, 40U, 63U}) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      SCOPED_TRACE(testing::Message() << "range_bits " << range_bits << " seed " << seed);
      Model model(seed, range_bits);
      for (int i = 0; i < 400; ++i) {
        model.step();
        if (testing::Test::HasFailure()) return;
      }
      fired += model.fired();
    }
  }
  EXPECT_GT(fired, 5000U);
}

}  // namespace
}  // namespace kilat
