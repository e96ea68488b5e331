#include "cli/bench/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace kilat::cli::bench {
namespace {

constexpr unsigned char kAlpn[] = "\x08http/1.1";

std::string openssl_words() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (code != 0 && ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "unknown error";
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

TlsSession::~TlsSession() {
  ERR_clear_error();
  if (established_) SSL_shutdown(ssl_);
  ERR_clear_error();
  SSL_free(ssl_);
}

TlsSession::Step TlsSession::outcome(int result) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return {.state = State::kWantRead};
    case SSL_ERROR_WANT_WRITE: return {.state = State::kWantWrite};
    case SSL_ERROR_ZERO_RETURN: return {.state = State::kEnded};
    case SSL_ERROR_SYSCALL:
      established_ = false;
      if (system_error == 0) return {.state = State::kEnded};
      return {.state = State::kFailed, .why = std::generic_category().message(system_error)};
    default: break;
  }
  // Nothing may be sent on a connection that has failed (SSL_shutdown(3)).
  established_ = false;
  if (const long verdict = SSL_get_verify_result(ssl_); verdict != X509_V_OK) {
    ERR_clear_error();
    return {.state = State::kFailed,
            .why = std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(verdict)};
  }
  return {.state = State::kFailed, .why = "TLS: " + openssl_words()};
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_connect(ssl_);
  if (result != 1) return outcome(result);
  established_ = true;
  return {};
}

TlsSession::Step TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  size_t got = 0;
  const int result = SSL_read_ex(ssl_, into.data(), into.size(), &got);
  return result == 1 ? Step{.bytes = got} : outcome(result);
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  errno = 0;
  size_t sent = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent);
  return result == 1 ? Step{.bytes = sent} : outcome(result);
}

Outcome<std::unique_ptr<TlsClient>> TlsClient::make(const TlsClientOptions& options) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return std::unexpected(Failure{"cannot set TLS up", {}, openssl_words(), {}});
  std::unique_ptr<TlsClient> out(new TlsClient(context, options));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  if (options.insecure) return out;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const bool trusting = options.ca.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                           : SSL_CTX_load_verify_file(context, options.ca.c_str()) == 1;
  if (!trusting) {
    return std::unexpected(
        Failure{"cannot read the trusted certificates", fit_for_terminal(options.ca), openssl_words(), {"--ca FILE"}});
  }
  return out;
}

TlsClient::~TlsClient() {
  SSL_CTX_free(context_);
}

std::unique_ptr<TlsSession> TlsClient::begin(int fd) const {
  SSL* const ssl = SSL_new(context_);
  if (ssl == nullptr) return nullptr;
  auto out = std::make_unique<TlsSession>(ssl);
  const std::string& host = options_.host;
  if (SSL_set_fd(ssl, fd) != 1) return nullptr;
  // An address is not a name that may be asked for (RFC 6066 section 3); it must stand in the certificate as such.
  const bool named = is_address(host)
                         ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1
                         : SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
  return named ? std::move(out) : nullptr;
}

}  // namespace kilat::cli::bench
