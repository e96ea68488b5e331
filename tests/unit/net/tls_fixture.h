// Certificates made on the spot, and a TLS client on a plain descriptor.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "net/tls_context.h"
#include "net/tls_tickets.h"
#include "net/transport.h"
#include "unit/net/net_fixture.h"

namespace kilat::net::testing {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeSsl>;

/// A folder of PEM files that goes with the test.
class Pems {
 public:
  Pems() {
    std::string name = (std::filesystem::temp_directory_path() / "kilat-pem-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Pems() { std::filesystem::remove_all(folder_); }
  Pems(const Pems&) = delete;
  Pems& operator=(const Pems&) = delete;

  std::string path(const std::string& name) const { return folder_ / name; }

  /// A self-signed certificate NAME.pem with the key NAME.key; `days` may be negative.
  TlsOptions::Pair make(const std::string& name, int days = 30, bool rsa = false) const {
    const Owned<EVP_PKEY> key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
    const Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86'400L * 60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400L * days);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    TlsOptions::Pair out{path(name + ".pem"), path(name + ".key")};
    if (FILE* file = std::fopen(out.certificate.c_str(), "w")) {
      PEM_write_X509(file, certificate.get());
      std::fclose(file);
    }
    if (FILE* file = std::fopen(out.key.c_str(), "w")) {
      PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      std::fclose(file);
    }
    return out;
  }

 private:
  std::filesystem::path folder_;
};

/// The client's end: non-blocking, does not look at the server's certificate.
class TlsClient {
 public:
  explicit TlsClient(int fd, int version = 0, SSL_SESSION* session = nullptr)
      : context_(SSL_CTX_new(TLS_client_method())) {
    // A session in the context's own cache would be spoilt when the context goes.
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (version != 0) SSL_CTX_set_max_proto_version(context_.get(), version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd);
    SSL_set_connect_state(ssl_.get());
    if (session != nullptr) SSL_set_session(ssl_.get(), session);
  }

  SSL* ssl() const { return ssl_.get(); }
  /// Whether the handshake is over on this side.
  bool shake() {
    ERR_clear_error();
    return SSL_do_handshake(ssl_.get()) == 1;
  }
  /// What can be read now.
  std::string read_now(size_t limit = SIZE_MAX) {
    std::string out;
    char buffer[16 * 1024];
    size_t got = 0;
    ERR_clear_error();
    while (out.size() < limit &&
           SSL_read_ex(ssl_.get(), buffer, std::min(sizeof buffer, limit - out.size()), &got) == 1) {
      out.append(buffer, got);
    }
    return out;
  }
  bool write(std::string_view bytes) {
    size_t sent = 0;
    ERR_clear_error();
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent) == 1 && sent == bytes.size();
  }
  bool saw_goodbye() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  Owned<SSL_SESSION> session() const { return Owned<SSL_SESSION>(SSL_get1_session(ssl_.get())); }
  std::string server_name() const {
    const Owned<X509> certificate(SSL_get1_peer_certificate(ssl_.get()));
    char name[64] = "";
    if (certificate) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, 64);
    return name;
  }

 private:
  Owned<SSL_CTX> context_;
  Owned<SSL> ssl_;
};

/// Streams that speak TLS, and a client for each.
struct TlsTest : ReactorTest {
  TlsTest() {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
    auto loaded = TlsContext::load({.pairs = {pems.make("server")}});
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().detail);
    if (loaded) context = *loaded;
  }

  void wrap(Connection& connection, bool proxied = false) {
    connection.stream->wrap(
        std::make_unique<Transport>(connection.stream->descriptor(), proxied, context.get(), &tickets));
  }
  /// Both sides are through with the handshake; in TLS 1.3 the client is first.
  bool connect(TlsClient& client) {
    const bool done = turn_until([&] { return client.shake(); });
    for (int i = 0; i < 3; ++i) turn(1);
    return done;
  }
  /// Reads at the client until `size` bytes came or the server said goodbye.
  std::string read_all(TlsClient& client, size_t size) {
    std::string out;
    turn_until([&] {
      out += client.read_now();
      return out.size() >= size || client.saw_goodbye();
    });
    return out;
  }

  Pems pems;
  std::shared_ptr<const TlsContext> context;
  TicketKeys tickets{TicketKeys::Secret{1, 2, 3}, 0};
};

}  // namespace kilat::net::testing
