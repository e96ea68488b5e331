// What is read from certificate files, and tickets.
#include "net/tls_context.h"

#include <gtest/gtest.h>

#include <ctime>
#include <fstream>

#include "unit/net/tls_fixture.h"

namespace kilat::net {
namespace {

using testing::Connection;
using testing::Owned;
using testing::Pems;
using testing::tcp_pair;
using testing::TlsClient;
using testing::TlsTest;

std::string load_error(const TlsOptions& options) {
  const auto loaded = TlsContext::load(options);
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().reason, Reason::kTlsFilesInvalid);
  return loaded.error().detail;
}

TEST(TlsContext, EveryError_NamesTheFileAndTheCause) {
  const Pems pems;
  const auto a = pems.make("a");
  const auto b = pems.make("b");
  const std::string none = pems.path("none.pem");
  EXPECT_EQ(load_error({.pairs = {{none, a.key}}}),
            "cannot use the certificate " + none + ": No such file or directory");
  EXPECT_EQ(load_error({.pairs = {{a.certificate, none}}}),
            "cannot use the key " + none + ": No such file or directory");
  EXPECT_EQ(load_error({.pairs = {{a.certificate, b.key}}}), "cannot use the key " + b.key + ": key values mismatch");
  EXPECT_EQ(load_error({.pairs = {{a.key, a.key}}}), "cannot use the certificate " + a.key + ": no start line");
  EXPECT_EQ(load_error({.pairs = {}}), "there is no certificate");
  EXPECT_EQ(load_error({.pairs = {a}, .client_certificates = ClientCertificates::kRequired, .client_ca = none}),
            "cannot use the client CA " + none + ": No such file or directory");
  std::ofstream(pems.path("half.pem")) << "-----BEGIN CERTIFICATE-----\nMIIB";
  EXPECT_NE(load_error({.pairs = {{pems.path("half.pem"), a.key}}}), "loaded");
}

TEST(TlsContext, Expiry_IsThatOfTheFirstToExpire) {
  const Pems pems;
  const auto loaded = TlsContext::load({.pairs = {pems.make("long", 90), pems.make("short", 5, true)}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->expires_first(), pems.path("short.pem"));
  EXPECT_NEAR(static_cast<double>((*loaded)->expires_unix_s() - time(nullptr)), 5 * 86'400.0, 3'600.0);
}

TEST_F(TlsTest, EcdsaAndRsa_EachClientGetsWhatItKnows) {
  context = *TlsContext::load({.pairs = {pems.make("ecdsa"), pems.make("rsa", 30, true)}});
  for (const auto& [algorithms, name] : {std::pair{"ECDSA+SHA256", "ecdsa"}, {"RSA-PSS+SHA256", "rsa"}}) {
    Connection connection(reactor, tcp_pair());
    wrap(connection);
    TlsClient client(connection.peer.get());
    SSL_set1_sigalgs_list(client.ssl(), algorithms);
    ASSERT_TRUE(connect(client));
    EXPECT_EQ(client.server_name(), name);
  }
}

TEST_F(TlsTest, ServerName_ChoosesTheCertificate) {
  context = *TlsContext::load({.pairs = {pems.make("one.example"), pems.make("two.example"),
                                         pems.make("*.three.example"), pems.make("rsa.example", 30, true)}});
  const std::pair<const char*, std::string> cases[] = {
      {nullptr, "one.example"},          {"one.example", "one.example"},         {"two.example", "two.example"},
      {"TWO.example", "two.example"},    {"a.three.example", "*.three.example"}, {"three.example", "one.example"},
      {"nobody.example", "one.example"},
  };
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& [name, certificate] : cases) {
      Connection connection(reactor, tcp_pair());
      wrap(connection);
      TlsClient client(connection.peer.get(), version);
      if (name != nullptr) SSL_set_tlsext_host_name(client.ssl(), name);
      ASSERT_TRUE(connect(client));
      EXPECT_EQ(client.server_name(), certificate) << (name != nullptr ? name : "no name");
    }
  }
}

TEST_F(TlsTest, ServerName_IsAskedForInContextsThatAreGone) {
  const std::weak_ptr<const TlsContext> gone = context =
      *TlsContext::load({.pairs = {pems.make("one.example"), pems.make("two.example")}});
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  // As a reload in the middle of a handshake does.
  context.reset();
  ASSERT_TRUE(gone.expired());
  TlsClient client(connection.peer.get());
  SSL_set_tlsext_host_name(client.ssl(), "two.example");
  ASSERT_TRUE(connect(client));
  EXPECT_EQ(client.server_name(), "two.example");
}

TEST_F(TlsTest, Alpn_TakesHttp11AndRefusesTheRest) {
  for (const bool known : {true, false}) {
    Connection connection(reactor, tcp_pair());
    wrap(connection);
    TlsClient client(connection.peer.get());
    const std::string offer = known ? std::string("\x02h2\x08http/1.1") : std::string("\x02h2");
    SSL_set_alpn_protos(client.ssl(), reinterpret_cast<const unsigned char*>(offer.data()),
                        static_cast<unsigned>(offer.size()));
    bool shaken = false;
    turn_until([&] { return (shaken = client.shake()) || connection.stream->finishing(); });
    EXPECT_EQ(shaken && !connection.stream->finishing(), known);
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.ssl(), &chosen, &size);
    EXPECT_EQ(std::string(chosen, chosen + size), known ? "http/1.1" : "");
  }
}

struct TicketTest : TlsTest {
  /// Connects with `session`, if any, to a shard that has `keys`; the session to come back with.
  Owned<SSL_SESSION> visit(TicketKeys& keys, SSL_SESSION* session, bool& reused) {
    Connection connection(reactor, tcp_pair());
    connection.stream->wrap(std::make_unique<Transport>(connection.stream->descriptor(), false, context.get(), &keys));
    TlsClient client(connection.peer.get(), version, session);
    EXPECT_TRUE(connect(client));
    turn();
    // In TLS 1.3 the ticket comes after the handshake.
    connection.stream->push(FramePtr::make("x"));
    EXPECT_EQ(read_all(client, 1), "x");
    reused = client.resumed();
    SSL_shutdown(client.ssl());
    turn();
    return client.session();
  }
  int version = TLS1_3_VERSION;
  TicketKeys::Secret secret = TicketKeys::random_secret();
  bool resumed = false;
};

TEST_F(TicketTest, AnotherShard_TakesTheTicket) {
  for (const int wanted : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    version = wanted;
    TicketKeys here(secret, 0);
    TicketKeys there(secret, 0);
    const auto session = visit(here, nullptr, resumed);
    EXPECT_FALSE(resumed);
    visit(there, session.get(), resumed);
    EXPECT_TRUE(resumed);
  }
}

TEST_F(TicketTest, AnotherServer_DoesNot) {
  TicketKeys here(secret, 0);
  TicketKeys there(TicketKeys::random_secret(), 0);
  const auto session = visit(here, nullptr, resumed);
  visit(there, session.get(), resumed);
  EXPECT_FALSE(resumed);
}

TEST_F(TicketTest, KeysRotate_TheLastOneIsStillGoodTheOneBeforeIsNot) {
  TicketKeys keys(secret, 1'000);
  TicketKeys late(secret, 1'000);
  const auto session = visit(keys, nullptr, resumed);
  keys.advance(1'000 + TicketKeys::kPeriodMs);
  const auto renewed = visit(keys, session.get(), resumed);
  EXPECT_TRUE(resumed);
  keys.advance(1'000 + 2 * TicketKeys::kPeriodMs);
  late.advance(1'000 + 2 * TicketKeys::kPeriodMs + 5);
  visit(keys, session.get(), resumed);
  EXPECT_FALSE(resumed);
  visit(late, renewed.get(), resumed);
  EXPECT_TRUE(resumed) << "shards move on by themselves and meet again";
}

TEST_F(TicketTest, NewCertificate_KeepsTheTickets) {
  TicketKeys keys(secret, 0);
  const auto session = visit(keys, nullptr, resumed);
  context = *TlsContext::load({.pairs = {pems.make("other")}});
  visit(keys, session.get(), resumed);
  EXPECT_TRUE(resumed);
}

TEST_F(TicketTest, OtherRulesForClients_MakeTicketsVoid) {
  TicketKeys keys(secret, 0);
  const auto session = visit(keys, nullptr, resumed);
  const auto pair = pems.make("server");
  context = *TlsContext::load(
      {.pairs = {pair}, .client_certificates = ClientCertificates::kOptional, .client_ca = pair.certificate});
  Connection connection(reactor, tcp_pair());
  wrap(connection);
  TlsClient client(connection.peer.get(), version, session.get());
  connect(client);
  EXPECT_FALSE(client.resumed());
}

}  // namespace
}  // namespace kilat::net
