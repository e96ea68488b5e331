#include "net/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kilat::net {
namespace {

struct Mail {
  uint32_t from = 0;
  std::unique_ptr<uint64_t> number;
};
Mail mail(uint32_t from, uint64_t number) {
  return {from, std::make_unique<uint64_t>(number)};
}

std::vector<uint64_t> drain(Mailbox<Mail>& mailbox, size_t limit = SIZE_MAX) {
  std::vector<uint64_t> numbers;
  mailbox.drain(limit, [&](Mail&& message) { numbers.push_back(*message.number); });
  return numbers;
}

std::vector<uint64_t> numbers(uint64_t begin, uint64_t end) {
  std::vector<uint64_t> result;
  for (uint64_t i = begin; i < end; ++i) result.push_back(i);
  return result;
}

TEST(Mailbox, Post_ArrivesInOrderPerPair) {
  MailGrid<Mail> grid(3, 16);
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, nullptr);
  Mailbox<Mail> c(grid, 2, nullptr);
  for (uint64_t i = 0; i < 5; ++i) {
    a.post(2, mail(0, i));
    b.post(2, mail(1, 100 + i));
  }
  std::vector<uint64_t> from_a;
  std::vector<uint64_t> from_b;
  EXPECT_EQ(c.drain(SIZE_MAX, [&](Mail&& m) { (m.from == 0 ? from_a : from_b).push_back(*m.number); }), 10U);
  EXPECT_EQ(from_a, numbers(0, 5));
  EXPECT_EQ(from_b, numbers(100, 105));
  EXPECT_TRUE(drain(a).empty());
  EXPECT_TRUE(drain(b).empty());
}

TEST(Mailbox, Drain_TakesAtMostTheLimitFromEachSender) {
  MailGrid<Mail> grid(3, 16);
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, nullptr);
  Mailbox<Mail> c(grid, 2, nullptr);
  for (uint64_t i = 0; i < 5; ++i) {
    a.post(2, mail(0, i));
    b.post(2, mail(1, i));
  }
  EXPECT_EQ(drain(c, 2), (std::vector<uint64_t>{0, 1, 0, 1}));
  EXPECT_FALSE(c.prepare_to_sleep()) << "there is more";
  EXPECT_EQ(drain(c).size(), 6U);
  EXPECT_TRUE(c.prepare_to_sleep());
}

TEST(Mailbox, HasRoom_EndsAtSevenEighthsAndComesBack) {
  MailGrid<Mail> grid(2, 16);
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, nullptr);
  for (uint64_t i = 0; i < 14; ++i) {
    ASSERT_TRUE(a.has_room(1)) << i;
    a.post(1, mail(0, i));
  }
  EXPECT_FALSE(a.has_room(1));
  EXPECT_TRUE(b.has_room(0)) << "the other direction has its own ring";
  EXPECT_EQ(drain(b, 1).size(), 1U);
  EXPECT_TRUE(a.has_room(1));
}

TEST(Mailbox, ControlMessagesPastTheRing_AreSpilledAndArriveInOrder) {
  MailGrid<Mail> grid(2, 8);
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, nullptr);
  for (uint64_t i = 0; i < 30; ++i) a.post(1, mail(0, i));
  EXPECT_TRUE(a.has_spill());
  std::vector<uint64_t> got = drain(b);
  EXPECT_EQ(got, numbers(0, 8));
  EXPECT_FALSE(a.has_room(1)) << "a publish must not overtake what is spilled";
  a.post(1, mail(0, 30));
  while (a.has_spill()) {
    a.deliver();
    for (const uint64_t number : drain(b, 3)) got.push_back(number);
  }
  for (const uint64_t number : drain(b)) got.push_back(number);
  EXPECT_EQ(got, numbers(0, 31));
  EXPECT_TRUE(a.has_room(1));
}

TEST(Mailbox, GridWithUnreadMail_FreesItAll) {
  MailGrid<Mail> grid(2, 4);
  Mailbox<Mail> a(grid, 0, nullptr);
  for (uint64_t i = 0; i < 10; ++i) a.post(1, mail(0, i));
}

struct Sleeper {
  /// How many watchers were called: 0 or 1.
  int wait(int timeout_ms) {
    loop.wait(int64_t{timeout_ms} * 1'000);
    return loop.dispatch();
  }
  EventLoop loop;
  Wakeup wakeup{loop};
};

TEST(Mailbox, BurstForASleepingShard_IsOneWakeUp) {
  MailGrid<Mail> grid(2, 64);
  Sleeper sleeper;
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, &sleeper.wakeup);
  ASSERT_TRUE(b.prepare_to_sleep());
  for (uint64_t i = 0; i < 20; ++i) a.post(1, mail(0, i));
  EXPECT_EQ(sleeper.wait(0), 0) << "nobody is woken before the end of the sender's turn";
  a.deliver();
  EXPECT_EQ(sleeper.wait(0), 1);
  a.post(1, mail(0, 20));
  a.deliver();
  a.deliver();
  EXPECT_EQ(sleeper.wait(0), 0) << "one wake-up a sleep";
  b.woken();
  EXPECT_EQ(drain(b).size(), 21U);
}

TEST(Mailbox, AwakeShard_IsNotNotified) {
  MailGrid<Mail> grid(2, 64);
  Sleeper sleeper;
  Mailbox<Mail> a(grid, 0, nullptr);
  Mailbox<Mail> b(grid, 1, &sleeper.wakeup);
  a.post(1, mail(0, 1));
  a.deliver();
  EXPECT_EQ(sleeper.wait(0), 0);
  EXPECT_FALSE(b.prepare_to_sleep()) << "it must look into its mail instead of sleeping";
  a.post(1, mail(0, 2));
  a.deliver();
  EXPECT_EQ(sleeper.wait(0), 0) << "a refused sleep does not count as one";
}

TEST(Wakeup, ManyNotifications_AreOneEventAndThenNone) {
  Sleeper sleeper;
  for (int i = 0; i < 1'000; ++i) sleeper.wakeup.notify();
  EXPECT_EQ(sleeper.wait(0), 1);
  EXPECT_EQ(sleeper.wait(0), 0);
}

/// One shard's thread: sends `count` numbers to the other in bursts, answers nothing, sleeps whenever it can. Ends when
/// all it expects has come; fails when it sleeps for seconds, which is a lost wake-up.
class Player {
 public:
  Player(MailGrid<Mail>& grid, uint32_t shard, uint64_t count)
      : shard_(shard), count_(count), mailbox_(grid, shard, &sleeper_.wakeup) {}

  void run() {
    uint64_t burst = 1;
    while (sent_ < count_ || received_ < count_ || mailbox_.has_spill()) {
      mailbox_.drain(64, [this](Mail&& message) {
        in_order_ = in_order_ && *message.number == received_;
        ++received_;
      });
      for (uint64_t i = 0; i < burst && sent_ < count_; ++i) mailbox_.post(1 - shard_, mail(shard_, sent_++));
      burst = burst * 5 % 97;
      mailbox_.deliver();
      // Half of the turns wait although there is more to send: sleeping and sending race in every combination.
      const bool may_wait = (sent_ == count_ || received_ < sent_) && !mailbox_.has_spill() && received_ < count_;
      if (!may_wait || !mailbox_.prepare_to_sleep()) continue;
      ++sleeps_;
      if (sleeper_.wait(10'000) == 0) {
        lost_ = true;
        return;
      }
      mailbox_.woken();
    }
  }

  bool in_order() const { return in_order_; }
  bool lost() const { return lost_; }
  uint64_t received() const { return received_; }
  uint64_t sleeps() const { return sleeps_; }

 private:
  uint32_t shard_;
  uint64_t count_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t sleeps_ = 0;
  bool in_order_ = true;
  bool lost_ = false;
  Sleeper sleeper_;
  Mailbox<Mail> mailbox_;
};

TEST(Mailbox, TwoThreadsThatSleepAndWake_LoseNothingAndKeepTheOrder) {
  constexpr uint64_t kMessages = 60'000;
  // A ring small enough to be full often, so that the spill is on the path as well.
  MailGrid<Mail> grid(2, 32);
  Player first(grid, 0, kMessages);
  Player second(grid, 1, kMessages);
  std::thread other([&] { second.run(); });
  first.run();
  other.join();
  for (const Player* player : {&first, &second}) {
    EXPECT_FALSE(player->lost());
    EXPECT_TRUE(player->in_order());
    EXPECT_EQ(player->received(), kMessages);
  }
  EXPECT_GT(first.sleeps() + second.sleeps(), 0U);
}

/// A strict exchange: each sleeps until the other has answered, so every message crosses the edge of a sleep.
TEST(Mailbox, PingPongBetweenTwoThreads_NeverMissesAWakeUp) {
  constexpr uint64_t kRounds = 10'000;
  MailGrid<Mail> grid(2, 8);
  Sleeper sleepers[2];
  Mailbox<Mail> boxes[2]{{grid, 0, &sleepers[0].wakeup}, {grid, 1, &sleepers[1].wakeup}};
  std::atomic<bool> lost = false;
  const auto play = [&](uint32_t me) {
    uint64_t rounds = 0;
    if (me == 0) boxes[0].post(1, mail(0, 0));
    while (rounds < kRounds && !lost) {
      boxes[me].deliver();
      rounds += boxes[me].drain(8, [&](Mail&& message) { boxes[me].post(1 - me, std::move(message)); });
      boxes[me].deliver();
      if (rounds == kRounds || !boxes[me].prepare_to_sleep()) continue;
      if (sleepers[me].wait(10'000) == 0) lost = true;
      boxes[me].woken();
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  EXPECT_FALSE(lost);
}

}  // namespace
}  // namespace kilat::net
