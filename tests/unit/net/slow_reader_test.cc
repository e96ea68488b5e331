// Readers that do not keep up, and readers that only seem so.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "net/stream.h"
#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::pattern;
using testing::tcp_pair;

constexpr OutboxLimits kLimits{.hard_bytes = 512 * 1024,
                               .soft_bytes = 64 * 1024,
                               .soft_ms = 10'000,
                               .budget_bytes = 1'024 * 1024 * 6 / 5};  // a MiB, and the fifth for the allocator
constexpr int kTinySend = 4'608;
constexpr int kTinyReceive = 4'096;

struct SlowReaderTest : testing::ReactorTest {
  SlowReaderTest() : ReactorTest(kLimits) {
    policy.act = [this](StreamHandler& handler, Reason reason) {
      for (const auto& connection : connections) {
        if (&connection->handler == &handler) connection->stream->finish_slow(reason, FramePtr::make("CLOSE"));
      }
    };
  }
  Connection& slow() {
    connections.push_back(std::make_unique<Connection>(reactor, tcp_pair(kTinyReceive), kTinySend));
    return *connections.back();
  }
  Connection& healthy() {
    connections.push_back(std::make_unique<Connection>(reactor, tcp_pair(1'024 * 1024), 2 * 1'024 * 1024));
    return *connections.back();
  }
  std::vector<std::pair<StreamHandler*, Reason>> told(Connection& connection, Reason reason) {
    return {{&connection.handler, reason}};
  }

  std::vector<std::unique_ptr<Connection>> connections;
};

void push(Connection& connection, size_t bytes, size_t frame_bytes = 10'000) {
  for (size_t left = bytes; left > 0; left -= std::min(left, frame_bytes)) {
    connection.stream->push(FramePtr::make(pattern(std::min(left, frame_bytes))));
  }
}

TEST_F(SlowReaderTest, SlowReader_OverHardLimit_IsClosedWithReason) {
  Connection& connection = slow();
  push(connection, kLimits.hard_bytes + 100'000);
  EXPECT_TRUE(policy.calls.empty()) << "nothing is closed in the middle of a fan-out";
  EXPECT_TRUE(connection.stream->overflowed());
  reactor.flush();
  EXPECT_EQ(policy.calls, told(connection, Reason::kSlowConsumer));
  EXPECT_TRUE(connection.stream->finishing());
  EXPECT_LT(reactor.bytes(), 20'000U) << "its queue is dropped";
  const std::string got = read_all(connection, SIZE_MAX);
  EXPECT_TRUE(got.ends_with("CLOSE"));
  EXPECT_EQ((got.size() - 5) % 10'000, 0U) << "the frame that was begun is complete";
}

TEST_F(SlowReaderTest, SlowReader_JustBelowHardLimit_Stays) {
  Connection& connection = slow();
  push(connection, kLimits.hard_bytes);
  reactor.flush();
  pass(1'000);
  EXPECT_TRUE(policy.calls.empty());
  EXPECT_FALSE(connection.stream->finishing());
}

TEST_F(SlowReaderTest, SlowReader_GrowingOverSeveralTurns_IsClosedOnce) {
  Connection& connection = slow();
  for (int i = 0; i < 30; ++i) {
    push(connection, 30'000);
    turn();
  }
  EXPECT_EQ(policy.calls, told(connection, Reason::kSlowConsumer));
}

TEST_F(SlowReaderTest, BurstAboveTheHardLimitInOneTurn_ToAHealthyReader_IsNotSlow) {
  // The kernel takes what fits into its buffers; the burst is above the limit, but what is left of it is not.
  Connection& connection = healthy();
  std::string expected;
  for (unsigned i = 0; i < 100; ++i) {
    const std::string text = pattern(10'000, i);
    connection.stream->push(FramePtr::make(text));
    expected += text;
  }
  ASSERT_GT(expected.size(), kLimits.hard_bytes);
  EXPECT_FALSE(connection.stream->overflowed());
  reactor.flush();
  EXPECT_TRUE(policy.calls.empty());
  EXPECT_TRUE(read_all(connection, expected.size()) == expected);
}

TEST_F(SlowReaderTest, SlowReader_AboveSoftLimitForTheWholeTime_IsClosedWithItsOwnReason) {
  Connection& connection = slow();
  push(connection, kLimits.soft_bytes + 100'000);
  reactor.flush();
  pass(kLimits.soft_ms - 1);
  EXPECT_TRUE(policy.calls.empty());
  pass(1);
  EXPECT_EQ(policy.calls, told(connection, Reason::kSlowConsumerSoft));
  pass(1);
  EXPECT_EQ(policy.calls.size(), 1U);
}

TEST_F(SlowReaderTest, SlowReader_ThatFallsBelowTheSoftLimitInBetween_StartsAnew) {
  Connection& connection = slow();
  push(connection, kLimits.soft_bytes + 100'000);
  reactor.flush();
  pass(kLimits.soft_ms - 1);
  turn_until([&] {
    connection.read_now();
    return connection.stream->bytes() <= kLimits.soft_bytes;
  });
  push(connection, kLimits.soft_bytes + 100'000);
  reactor.flush();
  pass(kLimits.soft_ms - 1);
  EXPECT_TRUE(policy.calls.empty());
  pass(1);
  EXPECT_EQ(policy.calls, told(connection, Reason::kSlowConsumerSoft));
}

TEST_F(SlowReaderTest, SlowReader_BlockedBelowTheSoftLimit_StaysForEver) {
  Connection& connection = slow();
  push(connection, kLimits.soft_bytes / 2);
  reactor.flush();
  ASSERT_TRUE(connection.stream->blocked());
  for (int i = 0; i < 10; ++i) pass(kLimits.soft_ms);
  EXPECT_TRUE(policy.calls.empty());
}

TEST_F(SlowReaderTest, ShardOverItsBudget_EvictsTheLargestFirstAndOnlyAsManyAsNeeded) {
  Connection& small = slow();
  Connection& largest = slow();
  Connection& middle = slow();
  push(small, 300'000);
  push(largest, 450'000);
  push(middle, 400'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, told(largest, Reason::kMemoryBudget));
  EXPECT_LE(reactor.bytes(), kLimits.budget_bytes);
  EXPECT_FALSE(small.stream->finishing());
  EXPECT_FALSE(middle.stream->finishing());
}

TEST_F(SlowReaderTest, ShardFarOverItsBudget_EvictsInOrderOfSize) {
  std::vector<Connection*> all;
  for (size_t i = 0; i < 6; ++i) {
    all.push_back(&slow());
    push(*all.back(), 250'000 + 40'000 * i);
  }
  reactor.flush();
  ASSERT_EQ(policy.calls.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(policy.calls[i],
              std::make_pair(static_cast<StreamHandler*>(&all[5 - i]->handler), Reason::kMemoryBudget));
  }
}

// A frame that was begun stays for the goodbye. Where it is all that a reader holds, closing it with a goodbye frees
// nothing, and one reader after the other would be closed for the same memory.
TEST_F(SlowReaderTest, ShardOverItsBudget_FrameThatWasBegun_GoesWithItsReader) {
  Connection& largest = slow();
  push(largest, 450'000, 450'000);
  push(slow(), 400'000, 400'000);
  push(slow(), 300'000, 300'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, told(largest, Reason::kMemoryBudget));
  EXPECT_EQ(largest.handler.closed, std::vector<Reason>{Reason::kMemoryBudget});
  EXPECT_LE(reactor.cost(), kLimits.budget_bytes);
}

TEST_F(SlowReaderTest, ShardOverItsBudget_StreamsThatAreEnding_GoWhenNoOneElseIsLeft) {
  Connection& ending = slow();
  push(ending, 450'000, 450'000);
  reactor.flush();
  ending.stream->finish(Reason::kHttpDone);
  Connection& other = slow();
  push(other, 400'000);
  reactor.flush();
  EXPECT_TRUE(policy.calls.empty());
  reactor.set_limits({.budget_bytes = 300'000});
  reactor.flush();
  EXPECT_EQ(policy.calls, told(other, Reason::kMemoryBudget));
  EXPECT_EQ(ending.handler.closed, std::vector<Reason>{Reason::kHttpDone});
  EXPECT_TRUE(other.handler.closed.empty()) << "it says goodbye";
}

TEST_F(SlowReaderTest, ShardOverItsBudget_ReadersThatAreEnding_GoBeforeWhoSends) {
  Connection& ending = slow();
  push(ending, 450'000, 450'000);
  reactor.flush();
  ending.stream->finish(Reason::kHttpDone);
  Connection& sender = healthy();
  sender.stream->note_input(200'000);
  reactor.set_limits({.budget_bytes = 300'000});
  reactor.flush();
  EXPECT_TRUE(policy.calls.empty()) << "the sender is within the budget once the other has gone";
  EXPECT_EQ(ending.handler.closed, std::vector<Reason>{Reason::kHttpDone});
}

TEST_F(SlowReaderTest, ShardOverItsBudget_PolicyThatAborts_EvictsNoOneElse) {
  policy.act = [this](StreamHandler& handler, Reason reason) {
    for (const auto& connection : connections) {
      if (&connection->handler == &handler) connection->stream->abort(reason);
    }
  };
  Connection& largest = slow();
  push(largest, 450'000);
  push(slow(), 400'000);
  push(slow(), 300'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, told(largest, Reason::kMemoryBudget));
  EXPECT_EQ(largest.handler.closed, std::vector<Reason>{Reason::kMemoryBudget});
}

TEST_F(SlowReaderTest, PolicyThatDoesNothing_IsAskedAgainWithoutAnEndlessLoop) {
  policy.act = nullptr;
  for (int i = 0; i < 4; ++i) push(slow(), 400'000);
  reactor.flush();
  EXPECT_EQ(policy.calls.size(), 1U);
}

TEST_F(SlowReaderTest, ManySlowReadersSweptTogether_AreAllClosed) {
  for (int i = 0; i < 7; ++i) push(slow(), kLimits.soft_bytes + 60'000);
  reactor.flush();
  pass(kLimits.soft_ms);
  EXPECT_EQ(policy.calls.size(), 7U);
  for (const auto& connection : connections) EXPECT_FALSE(connection->stream->closed());
  pass(Stream::kLingerMs);
  for (const auto& connection : connections) {
    EXPECT_EQ(connection->handler.closed, std::vector<Reason>{Reason::kSlowConsumerSoft});
  }
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(SlowReaderTest, SlowReader_IsNotFeltByItsNeighbours) {
  Connection& stuck = slow();
  Connection& good = healthy();
  std::string expected;
  std::string got;
  for (unsigned i = 0; i < 200; ++i) {
    const FramePtr frame = FramePtr::make(pattern(5'000, i));
    expected += frame->bytes();
    stuck.stream->push(frame);
    good.stream->push(frame);
    turn();
    got += good.read_now();
  }
  got += read_all(good, expected.size() - got.size());
  EXPECT_TRUE(got == expected);
  EXPECT_EQ(policy.calls, told(stuck, Reason::kSlowConsumer));
}

}  // namespace
}  // namespace kilat::net
