// The parts of Stream that concern wrapped streams: a proxy's header, the TLS handshake, and bytes through TLS.
#include <sys/epoll.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "net/stream.h"
#include "net/transport.h"

namespace kilat::net {
namespace {

using Outcome = Transport::Outcome;

// For a client that speaks plain HTTP to a TLS port: all it can understand.
std::string plain_http_answer() {
  const std::string body = std::string(reason_row(Reason::kTlsPlainHttp).text) + "\n";
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

void Stream::wrap(std::unique_ptr<Transport> transport) {
  if (fd_ >= 0) transport_ = std::move(transport);
}

Stream::Released Stream::release() {
  KILAT_CHECK(empty());
  if (listed_) reactor().unlist(*this);
  note_input(0);
  if (fd_ >= 0) reactor().loop_.remove(fd_);
  return {Descriptor(std::exchange(fd_, -1)), std::move(transport_)};
}

void Stream::read_pending() {
  if (fd_ >= 0 && transport_ && transport_->open() && transport_->pending()) read_wrapped();
}

void Stream::on_ready_wrapped(uint32_t events) {
  if (!transport_->open()) return open_transport();
  const bool retry_read = transport_->reading_wants_write() && (events & EPOLLOUT) != 0;
  if ((events & EPOLLOUT) != 0) flush();
  if (fd_ >= 0 && ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 || retry_read)) {
    if (finishing_) {
      discard_input();
    } else if (!paused_ && transport_) {
      if (!reactor().input_held_) read_wrapped();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      close_now(Reason::kClientGone);
    }
  }
  if (fd_ < 0 || !transport_) return;
  if (transport_->writing_wants_read()) flush();
  if (fd_ >= 0) watch();
}

void Stream::open_transport() {
  // Many handshakes at once would keep the others waiting; the loop reports what is left over again.
  if (++reactor().handshakes_ > Reactor::kHandshakesPerTurn) return;
  const Outcome outcome = transport_->advance();
  if (outcome == Outcome::kFailed || outcome == Outcome::kEnded) return give_transport_up();
  if (outcome == Outcome::kDone) {
    if (const ProxyParser* header = transport_->header()) handler_.on_proxied(*header);
    if (fd_ < 0) return;  // its client was refused
    transport_->forget_header();
    if (!transport_->needed()) transport_.reset();
  }
  watch();
}

// The header or the handshake has failed. OpenSSL has sent its alert, so what is left to say is said in plain bytes;
// nothing else can be queued yet. Then the stream lingers as always, so that the client learns why.
void Stream::give_transport_up() {
  const Reason reason = transport_->failure();
  if (reason == Reason::kClientGone || reason == Reason::kProxyHeaderInvalid) return close_now(reason);
  transport_.reset();
  consume(bytes());
  if (reason == Reason::kTlsPlainHttp) push(FramePtr::make(plain_http_answer()));
  finish(reason);
}

void Stream::read_wrapped() {
  const std::span<char> buffer(reactor().read_buffer_.get(), Reactor::kReadBytes);
  for (int record = 0; record < Reactor::kRecordsPerTurn || transport_->pending(); ++record) {
    size_t got = 0;
    const Outcome outcome = transport_->read(buffer, got);
    if (outcome == Outcome::kWantRead || outcome == Outcome::kWantWrite) return;
    if (outcome == Outcome::kEnded && handler_.on_end()) return pause_reading(true);
    if (outcome != Outcome::kDone) {
      return close_now(outcome == Outcome::kFailed ? transport_->failure() : Reason::kClientGone);
    }
    reactor().bytes_received_ += got;
    handler_.on_bytes(buffer.first(got));
    if (fd_ < 0 || finishing_ || !transport_) return;
    // Bytes that are decrypted already have no event to come: they are taken even by a stream that has just paused.
    // After a short record there is probably none behind it, and if there is, the loop reports it.
    if (!transport_->pending() && (paused_ || got < Transport::kRecordBytes)) return;
  }
}

Stream::Sent Stream::send_wrapped(std::span<Frame* const> frames) {
  if (!transport_->open()) return Sent::kBlocked;
  std::span<const char> bytes;
  if (frames.size() == 1 || frames[0]->size() >= Reactor::kDirectBytes) {
    bytes = frames[0]->bytes().substr(front_offset());
  } else {
    // As long as the front of the queue is the same, so are these bytes: that is what a repeated write needs.
    bytes = reactor().gather(*this, frames);
  }
  size_t total = 0;
  Outcome outcome = Outcome::kDone;
  while (total < bytes.size() && outcome == Outcome::kDone) {
    size_t sent = 0;
    outcome = transport_->write(bytes.subspan(total), sent);
    total += sent;
    ++reactor().send_calls_;
  }
  reactor().bytes_sent_ += total;
  consume(total);
  if (outcome == Outcome::kDone) return Sent::kAll;
  return outcome == Outcome::kFailed || outcome == Outcome::kEnded ? Sent::kFailed : Sent::kBlocked;
}

// Whether the TLS side is over, so that the socket's own end may follow.
bool Stream::say_goodbye() {
  if (transport_->say_goodbye() == Outcome::kWantWrite) {
    set_blocked(true);
    return false;
  }
  transport_.reset();
  return true;
}

}  // namespace kilat::net
