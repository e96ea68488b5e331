// Frames that gather while a shard is busy: Reactor::set_linger.
#include <gtest/gtest.h>

#include <string>

#include "net/stream.h"
#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::tcp_pair;

struct LingerTest : testing::ReactorTest {
  void at_us(uint64_t us) { reactor.set_now(1'000'000 + us); }
  LingerTest() {
    at_us(0);
    reactor.set_linger(5'000);
  }
};

TEST_F(LingerTest, Frames_GatherUntilTheOldestHasWaited) {
  Connection connection(reactor, tcp_pair());
  connection.stream->push_event(FramePtr::make("a"));
  reactor.flush();
  at_us(2'000);
  connection.stream->push_event(FramePtr::make("b"));
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), 0U);
  EXPECT_EQ(reactor.linger_until_us(), 1'005'000U);
  at_us(5'000);
  connection.stream->push_event(FramePtr::make("c"));
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), 1U);
  EXPECT_EQ(connection.read_now(), "abc");
  EXPECT_EQ(reactor.linger_until_us(), 0U);
}

TEST_F(LingerTest, UrgentOutbox_IsSentAtTheEndOfTheTurn) {
  Connection patient(reactor, tcp_pair());
  Connection urgent(reactor, tcp_pair());
  urgent.stream->set_urgent(true);
  patient.stream->push_event(FramePtr::make("later"));
  urgent.stream->push_event(FramePtr::make("now"));
  reactor.flush();
  EXPECT_EQ(urgent.read_now(), "now");
  EXPECT_EQ(patient.read_now(), "");
}

TEST_F(LingerTest, Answer_IsSentAtTheEndOfTheTurnBehindWhatHasGathered) {
  Connection connection(reactor, tcp_pair());
  connection.stream->push_event(FramePtr::make("event "));
  reactor.flush();
  connection.stream->push(FramePtr::make("answer"));
  reactor.flush();
  EXPECT_EQ(connection.read_now(), "event answer");
  EXPECT_EQ(reactor.send_calls(), 1U);
  connection.stream->push_event(FramePtr::make("next"));
  reactor.flush();
  EXPECT_EQ(connection.read_now(), "");
  at_us(5'000);
  reactor.flush();
  EXPECT_EQ(connection.read_now(), "next");
}

TEST_F(LingerTest, NoMoreLingering_SendsWhatHasGathered) {
  Connection connection(reactor, tcp_pair());
  connection.stream->push_event(FramePtr::make("a"));
  reactor.flush();
  reactor.set_linger(0);
  reactor.flush();
  EXPECT_EQ(connection.read_now(), "a");
}

TEST_F(LingerTest, StreamDestroyedWhileItsFramesGather_LeavesNothingBehind) {
  Connection other(reactor, tcp_pair());
  {
    Connection connection(reactor, tcp_pair());
    connection.stream->push_event(FramePtr::make("lost"));
    reactor.flush();
    connection.stream->abort(Reason::kClientGone);
  }
  other.stream->push_event(FramePtr::make("kept"));
  at_us(5'000);
  reactor.flush();
  EXPECT_EQ(other.read_now(), "kept");
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(LingerTest, BurstOverTheHardLimit_IsSentAtOnceAndNobodyIsSlow) {
  Connection connection(reactor, tcp_pair());
  const std::string piece(64 * 1024, 'x');
  std::string got;
  for (int i = 0; i < 40; ++i) {
    connection.stream->push_event(FramePtr::make(piece));
    got += connection.read_now();
  }
  at_us(5'000);
  turn_until([&] { return (got += connection.read_now()).size() == 40 * piece.size(); });
  EXPECT_TRUE(policy.calls.empty());
}

}  // namespace
}  // namespace kilat::net
