// TlsClient: what the TLS connections of a run share: whom they trust, and which server they mean. TlsSession: the TLS
// of one connection over its non-blocking socket. OpenSSL does the protocol. Owner: the run, and each its socket; one
// thread. Each connection makes a full handshake, as a new visitor does. Bounds: OpenSSL's buffers, two of some 17 KiB
// while a connection is busy.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cli/failure.h"

namespace kilat::cli::bench {

struct TlsClientOptions {
  std::string host;       ///< name or address that the certificate must be for
  std::string ca;         ///< PEM file to trust instead of what the system trusts; may be empty
  bool insecure = false;  ///< take any certificate
};

class TlsSession {
 public:
  enum class State : unsigned char { kDone, kWantRead, kWantWrite, kEnded, kFailed };
  struct Step {
    State state = State::kDone;
    size_t bytes = 0;   ///< with kDone: read or written
    std::string why{};  ///< with kFailed
  };

  explicit TlsSession(SSL* ssl) : ssl_(ssl) {}
  /// Tells the server that nothing follows, where the handshake was over.
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Step handshake();
  /// One record at most.
  Step read(std::span<char> into);
  /// A part of it, as recv and send do.
  Step write(std::string_view bytes);

 private:
  Step outcome(int result);

  SSL* ssl_;
  bool established_ = false;
};

class TlsClient {
 public:
  /// Reads the file of trusted certificates.
  static Outcome<std::unique_ptr<TlsClient>> make(const TlsClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// For a socket that is connected; null when there is no memory.
  std::unique_ptr<TlsSession> begin(int fd) const;

 private:
  TlsClient(SSL_CTX* context, TlsClientOptions options) : context_(context), options_(std::move(options)) {}

  SSL_CTX* context_;
  TlsClientOptions options_;
};

}  // namespace kilat::cli::bench
