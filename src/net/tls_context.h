// TlsContext: certificates, keys and rules of TLS for new connections, immutable once loaded.
// Owner: shared by the server and all shards; connections hold on to the context they began with, so a new one can
// take its place at any time. OpenSSL counts references to it atomically and needs no lock of ours.
// The rules are Mozilla's "intermediate" ones (version 5.7): TLS 1.2 and 1.3, forward secrecy and AEAD ciphers only.
// Bounds: kPairsMax certificates; OpenSSL's own limits on what a client may send in a handshake.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace kilat::net {

enum class ClientCertificates : uint8_t { kOff, kOptional, kRequired };

struct TlsOptions {
  struct Pair {
    std::string certificate;  ///< PEM file: the server's certificate, then those of its chain
    std::string key;          ///< PEM file without a passphrase
  };
  /// For each set of names one for each kind of key (ECDSA, RSA). The first answers where no name fits or none is asked
  /// for.
  std::vector<Pair> pairs = {};
  ClientCertificates client_certificates = ClientCertificates::kOff;
  std::string client_ca = {};  ///< PEM file; needed unless kOff
  bool ktls = false;           ///< let the kernel encrypt, where it can
};

class TlsSites;

class TlsContext {
 public:
  static constexpr size_t kPairsMax = 32;

  /// Reads all files and checks that they belong together. The error says which file, and why. Main thread, or any.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsOptions& options);

  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// For SSL_new, which takes a reference of its own.
  SSL_CTX* handle() const { return context_; }

  /// When the first of the certificates expires, in seconds since 1970, and which file that is.
  int64_t expires_unix_s() const { return expires_unix_s_; }
  const std::string& expires_first() const { return expires_first_; }

 private:
  static Result<bool> set_rules(SSL_CTX* ctx, const TlsOptions& options);
  static Result<bool> ask_for_client_certificates(SSL_CTX* ctx, const TlsOptions& options);
  Result<bool> use(const TlsOptions::Pair& pair, TlsSites& sites, const TlsOptions& options);

  SSL_CTX* context_;
  int64_t expires_unix_s_ = INT64_MAX;
  std::string expires_first_;
};

}  // namespace kilat::net
