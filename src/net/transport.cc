#include "net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "base/check.h"

namespace kilat::net {

Transport::Transport(int fd, bool proxied, const TlsContext* tls, TicketKeys* tickets)
    : fd_(fd), header_read_(!proxied) {
  if (proxied) proxy_ = std::make_unique<ProxyParser>();
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls->handle());
  if (ssl_ == nullptr) throw std::bad_alloc();
  if (SSL_set_fd(ssl_, fd) != 1) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  SSL_set_app_data(ssl_, tickets);
  SSL_set_accept_state(ssl_);
}

Transport::~Transport() {
  SSL_free(ssl_);
}

Transport::Outcome Transport::advance() {
  reading_wants_write_ = false;
  if (!header_read_) {
    const Outcome outcome = read_header();
    if (outcome != Outcome::kDone) return outcome;
    header_read_ = true;
  }
  const Outcome outcome = ssl_ != nullptr ? shake_hands() : Outcome::kDone;
  open_ = outcome == Outcome::kDone;
  reading_wants_write_ = outcome == Outcome::kWantWrite;
  return outcome;
}

// What follows the header belongs to TLS or to the stream, so no byte more than the header may be taken off the socket:
// a look at what is there first, then exactly the part that is the header's.
Transport::Outcome Transport::read_header() {
  std::array<char, 1024> bytes;
  for (;;) {
    const ssize_t seen = recv(fd_, bytes.data(), bytes.size(), MSG_PEEK);
    if (seen < 0 && (errno == EAGAIN || errno == EINTR)) return Outcome::kWantRead;
    failure_ = seen < 0 ? Reason::kClientGone : Reason::kProxyHeaderInvalid;
    if (seen < 0) return Outcome::kFailed;
    if (seen == 0) {
      failure_ = Reason::kClientGone;
      return Outcome::kFailed;
    }
    std::span<const char> in(bytes.data(), static_cast<size_t>(seen));
    const ProxyParser::Status status = proxy_->feed(in);
    const auto taken = static_cast<size_t>(seen) - in.size();
    // These bytes are there, so nothing but a broken connection can make this fail.
    if (recv(fd_, bytes.data(), taken, 0) != static_cast<ssize_t>(taken)) return Outcome::kFailed;
    if (status == ProxyParser::Status::kDone) return Outcome::kDone;
    if (status == ProxyParser::Status::kError) return Outcome::kFailed;
  }
}

Transport::Outcome Transport::shake_hands() {
  ERR_clear_error();
  return outcome_of(SSL_do_handshake(ssl_));
}

Transport::Outcome Transport::read(std::span<char> into, size_t& got) {
  got = 0;
  ERR_clear_error();
  const Outcome outcome = outcome_of(SSL_read_ex(ssl_, into.data(), into.size(), &got));
  reading_wants_write_ = outcome == Outcome::kWantWrite;
  return outcome;
}

bool Transport::pending() const {
  return SSL_pending(ssl_) > 0;
}

Transport::Outcome Transport::write(std::span<const char> bytes, size_t& sent) {
  // OpenSSL refuses a repeated write that is shorter than the first, and silently keeps the bytes of the first.
  KILAT_CHECK(bytes.size() >= committed_);
  sent = 0;
  ERR_clear_error();
  const Outcome outcome = outcome_of(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent));
  const bool waits = outcome == Outcome::kWantWrite || outcome == Outcome::kWantRead;
  writing_wants_read_ = outcome == Outcome::kWantRead;
  if (!waits) {
    committed_ = 0;
  } else if (committed_ == 0) {
    committed_ = static_cast<uint32_t>(std::min(bytes.size(), kRecordBytes));
  }
  return outcome;
}

Transport::Outcome Transport::say_goodbye() {
  if (!open_ || ssl_ == nullptr) return Outcome::kDone;
  ERR_clear_error();
  // 0 means sent, and that the peer has not said goodbye yet; nobody waits for that here.
  const int result = SSL_shutdown(ssl_);
  return result >= 0 ? Outcome::kDone : outcome_of(result);
}

Transport::Outcome Transport::outcome_of(int result) {
  if (result == 1) return Outcome::kDone;
  const int system_error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Outcome::kWantRead;
    case SSL_ERROR_WANT_WRITE: return Outcome::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      if (open_) return Outcome::kEnded;
      failure_ = Reason::kClientGone;
      return Outcome::kFailed;
    case SSL_ERROR_SYSCALL:
      if (system_error == EINTR) return Outcome::kWantRead;
      failure_ = Reason::kClientGone;
      return Outcome::kFailed;
    default: note_failure(); return Outcome::kFailed;
  }
}

void Transport::note_failure() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  failure_ = open_ ? Reason::kTlsRecordInvalid : Reason::kTlsHandshakeFailed;
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: failure_ = Reason::kTlsPlainHttp; break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED: failure_ = Reason::kTlsClientCertificateRefused; break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: failure_ = Reason::kClientGone; break;
    default: break;
  }
}

}  // namespace kilat::net
