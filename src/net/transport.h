// Transport: what stands between a stream and its plain socket: the header of a proxy, and TLS. A plain connection has
// none. Moves bytes and reports; what follows from that (closing, watching, handing on) is the Stream's business.
// Owner: one Stream, hence one shard. Lifetime: of the connection under TLS; without TLS only until the header is read.
// Bounds: those of ProxyParser and of OpenSSL: one record of 16 KiB each way, given back while nothing is in flight.
// OpenSSL writes with write(2), so the process must ignore SIGPIPE.
#pragma once

#include <openssl/types.h>
#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/reason.h"
#include "net/proxy_protocol.h"
#include "net/tls_context.h"
#include "net/tls_tickets.h"

namespace kilat::net {

class Transport {
 public:
  static constexpr size_t kRecordBytes = 16 * 1024;  ///< RFC 8446 section 5.1

  enum class Outcome : uint8_t {
    kDone,
    kWantRead,   ///< again when the socket is readable
    kWantWrite,  ///< again when it is writable
    kEnded,      ///< the peer sends no more
    kFailed,     ///< see failure()
  };

  /// Waits for a header first if `proxied`, then for a handshake if `tls` is given. `tickets` must outlive this.
  /// std::bad_alloc when there is no memory.
  Transport(int fd, bool proxied, const TlsContext* tls, TicketKeys* tickets);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Whether the header is read and the handshake over, so that bytes can flow.
  bool open() const { return open_; }
  /// Goes on with the header or the handshake. kDone: open.
  Outcome advance();
  /// Whether there is more to do than what has been done: false means that the plain socket is all that is left.
  bool needed() const { return ssl_ != nullptr; }
  /// The header, once complete; nothing without one.
  const ProxyParser* header() const { return proxy_.get(); }
  void forget_header() { proxy_.reset(); }

  /// Reads one record's bytes at most. Only when open under TLS.
  Outcome read(std::span<char> into, size_t& got);
  /// Decrypted bytes that no event of the socket will announce.
  bool pending() const;

  /// Seals and sends at most one record of `bytes`, not empty. After kWantWrite or kWantRead the same bytes must come
  /// again in front, see committed(). Only when open under TLS.
  Outcome write(std::span<const char> bytes, size_t& sent);
  /// Bytes from the front of the last write() that are sealed already and on their way: they can't be taken back.
  uint32_t committed() const { return committed_; }

  /// Tells the peer that no more will come (close_notify, RFC 8446 section 6.1). kDone or kFailed: nothing left to do.
  Outcome say_goodbye();

  /// What to watch the socket for, if a plain stream would watch for `wanted`.
  uint32_t events(uint32_t wanted) const {
    if (reading_wants_write_) wanted |= EPOLLOUT;
    return writing_wants_read_ ? (wanted & ~uint32_t{EPOLLOUT}) | EPOLLIN : wanted;
  }

  /// Whether reading waits for the socket to be writable, or writing for it to be readable.
  bool reading_wants_write() const { return reading_wants_write_; }
  bool writing_wants_read() const { return writing_wants_read_; }

  /// After kFailed: kClientGone when the connection broke, else what the peer did wrong.
  Reason failure() const { return failure_; }

 private:
  Outcome read_header();
  Outcome shake_hands();
  Outcome outcome_of(int result);
  void note_failure();

  SSL* ssl_ = nullptr;
  std::unique_ptr<ProxyParser> proxy_;
  int fd_;
  uint32_t committed_ = 0;
  Reason failure_ = Reason::kNone;
  bool header_read_ : 1;
  bool open_ : 1 = false;
  bool reading_wants_write_ : 1 = false;
  bool writing_wants_read_ : 1 = false;
};

}  // namespace kilat::net
