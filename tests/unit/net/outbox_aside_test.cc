// What waits outside of an outbox for room in it: how it counts, and when the pool hears of room.
#include <gtest/gtest.h>

#include <string>

#include "net/outbox.h"

namespace kilat::net {
namespace {

class Pool final : public OutboxPool {
 public:
  Pool() : OutboxPool({.hard_bytes = 10'000, .soft_bytes = 4'000}) {}
  uint32_t relieved = 0;
  bool takes_all = false;

 private:
  void relieve(Outbox& outbox) override {
    ++relieved;
    if (takes_all) outbox.consume(outbox.bytes());
  }
};

void fill(Outbox& outbox, size_t bytes) {
  outbox.push(FramePtr::make(std::string(bytes - OutboxPool::kFrameCost, 'x')));
}

TEST(OutboxAside, EmptyOutbox_FitsAnything_AndOthersHalfTheSoftLimit) {
  Pool pool;
  Outbox outbox(pool);
  EXPECT_FALSE(outbox.behind(1'000'000));
  fill(outbox, 1'000);
  EXPECT_FALSE(outbox.behind(1'000 - OutboxPool::kFrameCost));
  EXPECT_EQ(pool.relieved, 0U);
  EXPECT_TRUE(outbox.behind(1'001 - OutboxPool::kFrameCost));
  EXPECT_EQ(pool.relieved, 1U);
}

TEST(OutboxAside, SocketThatTakesItAll_IsNotBehind) {
  Pool pool;
  pool.takes_all = true;
  Outbox outbox(pool);
  fill(outbox, 1'900);
  EXPECT_FALSE(outbox.behind(1'000));
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxAside, WhatIsSetAside_CountsForTheHardLimitAndTheBudget_NotForTheSoftOne) {
  Pool pool;
  Outbox outbox(pool);
  fill(outbox, 1'000);
  outbox.set_aside(5'000);
  EXPECT_EQ(outbox.cost(), 1'000U);
  EXPECT_EQ(outbox.load(), 6'000U);
  EXPECT_EQ(outbox.held(), 6'000U);
  EXPECT_EQ(pool.cost(), 6'000U);
  EXPECT_FALSE(outbox.past_hard_limit());
  outbox.set_aside(4'001);
  EXPECT_TRUE(outbox.past_hard_limit());
  fill(outbox, 100);
  EXPECT_TRUE(outbox.overflowed());
  outbox.take_back(9'001);
  EXPECT_EQ(pool.cost(), 1'000U);
}

TEST(OutboxAside, PoolHearsOfRoom_WhenAQuarterOfTheSoftLimitIsLeft_AndSomethingWaits) {
  Pool pool;
  Outbox outbox(pool);
  for (int i = 0; i < 4; ++i) fill(outbox, 500);
  outbox.consume(500 - OutboxPool::kFrameCost);
  EXPECT_FALSE(pool.has_room());
  outbox.set_aside(100);
  outbox.consume(400);
  EXPECT_FALSE(pool.has_room());  // 1,100 are left
  outbox.consume(100);
  EXPECT_TRUE(pool.has_room());
  EXPECT_TRUE(pool.take_room());
  EXPECT_FALSE(pool.take_room());
  outbox.take_back(100);
  outbox.consume(outbox.bytes());
  EXPECT_FALSE(pool.has_room());
}

TEST(OutboxAside, OutboxThatGoes_TakesItsShareAlong) {
  Pool pool;
  {
    Outbox outbox(pool);
    outbox.set_aside(700);
    EXPECT_EQ(pool.cost(), 700U);
  }
  EXPECT_EQ(pool.cost(), 0U);
}

}  // namespace
}  // namespace kilat::net
