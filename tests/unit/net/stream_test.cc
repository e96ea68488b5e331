// Sending and receiving on healthy streams.
#include "net/stream.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::pattern;
using testing::tcp_pair;

using StreamTest = testing::ReactorTest;

TEST_F(StreamTest, ManyFramesInOneTurn_AreOneSystemCall) {
  Connection connection(reactor, tcp_pair());
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const std::string text = "frame " + std::to_string(i) + ";";
    connection.stream->push(FramePtr::make(text));
    expected += text;
  }
  EXPECT_EQ(reactor.send_calls(), 0U);
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), 1U);
  EXPECT_EQ(reactor.bytes_sent(), expected.size());
  EXPECT_TRUE(connection.stream->empty());
  EXPECT_FALSE(connection.stream->blocked());
  EXPECT_EQ(connection.read_now(), expected);
}

TEST_F(StreamTest, FlushWithNothingQueued_MakesNoSystemCall) {
  Connection connection(reactor, tcp_pair());
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), 0U);
}

TEST_F(StreamTest, LargeFramesInOneTurn_AreOneSystemCall) {
  Connection connection(reactor, tcp_pair());
  std::string expected;
  for (unsigned i = 0; i < 8; ++i) {
    const std::string text = pattern(20'000, i);
    connection.stream->push(FramePtr::make(text));
    expected += text;
  }
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), 1U);
  EXPECT_EQ(read_all(connection, expected.size()), expected);
}

TEST_F(StreamTest, SameFramesForManyStreams_ReachEachOnceAndInOrder) {
  std::vector<std::unique_ptr<Connection>> all;
  for (int i = 0; i < 10; ++i) all.push_back(std::make_unique<Connection>(reactor, tcp_pair()));
  std::string expected;
  for (int i = 0; i < 30; ++i) {
    const FramePtr frame = FramePtr::make("event " + std::to_string(i) + "\n");
    expected += frame->bytes();
    for (const auto& connection : all) connection->stream->push(frame);
  }
  reactor.flush();
  EXPECT_EQ(reactor.send_calls(), all.size());
  for (const auto& connection : all) EXPECT_EQ(connection->read_now(), expected);
  EXPECT_EQ(reactor.bytes(), 0U);
}

// Neighbouring streams share a run, a part of it, more than it, or nothing: none may get another's bytes.
TEST_F(StreamTest, FramesThatAgreeOnlyInParts_ReachTheRightStreams) {
  std::mt19937 random(7);
  std::vector<FramePtr> frames;
  for (unsigned i = 0; i < 40; ++i) frames.push_back(FramePtr::make("<" + std::to_string(i) + ">", pattern(i * 60, i)));
  frames.push_back(FramePtr::make(pattern(16 * 1024, 98)));
  frames.push_back(FramePtr::make(pattern(40'000, 99)));
  std::vector<std::unique_ptr<Connection>> all;
  for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<Connection>(reactor, tcp_pair()));
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> expected(all.size());
    const size_t begin = random() % frames.size();
    for (size_t i = 0; i < all.size(); ++i) {
      const size_t count = 1 + random() % 50;
      for (size_t k = 0; k < count; ++k) {
        const FramePtr& frame =
            random() % 20 == 0 ? frames[random() % frames.size()] : frames[(begin + k) % frames.size()];
        all[i]->stream->push(frame);
        expected[i] += frame->bytes();
      }
    }
    reactor.flush();
    for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(read_all(*all[i], expected[i].size()), expected[i]) << round;
  }
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(StreamTest, RunLongerThanTheGatherBuffer_IsSentWhole) {
  std::vector<std::unique_ptr<Connection>> all;
  for (int i = 0; i < 3; ++i) all.push_back(std::make_unique<Connection>(reactor, tcp_pair()));
  std::string expected;
  for (unsigned i = 0; i < 900; ++i) {
    const FramePtr frame = FramePtr::make(pattern(150 + i % 100, i));
    expected += frame->bytes();
    for (const auto& connection : all) connection->stream->push(frame);
  }
  reactor.flush();
  for (const auto& connection : all) EXPECT_EQ(read_all(*connection, expected.size()), expected);
}

TEST_F(StreamTest, TinySendBuffers_BytesArriveExactlyInOrder) {
  std::mt19937 random(11);
  std::vector<std::unique_ptr<Connection>> all;
  for (int i = 0; i < 4; ++i) all.push_back(std::make_unique<Connection>(reactor, tcp_pair(4'096), 4'608));
  std::vector<std::string> expected(all.size());
  std::vector<std::string> got(all.size());
  for (unsigned round = 0; round < 150; ++round) {
    for (unsigned k = 0; k < 6; ++k) {
      const FramePtr frame =
          FramePtr::make(pattern(random() % 1'500 + (k == 5 && round % 10 == 0 ? 17'000 : 1), round * 8 + k));
      for (size_t i = 0; i < all.size(); ++i) {
        if (random() % 8 == 0) continue;
        all[i]->stream->push(frame);
        expected[i] += frame->bytes();
      }
    }
    turn();
    for (size_t i = 0; i < all.size(); ++i) got[i] += all[i]->read_now(random() % 6'000);
  }
  bool blocked_once = false;
  for (size_t i = 0; i < all.size(); ++i) {
    blocked_once = blocked_once || all[i]->stream->blocked();
    got[i] += read_all(*all[i], expected[i].size() - got[i].size());
    ASSERT_EQ(got[i].size(), expected[i].size());
    ASSERT_TRUE(got[i] == expected[i]) << i;
    EXPECT_TRUE(all[i]->stream->empty());
    EXPECT_FALSE(all[i]->stream->blocked());
  }
  EXPECT_TRUE(blocked_once) << "the buffers were not small enough to test anything";
  EXPECT_TRUE(policy.calls.empty());
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(StreamTest, BlockedStream_TellsWhenItIsDrained) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  const std::string text = pattern(200'000);
  connection.stream->push(FramePtr::make(text));
  reactor.flush();
  EXPECT_TRUE(connection.stream->blocked());
  EXPECT_EQ(connection.handler.drained, 0);
  EXPECT_EQ(read_all(connection, text.size()), text);
  turn_until([&] { return connection.handler.drained > 0; });
  EXPECT_EQ(connection.handler.drained, 1);
}

TEST_F(StreamTest, BytesFromThePeer_ComeInOrderAndAreCounted) {
  Connection connection(reactor, tcp_pair());
  const std::string text = pattern(100'000);
  connection.send_as_peer(text);
  EXPECT_TRUE(turn_until([&] { return connection.handler.received.size() == text.size(); }));
  EXPECT_EQ(connection.handler.received, text);
  EXPECT_EQ(reactor.bytes_received(), text.size());
}

TEST_F(StreamTest, PausedReading_LeavesBytesInTheKernelUntilResumed) {
  Connection connection(reactor, tcp_pair());
  connection.stream->pause_reading(true);
  connection.send_as_peer("later");
  for (int i = 0; i < 5; ++i) turn(1);
  EXPECT_EQ(connection.handler.received, "");
  connection.stream->pause_reading(false);
  EXPECT_TRUE(turn_until([&] { return connection.handler.received == "later"; }));
}

TEST_F(StreamTest, PausedReading_StillSends) {
  Connection connection(reactor, tcp_pair());
  connection.stream->pause_reading(true);
  const std::string text = pattern(3'000'00);
  connection.stream->push(FramePtr::make(text));
  reactor.flush();
  EXPECT_EQ(read_all(connection, text.size()), text);
}

TEST_F(StreamTest, PausedReading_HearsWhenAllIsSent_AlsoWhereTheSocketNeverWasFull) {
  Connection connection(reactor, tcp_pair());
  connection.stream->push(FramePtr::make("one"));
  reactor.flush();
  EXPECT_EQ(connection.handler.drained, 0) << "nobody waits for it";
  connection.stream->pause_reading(true);
  connection.stream->push(FramePtr::make("two"));
  reactor.flush();
  EXPECT_EQ(connection.handler.drained, 1);
  reactor.flush();
  EXPECT_EQ(connection.handler.drained, 1);
  EXPECT_EQ(read_all(connection, 6), "onetwo");
}

TEST_F(StreamTest, PausedFromInsideOnBytes_GetsNoFurtherCall) {
  Connection connection(reactor, tcp_pair());
  connection.handler.when_bytes = [&] { connection.stream->pause_reading(true); };
  connection.send_as_peer("one");
  EXPECT_TRUE(turn_until([&] { return !connection.handler.received.empty(); }));
  connection.send_as_peer("two");
  for (int i = 0; i < 5; ++i) turn(1);
  EXPECT_EQ(connection.handler.received, "one");
}

TEST_F(StreamTest, StreamDestroyedWithQueuedFrames_GivesItsBytesBack) {
  auto connection = std::make_unique<Connection>(reactor, tcp_pair(4'096), 4'608);
  connection->stream->push(FramePtr::make(pattern(500'000)));
  reactor.flush();
  connection->stream->push(FramePtr::make("more"));
  EXPECT_GT(reactor.bytes(), 0U);
  connection.reset();
  EXPECT_EQ(reactor.bytes(), 0U);
  turn();
  reactor.sweep(now_ms + 100'000);
}

}  // namespace
}  // namespace kilat::net
