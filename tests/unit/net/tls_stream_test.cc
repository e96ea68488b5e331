// Streams under TLS: the handshake, partial writes, slow readers, and how they end.
#include <gtest/gtest.h>

#include <string>

#include "net/stream.h"
#include "unit/net/tls_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::pattern;
using testing::tcp_pair;
using testing::TlsClient;
using testing::TlsTest;

using Closed = std::vector<Reason>;

TEST_F(TlsTest, BothVersions_CarryBytesBothWays) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Connection connection(reactor, tcp_pair());
    wrap(connection);
    TlsClient client(connection.peer.get(), version);
    ASSERT_TRUE(connect(client));
    EXPECT_EQ(SSL_version(client.ssl()), version);
    ASSERT_TRUE(client.write("question"));
    ASSERT_TRUE(turn_until([&] { return connection.handler.received == "question"; }));
    connection.stream->push(FramePtr::make("answer"));
    EXPECT_EQ(read_all(client, 6), "answer");
    EXPECT_EQ(client.server_name(), "server");
  }
}

TEST_F(TlsTest, OldVersions_AreRefused) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get(), TLS1_1_VERSION);
  EXPECT_FALSE(turn_until([&] { return client.shake() || connection.stream->finishing(); }) && client.shake());
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kTlsHandshakeFailed});
}

TEST_F(TlsTest, ManyFrames_GoOutInOneRecord) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  turn();
  const uint64_t before = reactor.send_calls();
  std::string all;
  for (unsigned i = 0; i < 100; ++i) {
    all += pattern(100, i);
    connection.stream->push(FramePtr::make(pattern(100, i)));
  }
  EXPECT_EQ(read_all(client, all.size()), all);
  EXPECT_EQ(reactor.send_calls() - before, 1U);
}

TEST_F(TlsTest, SlowReader_GetsEveryByteInOrder) {
  Connection connection(reactor, tcp_pair(4'096), 4'608);
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  std::string all;
  for (unsigned i = 0; i < 200; ++i) {
    // Small ones, large ones, and some that are larger than a record and than the buffer they are gathered in.
    const std::string bytes = pattern(i % 40 == 7 ? 70'000 : i % 9 == 3 ? 17'000 : 50 + i, i);
    all += bytes;
    connection.stream->push(FramePtr::make(bytes));
    if (i % 10 == 0) turn();
  }
  std::string got;
  turn_until([&] {
    got += client.read_now(3'000);
    return got.size() >= all.size();
  });
  EXPECT_TRUE(got == all) << got.size() << " of " << all.size();
  EXPECT_EQ(connection.stream->bytes(), 0U);
  EXPECT_TRUE(connection.stream->empty());
}

TEST_F(TlsTest, SlowReaderThatIsClosed_GetsWhatWasSealedThenTheLastFrame) {
  // The frames of a record that is sealed but not sent can't be dropped: the peer could decrypt nothing behind it.
  for (const size_t size : {20U, 300U, 5'000U, 100'000U}) {
    Connection connection(reactor, tcp_pair(4'096), 4'608);
    wrap(connection);
    TlsClient client(connection.peer.get());
    ASSERT_TRUE(connect(client));
    std::string all;
    for (unsigned i = 0; all.size() < 600'000; ++i) {
      all += pattern(size, i);
      connection.stream->push(FramePtr::make(pattern(size, i)));
    }
    reactor.flush();
    ASSERT_TRUE(connection.stream->blocked());
    const uint32_t queued = connection.stream->bytes();
    connection.stream->finish_slow(Reason::kSlowConsumer, FramePtr::make("CLOSE"));
    EXPECT_LT(connection.stream->bytes(), queued);
    const std::string got = read_all(client, SIZE_MAX);
    ASSERT_TRUE(got.ends_with("CLOSE")) << size;
    const size_t begun = got.size() - 5;
    EXPECT_EQ(begun % size, 0U) << "whole frames only";
    EXPECT_TRUE(got.substr(0, begun) == all.substr(0, begun)) << size;
    EXPECT_TRUE(client.saw_goodbye());
    connection.peer.reset();
    EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
    EXPECT_EQ(connection.handler.closed, Closed{Reason::kSlowConsumer});
    EXPECT_EQ(reactor.bytes(), 0U);
  }
}

TEST_F(TlsTest, Finish_SaysGoodbyeInTlsToo) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  connection.stream->push(FramePtr::make("last words"));
  connection.stream->finish(Reason::kHttpDone);
  EXPECT_EQ(read_all(client, SIZE_MAX), "last words");
  EXPECT_TRUE(client.saw_goodbye());
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
}

TEST_F(TlsTest, FinishBeforeTheHandshake_ClosesAtOnce) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  connection.stream->push(FramePtr::make("nobody can read this"));
  reactor.flush();
  connection.stream->finish(Reason::kWsHandshakeTimeout);
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kWsHandshakeTimeout});
  EXPECT_EQ(connection.read_now(), "") << "nothing in plain text";
}

TEST_F(TlsTest, PeersGoodbye_EndsTheStream) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  SSL_shutdown(client.ssl());
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
}

TEST_F(TlsTest, PeerThatVanishes_EndsTheStreamDuringAndAfterTheHandshake) {
  for (const bool after : {false, true}) {
    Connection connection(reactor, tcp_pair());
    wrap(connection);
    TlsClient client(connection.peer.get());
    if (after) {
      ASSERT_TRUE(connect(client));
    } else {
      client.shake();
    }
    connection.reset_as_peer();
    EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
    EXPECT_EQ(connection.handler.closed, Closed{Reason::kClientGone});
  }
}

TEST_F(TlsTest, PlainHttp_IsAnsweredInPlainHttp) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  connection.send_as_peer("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = ReactorTest::read_all(connection, SIZE_MAX);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nplain HTTP request on a TLS port\n")) << answer;
  EXPECT_TRUE(connection.ended);
  EXPECT_FALSE(connection.reset);
  EXPECT_EQ(connection.handler.received, "");
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kTlsPlainHttp});
}

TEST_F(TlsTest, Garbage_IsRefusedWithAnAlert) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  connection.send_as_peer(std::string("\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff", 10));
  const std::string answer = ReactorTest::read_all(connection, SIZE_MAX);
  ASSERT_EQ(answer.size(), 7U);
  EXPECT_EQ(answer.front(), '\x15') << "an alert record";
  connection.peer.reset();
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kTlsHandshakeFailed});
}

TEST_F(TlsTest, DamagedRecord_ClosesWithoutSendingWhatIsQueued) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  turn();
  connection.send_as_peer(std::string("\x17\x03\x03\x00\x20", 5) + pattern(32));
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kTlsRecordInvalid});
}

TEST_F(TlsTest, ManyRecords_AreReadInTurns) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  turn();
  const std::string text = pattern(30 * 16'384);
  size_t sent = 0;
  size_t most = 0;
  SSL_set_mode(client.ssl(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  EXPECT_TRUE(turn_until([&] {
    size_t part = 0;
    while (sent < text.size() && SSL_write_ex(client.ssl(), text.data() + sent, text.size() - sent, &part) == 1) {
      sent += part;
    }
    const size_t before = connection.handler.received.size();
    turn();
    most = std::max(most, connection.handler.received.size() - before);
    return connection.handler.received.size() == text.size();
  }));
  EXPECT_TRUE(connection.handler.received == text);
  EXPECT_GT(most, 16'384U) << "more than one record a turn";
  EXPECT_LE(most, 4U * 16'384U) << "but not all of them";
}

TEST_F(TlsTest, PausedStream_ReadsNothingUntilItGoesOn) {
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  turn();
  connection.stream->pause_reading(true);
  ASSERT_TRUE(client.write("later"));
  for (int i = 0; i < 10; ++i) turn(1);
  EXPECT_EQ(connection.handler.received, "");
  connection.stream->pause_reading(false);
  EXPECT_TRUE(turn_until([&] { return connection.handler.received == "later"; }));
}

TEST_F(TlsTest, HeaderOfAProxy_StandsBeforeTheHandshake) {
  Connection connection(reactor, tcp_pair());
  wrap(connection, true);
  connection.send_as_peer("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n");
  TlsClient client(connection.peer.get());
  ASSERT_TRUE(connect(client));
  ASSERT_TRUE(client.write("hello"));
  EXPECT_TRUE(turn_until([&] { return connection.handler.received == "hello"; }));
}

TEST_F(TlsTest, HeaderOfAProxy_BeforePlainBytes_InAnyPieces) {
  const std::string all = "PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\nGET /";
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    Connection connection(reactor, tcp_pair());
    connection.stream->wrap(std::make_unique<Transport>(connection.stream->descriptor(), true, nullptr, nullptr));
    connection.send_as_peer(std::string_view(all).substr(0, cut));
    turn(1);
    connection.send_as_peer(std::string_view(all).substr(cut));
    EXPECT_TRUE(turn_until([&] { return connection.handler.received == "GET /"; })) << cut;
  }
}

TEST_F(TlsTest, HeaderOfAProxyThatIsNone_ClosesAtOnce) {
  Connection connection(reactor, tcp_pair());
  connection.stream->wrap(std::make_unique<Transport>(connection.stream->descriptor(), true, nullptr, nullptr));
  connection.send_as_peer("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(turn_until([&] { return connection.stream->closed(); }));
  EXPECT_EQ(connection.handler.closed, Closed{Reason::kProxyHeaderInvalid});
  EXPECT_EQ(connection.handler.received, "");
}

}  // namespace
}  // namespace kilat::net
