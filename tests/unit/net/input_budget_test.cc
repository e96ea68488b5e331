// Unfinished input counts against the budget of the shard.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "net/stream.h"
#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::tcp_pair;

constexpr OutboxLimits kLimits{.budget_bytes = 1'200'000};  // of which a fifth is for the allocator

struct InputBudgetTest : testing::ReactorTest {
  InputBudgetTest() : ReactorTest(kLimits) {
    policy.act = [this](StreamHandler& handler, Reason reason) {
      for (const auto& connection : connections) {
        if (&connection->handler != &handler) continue;
        connection->stream->finish_slow(reason, FramePtr::make("CLOSE"));
        if (frees) connection->stream->note_input(0);
      }
    };
  }
  Connection& open(size_t input) {
    connections.push_back(std::make_unique<Connection>(reactor, tcp_pair()));
    connections.back()->stream->note_input(input);
    return *connections.back();
  }
  std::pair<StreamHandler*, Reason> told(Connection& connection) {
    return {&connection.handler, Reason::kMemoryBudget};
  }

  std::vector<std::unique_ptr<Connection>> connections;
  bool frees = true;  // the handler lets go of its input when it is told
};

TEST_F(InputBudgetTest, Input_IsCountedAsItComesAndGoes) {
  Connection& first = open(1'000);
  Connection& second = open(500);
  Connection& third = open(70);
  EXPECT_EQ(reactor.input_bytes(), 1'570u);
  first.stream->note_input(2'000);
  second.stream->note_input(0);
  EXPECT_EQ(reactor.input_bytes(), 2'070u);
  third.stream->abort(Reason::kClientGone);
  EXPECT_EQ(reactor.input_bytes(), 2'000u) << "closed";
  third.stream->note_input(100);
  EXPECT_EQ(reactor.input_bytes(), 2'000u) << "what a closed one holds goes at the end of the turn";
  connections.clear();
  EXPECT_EQ(reactor.input_bytes(), 0u) << "destroyed without a close";
}

TEST_F(InputBudgetTest, OverTheBudget_TheLargestGoesAndOnlyAsManyAsNeeded) {
  open(300'000);
  Connection& largest = open(500'000);
  open(150'000);
  Connection& next = open(400'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, std::vector{told(largest)}) << "850,000 and a fifth are below the budget";
  EXPECT_FALSE(reactor.over_budget());
  reactor.flush();
  EXPECT_EQ(largest.read_now(), "CLOSE") << "it learns why";
  open(300'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, (std::vector{told(largest), told(next)}));
}

TEST_F(InputBudgetTest, WithinTheBudget_NobodyIsTold) {
  open(500'000);
  open(499'000);
  reactor.flush();
  EXPECT_TRUE(policy.calls.empty());
}

TEST_F(InputBudgetTest, OutboxAndInput_AddUp) {
  Connection& both = open(600'000);
  open(300'000);
  both.stream->push(FramePtr::make(std::string(10'000, 'x')));
  open(200'000);
  reactor.flush();
  ASSERT_FALSE(policy.calls.empty());
  EXPECT_EQ(policy.calls.front(), told(both));
}

TEST_F(InputBudgetTest, InputThatIsNotFreed_GoesWithItsConnection) {
  frees = false;
  Connection& largest = open(900'000);
  open(200'000);
  reactor.flush();
  EXPECT_EQ(policy.calls, std::vector{told(largest)});
  EXPECT_EQ(largest.handler.closed, std::vector{Reason::kMemoryBudget});
  EXPECT_EQ(reactor.input_bytes(), 200'000u);
}

}  // namespace
}  // namespace kilat::net
