#include "net/outbox.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace kilat::net {
namespace {

/// A pool that lets the test play the reactor: takes frames off when it is asked for relief.
class Pool final : public OutboxPool {
 public:
  explicit Pool(const OutboxLimits& limits = {}) : OutboxPool(limits) {}
  size_t dirty_count() const { return dirty_.size(); }
  size_t urgent_count() const { return urgent_.size(); }

  uint32_t relieved = 0;
  bool takes_all = false;

 private:
  void relieve(Outbox& outbox) override {
    ++relieved;
    if (takes_all) outbox.consume(outbox.bytes());
  }
};

std::string content(const Outbox& outbox) {
  std::vector<Frame*> frames(outbox.frames());
  EXPECT_EQ(outbox.peek(frames), frames.size());
  std::string bytes;
  for (Frame* frame : frames) bytes += frame->bytes();
  return bytes.substr(outbox.front_offset());
}

/// Frames of different lengths, more than three chunks full.
std::vector<std::string> texts() {
  std::vector<std::string> result;
  for (size_t i = 0; i < 3 * OutboxPool::kChunkFrames + 4; ++i) {
    result.push_back(std::string(1 + i % 4, static_cast<char>('!' + i)));
  }
  return result;
}

std::string fill(Outbox& outbox) {
  std::string all;
  for (const std::string& text : texts()) {
    outbox.push(FramePtr::make(text));
    all += text;
  }
  return all;
}

TEST(Outbox, Fresh_IsEmptyAndClean) {
  Pool pool;
  const Outbox outbox(pool);
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.dirty());
  EXPECT_EQ(outbox.bytes(), 0U);
  std::array<Frame*, 4> frames{};
  EXPECT_EQ(outbox.peek(frames), 0U);
}

TEST(Outbox, Push_KeepsOrderAndCountsBytesAndFrames) {
  Pool pool;
  Outbox outbox(pool);
  const std::string all = fill(outbox);
  EXPECT_EQ(content(outbox), all);
  EXPECT_EQ(outbox.bytes(), all.size());
  EXPECT_EQ(outbox.frames(), texts().size());
  EXPECT_EQ(pool.bytes(), all.size());
}

TEST(Outbox, Push_ManyFrames_AreListedForTheFlushOnce) {
  Pool pool;
  Outbox outbox(pool);
  fill(outbox);
  EXPECT_TRUE(outbox.dirty());
  EXPECT_EQ(pool.urgent_count(), 1U);
  EXPECT_EQ(pool.dirty_count(), 0U);
}

TEST(Outbox, PushEvent_ManyFrames_AreListedForALaterFlushOnce) {
  Pool pool;
  Outbox outbox(pool);
  for (int i = 0; i < 3; ++i) outbox.push_event(FramePtr::make("event"));
  EXPECT_EQ(pool.dirty_count(), 1U);
  EXPECT_EQ(pool.urgent_count(), 0U);
}

TEST(Outbox, DestroyedWhileDirty_IsNoLongerListedAndGivesItsBytesBack) {
  Pool pool;
  {
    Outbox outbox(pool);
    fill(outbox);
    outbox.push_event(FramePtr::make("event"));
  }
  EXPECT_EQ(pool.dirty_count(), 0U);
  EXPECT_EQ(pool.urgent_count(), 0U);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(Outbox, Consume_AtEverySplit_LeavesExactlyTheRest) {
  for (size_t first = 0; first <= 20; ++first) {
    for (size_t second = 0; second <= 20; ++second) {
      Pool pool;
      Outbox outbox(pool);
      std::string all;
      for (const size_t size : {1, 5, 2, 7, 3, 2}) {
        const std::string text(size, static_cast<char>('a' + all.size()));
        outbox.push(FramePtr::make(text));
        all += text;
      }
      ASSERT_EQ(all.size(), 20U);
      if (first + second > all.size()) continue;
      outbox.consume(first);
      outbox.consume(second);
      ASSERT_EQ(content(outbox), all.substr(first + second)) << first << "+" << second;
      ASSERT_EQ(outbox.bytes(), all.size() - first - second);
      ASSERT_EQ(pool.bytes(), outbox.bytes());
      outbox.consume(outbox.bytes());
      ASSERT_TRUE(outbox.empty());
      ASSERT_EQ(pool.bytes(), 0U);
    }
  }
}

TEST(Outbox, ConsumedInPiecesOfEverySize_PassesChunkBordersInOrder) {
  for (size_t piece = 1; piece <= 40; ++piece) {
    Pool pool;
    Outbox outbox(pool);
    std::string rest = fill(outbox);
    while (!rest.empty()) {
      const size_t size = std::min(piece, rest.size());
      outbox.consume(size);
      rest.erase(0, size);
      ASSERT_EQ(content(outbox), rest) << piece;
      ASSERT_EQ(outbox.bytes(), rest.size());
    }
    ASSERT_TRUE(outbox.empty());
    ASSERT_EQ(outbox.frames(), 0U);
  }
}

TEST(Outbox, PushedWhileConsumed_StaysInOrder) {
  Pool pool;
  Outbox outbox(pool);
  std::string expected;
  for (size_t i = 0; i < 500; ++i) {
    const std::string text = std::to_string(i) + ",";
    outbox.push(FramePtr::make(text));
    expected += text;
    const size_t sent = std::min<size_t>(expected.size(), i % 7);
    outbox.consume(sent);
    expected.erase(0, sent);
    ASSERT_EQ(content(outbox), expected);
  }
}

TEST(Outbox, SharedFrame_OutlivesOneReaderAndIsFreedWithTheLast) {
  Pool pool;
  Outbox first(pool);
  Outbox second(pool);
  Frame* frame = FramePtr::make("shared").detach();
  frame->retain();
  first.push_retained(frame);
  second.push_retained(frame);
  first.consume(6);
  EXPECT_EQ(content(second), "shared");
  EXPECT_EQ(pool.bytes(), 6U);
}

TEST(Outbox, DropUnsent_WithoutABegunFrame_LeavesNothing) {
  Pool pool;
  Outbox outbox(pool);
  fill(outbox);
  outbox.consume(texts()[0].size());
  outbox.drop_unsent();
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(Outbox, DropUnsent_WithABegunFrame_KeepsItsRestAndTakesAFrameBehindIt) {
  // Begun in the first frame, in the last one of a chunk, and in the first one of the next.
  for (const size_t whole : {size_t{0}, OutboxPool::kChunkFrames - 1, OutboxPool::kChunkFrames}) {
    Pool pool;
    Outbox outbox(pool);
    for (size_t i = 0; i < 2 * OutboxPool::kChunkFrames; ++i) outbox.push(FramePtr::make("abcd"));
    outbox.consume(4 * whole + 3);
    outbox.drop_unsent();
    EXPECT_EQ(content(outbox), "d");
    EXPECT_EQ(outbox.bytes(), 1U);
    EXPECT_EQ(pool.bytes(), 1U);
    outbox.push(FramePtr::make("last"));
    EXPECT_EQ(content(outbox), "dlast");
    outbox.consume(5);
    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(pool.bytes(), 0U);
  }
}

TEST(Outbox, Sealed_TakesNoFrame) {
  Pool pool;
  Outbox outbox(pool);
  outbox.push(FramePtr::make("in"));
  outbox.seal();
  outbox.push(FramePtr::make("out"));
  EXPECT_EQ(content(outbox), "in");
}

TEST(Outbox, FrameWithoutBytes_IsNotQueued) {
  Pool pool;
  Outbox outbox(pool);
  outbox.push(FramePtr::make(""));
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.dirty());
}

TEST(Outbox, OverTheHardLimitWithoutRelief_OverflowsAndDropsWhatFollows) {
  Pool pool(OutboxLimits{.hard_bytes = 10});
  Outbox outbox(pool);
  outbox.push(FramePtr::make("0123456789"));
  EXPECT_FALSE(outbox.overflowed()) << "a single frame may be larger than the limit";
  EXPECT_EQ(pool.relieved, 0U);
  outbox.push(FramePtr::make("a"));
  EXPECT_TRUE(outbox.overflowed());
  outbox.push(FramePtr::make("b"));
  EXPECT_EQ(pool.relieved, 1U);
  EXPECT_EQ(content(outbox), "0123456789");
  outbox.drop_unsent();
  EXPECT_FALSE(outbox.overflowed());
  outbox.push(FramePtr::make("last"));
  EXPECT_EQ(content(outbox), "last");
}

TEST(Outbox, OverTheHardLimitWithRelief_GoesOn) {
  Pool pool(OutboxLimits{.hard_bytes = 10});
  pool.takes_all = true;
  Outbox outbox(pool);
  for (int i = 0; i < 100; ++i) outbox.push(FramePtr::make("abc"));
  EXPECT_FALSE(outbox.overflowed());
  EXPECT_EQ(pool.relieved, 99U);
  EXPECT_EQ(pool.bytes(), 3U);
}

TEST(Outbox, ManyTinyFrames_CountWhatTheyCostBeyondTheirBytes) {
  Pool pool(OutboxLimits{.hard_bytes = 10 * (OutboxPool::kFrameCost + 1)});
  Outbox outbox(pool);
  for (int i = 0; i < 100; ++i) outbox.push(FramePtr::make("x"));
  EXPECT_TRUE(outbox.overflowed());
  EXPECT_EQ(outbox.frames(), 11U);
  EXPECT_EQ(outbox.cost(), pool.cost());
}

// The limits of a reader ask how far it is behind, the budget of the shard how much memory is held.
TEST(Outbox, PartlySentFrame_CountsWholeForTheBudgetOnly) {
  Pool pool;
  Outbox outbox(pool);
  outbox.push(FramePtr::make(std::string(1'000, 'a')));
  outbox.push(FramePtr::make(std::string(100, 'b')));
  outbox.consume(999);
  EXPECT_EQ(outbox.cost(), 101U + 2 * OutboxPool::kFrameCost);
  EXPECT_EQ(outbox.held(), 1'100U + 2 * OutboxPool::kFrameCost);
  EXPECT_EQ(pool.cost(), outbox.held());
  outbox.consume(1);
  EXPECT_EQ(outbox.held(), 100U + OutboxPool::kFrameCost);
  EXPECT_EQ(pool.cost(), outbox.held());
  outbox.consume(50);
  outbox.drop_unsent();
  EXPECT_EQ(pool.cost(), 100U + OutboxPool::kFrameCost);
  outbox.consume(50);
  EXPECT_EQ(pool.cost(), 0U);
}

TEST(Outbox, ManyOnOnePool_AccountingReturnsToZero) {
  Pool pool;
  {
    std::vector<std::unique_ptr<Outbox>> all;
    for (int i = 0; i < 50; ++i) all.push_back(std::make_unique<Outbox>(pool));
    uint64_t expected = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      fill(*all[i]);
      all[i]->consume(i);
      if (i % 3 == 0) all[i]->drop_unsent();
      expected += all[i]->bytes();
    }
    EXPECT_EQ(pool.bytes(), expected);
  }
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(FramePtr, MovedCopiedAndAssigned_KeepsItsBytes) {
  FramePtr first = FramePtr::make("head:", "body");
  FramePtr second = first;
  FramePtr third = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), third.get());
  second = FramePtr::make("other");
  third = second;
  EXPECT_EQ(third->bytes(), "other");
  EXPECT_EQ(FramePtr::make("a", "b")->size(), 2U);
  EXPECT_EQ(FramePtr::make("")->bytes(), "");
}

}  // namespace
}  // namespace kilat::net
