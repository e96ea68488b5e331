// How streams end: by us, by the peer, in the middle of something.
#include <gtest/gtest.h>

#include <string>

#include "net/stream.h"
#include "unit/net/net_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::pattern;
using testing::tcp_pair;

using Closed = std::vector<Reason>;
using StreamCloseTest = testing::ReactorTest;

TEST_F(StreamCloseTest, Finish_DeliversWhatIsQueuedThenEndsWithoutAReset) {
  Connection connection(reactor, tcp_pair());
  connection.send_as_peer("unread input must not cause a reset");
  connection.stream->push(FramePtr::make("goodbye"));
  connection.stream->finish(Reason::kServerDraining);
  connection.stream->push(FramePtr::make("too late"));
  EXPECT_TRUE(connection.stream->finishing());
  reactor.flush();
  EXPECT_EQ(read_all(connection, 8), "goodbye");
  EXPECT_TRUE(connection.ended);
  EXPECT_FALSE(connection.reset);
  EXPECT_FALSE(connection.stream->closed()) << "it waits for the peer's goodbye";
  EXPECT_EQ(connection.handler.received, "") << "a finishing stream hands on nothing";
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kServerDraining});
}

TEST_F(StreamCloseTest, Finish_WithNothingQueued_EndsAtOnce) {
  Connection connection(reactor, tcp_pair());
  connection.stream->finish(Reason::kHttpDone);
  EXPECT_EQ(read_all(connection, 1), "");
  EXPECT_TRUE(connection.ended);
}

TEST_F(StreamCloseTest, Finish_WhenThePeerStays_ClosesAfterTheLinger) {
  Connection connection(reactor, tcp_pair());
  connection.stream->push(FramePtr::make("bye"));
  connection.stream->finish(Reason::kHttpDone);
  reactor.flush();
  pass(Stream::kLingerMs - 1);
  EXPECT_FALSE(connection.stream->closed());
  pass(1);
  EXPECT_TRUE(connection.stream->closed());
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kHttpDone});
  EXPECT_EQ(connection.read_now(), "bye");
}

TEST_F(StreamCloseTest, Finish_OfABlockedStream_DeliversEverythingToASlowButLivingReader) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  const std::string text = pattern(400'000);
  connection.stream->push(FramePtr::make(text));
  connection.stream->finish(Reason::kHttpDone);
  reactor.flush();
  std::string got;
  // The reader needs longer than the linger, but less than the time of the soft limit.
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 5; ++k) {
      got += connection.read_now(4'000);
      turn(1);
    }
    pass(Stream::kLingerMs);
  }
  ASSERT_FALSE(connection.stream->closed());
  got += read_all(connection, SIZE_MAX);
  EXPECT_TRUE(got == text) << got.size();
  EXPECT_TRUE(connection.ended);
}

TEST_F(StreamCloseTest, Finish_OfABlockedStreamThatNobodyReads_ClosesAfterTheTimeOfTheSoftLimit) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  connection.stream->push(FramePtr::make(pattern(400'000)));
  connection.stream->finish(Reason::kHttpDone);
  reactor.flush();
  pass(reactor.limits().soft_ms - 1);
  EXPECT_FALSE(connection.stream->closed());
  pass(1);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kHttpDone});
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(StreamCloseTest, Finish_WhenThePeerHasHalfClosed_StillDeliversEverything) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  const std::string text = pattern(400'000);
  connection.handler.when_bytes = [&] {
    connection.stream->push(FramePtr::make(text));
    connection.stream->finish(Reason::kHttpDone);
  };
  connection.send_as_peer("request");
  ASSERT_EQ(shutdown(connection.peer.get(), SHUT_WR), 0);
  EXPECT_TRUE(turn_until([&] { return connection.stream->finishing(); }));
  for (int i = 0; i < 5; ++i) turn(1);
  EXPECT_EQ(testing::poll(reactor.loop(), 0), 0) << "the peer's end must not be reported again and again";
  EXPECT_TRUE(read_all(connection, SIZE_MAX) == text);
  EXPECT_TRUE(connection.ended);
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); })) << "both have said goodbye";
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kHttpDone});
}

TEST_F(StreamCloseTest, Finish_PeerThatSendsForEver_IsCutOff) {
  Connection connection(reactor, tcp_pair());
  connection.stream->finish(Reason::kWsUnmasked);
  const std::string junk(64 * 1024, 'x');
  uint64_t sent = 0;
  for (int i = 0; i < 10'000 && !connection.stream->closed(); ++i) {
    const ssize_t got = send(connection.peer.get(), junk.data(), junk.size(), MSG_NOSIGNAL);
    if (got > 0) sent += static_cast<uint64_t>(got);
    turn();
  }
  EXPECT_TRUE(connection.stream->closed());
  EXPECT_GT(sent, Stream::kDiscardMax);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kWsUnmasked});
}

TEST_F(StreamCloseTest, Finish_Twice_KeepsTheFirstReason) {
  Connection connection(reactor, tcp_pair());
  connection.stream->finish(Reason::kPongTimeout);
  connection.stream->finish(Reason::kServerDraining);
  connection.stream->finish_slow(Reason::kSlowConsumer, FramePtr::make("no"));
  connection.stream->abort(Reason::kInternal);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kPongTimeout});
}

TEST_F(StreamCloseTest, FinishFromInsideOnBytes_DeliversTheAnswer) {
  Connection connection(reactor, tcp_pair());
  connection.handler.when_bytes = [&] {
    connection.stream->push(FramePtr::make("answer"));
    connection.stream->finish(Reason::kHttpDone);
  };
  connection.send_as_peer("question");
  EXPECT_EQ(read_all(connection, 7), "answer");
  EXPECT_TRUE(connection.ended);
}

TEST_F(StreamCloseTest, FinishSlow_EndsTheBegunFrameThenSendsTheLastOne) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  const std::string begun = pattern(300'000, 1);
  connection.stream->push(FramePtr::make(begun));
  for (unsigned i = 0; i < 20; ++i) connection.stream->push(FramePtr::make(pattern(20'000, i)));
  reactor.flush();
  ASSERT_TRUE(connection.stream->blocked());
  connection.stream->finish_slow(Reason::kSlowConsumer, FramePtr::make("CLOSE"));
  EXPECT_LT(connection.stream->bytes(), begun.size() + 5);
  EXPECT_TRUE(read_all(connection, SIZE_MAX) == begun + "CLOSE");
  EXPECT_TRUE(connection.ended);
}

TEST_F(StreamCloseTest, FinishSlow_ReaderThatStaysSilent_IsClosedAfterTheLinger) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  connection.stream->push(FramePtr::make(pattern(300'000)));
  reactor.flush();
  connection.stream->finish_slow(Reason::kSlowConsumer, FramePtr::make("CLOSE"));
  pass(Stream::kLingerMs);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kSlowConsumer});
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(StreamCloseTest, Abort_ClosesAtOnceAndFreesTheQueue) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  connection.stream->push(FramePtr::make(pattern(300'000)));
  reactor.flush();
  connection.stream->push(FramePtr::make("more"));
  connection.stream->abort(Reason::kInternal);
  EXPECT_TRUE(connection.stream->closed());
  EXPECT_EQ(connection.stream->reason(), Reason::kInternal);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kInternal});
  EXPECT_EQ(reactor.bytes(), 0U);
  connection.stream->push(FramePtr::make("dropped"));
  connection.stream->abort(Reason::kInternal);
  connection.stream->finish(Reason::kInternal);
  connection.stream->pause_reading(true);
  turn();
  EXPECT_EQ(connection.handler.closed.size(), 1U);
  EXPECT_TRUE(connection.stream->empty());
}

TEST_F(StreamCloseTest, PeerCloses_HandlerIsToldOnce) {
  Connection connection(reactor, tcp_pair());
  connection.send_as_peer("last words");
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.received, "last words");
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
}

TEST_F(StreamCloseTest, PeerResetsInTheMiddleOfABlockedSend_HandlerIsToldOnce) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  connection.stream->push(FramePtr::make(pattern(300'000)));
  reactor.flush();
  ASSERT_TRUE(connection.stream->blocked());
  connection.reset_as_peer();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
  EXPECT_EQ(reactor.bytes(), 0U);
}

TEST_F(StreamCloseTest, PeerResetsBeforeTheFlush_FlushClosesTheStream) {
  Connection connection(reactor, tcp_pair());
  Connection other(reactor, tcp_pair());
  connection.stream->push(FramePtr::make("into the void"));
  other.stream->push(FramePtr::make("arrives"));
  connection.reset_as_peer();
  reactor.flush();
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
  EXPECT_EQ(read_all(other, 7), "arrives");
}

TEST_F(StreamCloseTest, PeerResetsWhileLingering_KeepsOurReason) {
  Connection connection(reactor, tcp_pair());
  connection.stream->finish(Reason::kPongTimeout);
  connection.reset_as_peer();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kPongTimeout});
}

TEST_F(StreamCloseTest, PeerResetsBeforeFinish_FinishClosesWithItsReason) {
  Connection connection(reactor, tcp_pair());
  connection.reset_as_peer();
  connection.stream->finish(Reason::kPongTimeout);
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kPongTimeout});
}

TEST_F(StreamCloseTest, PeerResetsWhilePaused_IsNoticed) {
  Connection connection(reactor, tcp_pair());
  connection.stream->pause_reading(true);
  connection.reset_as_peer();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
}

TEST_F(StreamCloseTest, PeerEndsWhilePaused_IsNoticedWhenReadingResumesAndDoesNotSpin) {
  Connection connection(reactor, tcp_pair());
  connection.stream->pause_reading(true);
  connection.send_as_peer("unread");
  connection.peer.reset();
  for (int i = 0; i < 5; ++i) turn(1);
  EXPECT_EQ(testing::poll(reactor.loop(), 0), 0);
  EXPECT_FALSE(connection.stream->closed());
  connection.stream->pause_reading(false);
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.received, "unread");
}

TEST_F(StreamCloseTest, DescriptorThatCannotBeWatched_IsAClosedStreamWithoutACall) {
  testing::RecordingHandler handler;
  // Regular files cannot be watched with epoll.
  const Stream stream(reactor, open("/proc/self/exe", O_RDONLY | O_CLOEXEC), handler);
  EXPECT_TRUE(stream.closed());
  EXPECT_EQ(stream.reason(), Reason::kInternal);
  EXPECT_TRUE(handler.closed.empty());
}

}  // namespace
}  // namespace kilat::net
