#include "net/stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"
#include "net/transport.h"

namespace kilat::net {

Stream::Stream(Reactor& reactor, int fd, StreamHandler& handler) : Outbox(reactor), handler_(handler), fd_(fd) {
  watched_ = EPOLLIN;
  if (!reactor.loop_.add(fd_, *this, watched_)) {
    // Without a watch the connection could never be served; the shard sees the closed stream and drops it.
    close(fd_);
    fd_ = -1;
    reason_ = Reason::kInternal;
  }
}

Stream::~Stream() {
  if (listed_) reactor().unlist(*this);
  note_input(0);
  if (fd_ >= 0) {
    reactor().loop_.remove(fd_);
    close(fd_);
  }
}

void Stream::on_ready(uint32_t events) {
  if (fd_ < 0) return;
  if (transport_) [[unlikely]]
    return on_ready_wrapped(events);
  if ((events & EPOLLOUT) != 0) flush();
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    if (finishing_) {
      discard_input();
    } else if (!paused_) {
      if (!reactor().input_held_) read_some();
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      close_now(Reason::kClientGone);
    }
  }
}

void Stream::read_some() {
  char* buffer = reactor().read_buffer_.get();
  const ssize_t got = recv(fd_, buffer, Reactor::kReadBytes, 0);
  if (got > 0) {
    reactor().bytes_received_ += static_cast<uint64_t>(got);
    handler_.on_bytes({buffer, static_cast<size_t>(got)});
  } else if (got == 0 && handler_.on_end()) {
    pause_reading(true);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_now(Reason::kClientGone);
  }
}

void Stream::try_send() {
  if (fd_ >= 0) reactor().relieve(*this);
}

void Stream::discard_input() {
  char* buffer = reactor().read_buffer_.get();
  const ssize_t got = recv(fd_, buffer, Reactor::kReadBytes, 0);
  if (got > 0) {
    discarded_ += static_cast<uint32_t>(got);
    if (discarded_ > kDiscardMax) close_now(reason_);
  } else if (got == 0 && !empty() && !peer_ended_) {
    // Half closed: the peer still gets what is queued. The end stays readable for ever, so it is not watched any more.
    peer_ended_ = true;
    watch();
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_now(reason_);
  }
}

void Stream::flush() {
  // Also who reads no more until its answers are gone: the kernel reports room only where there was none.
  const bool waited = blocked_ || paused_;
  while (!empty()) {
    const Sent sent = send_once();
    if (sent == Sent::kFailed) return close_now(finishing_ ? reason_ : Reason::kClientGone);
    if (sent == Sent::kBlocked) break;
  }
  set_blocked(!empty());
  if (empty() && finishing_ && !shut_down_) shut_down_writing();
  if (waited && fd_ >= 0 && empty()) handler_.on_drained();
}

Stream::Sent Stream::send_once() {
  std::array<Frame*, Reactor::kGatherFrames> frames;
  const std::span<Frame* const> first(frames.data(), peek(frames));
  if (transport_) [[unlikely]]
    return send_wrapped(first);
  ssize_t sent = 0;
  size_t offered = 0;
  if (first.size() == 1) {
    const std::string_view bytes = first[0]->bytes().substr(front_offset());
    offered = bytes.size();
    sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } else if (first[0]->size() >= Reactor::kDirectBytes || first[1]->size() >= Reactor::kDirectBytes) {
    std::array<iovec, Reactor::kVectorFrames> parts;
    const size_t count = std::min(first.size(), parts.size());
    for (size_t i = 0; i < count; ++i) {
      const std::string_view bytes = first[i]->bytes().substr(i == 0 ? front_offset() : 0);
      parts[i] = {const_cast<char*>(bytes.data()), bytes.size()};
      offered += bytes.size();
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
  } else {
    const std::span<const char> bytes = reactor().gather(*this, first);
    offered = bytes.size();
    sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ++reactor().send_calls_;
  if (sent < 0) {
    if (errno == EINTR) return Sent::kAll;
    return errno == EAGAIN ? Sent::kBlocked : Sent::kFailed;
  }
  reactor().bytes_sent_ += static_cast<uint64_t>(sent);
  consume(static_cast<size_t>(sent));
  return static_cast<size_t>(sent) == offered ? Sent::kAll : Sent::kBlocked;
}

void Stream::set_blocked(bool blocked) {
  if (blocked != blocked_) {
    blocked_ = blocked;
    if (blocked) {
      reactor().list(*this);
    } else if (!finishing_) {
      reactor().unlist(*this);
    }
    watch();
  }
  if (cost() <= reactor().limits().soft_bytes) {
    soft_since_ms_ = 0;
  } else if (soft_since_ms_ == 0) {
    soft_since_ms_ = reactor().now_ms_;
  }
}

void Stream::watch() {
  const bool reading = finishing_ ? !peer_ended_ : !paused_;
  uint32_t wanted = (reading ? uint32_t{EPOLLIN} : 0u) | (blocked_ ? uint32_t{EPOLLOUT} : 0u);
  if (transport_) [[unlikely]]
    wanted = transport_->events(wanted);
  if (wanted == watched_) return;
  if (reactor().loop_.change(fd_, *this, wanted)) {
    watched_ = wanted;
  } else {
    // Never told of the rest, the stream would hang; the flush ends it, or the sweep, when it is ending already.
    starve();
  }
}

void Stream::pause_reading(bool paused) {
  if (fd_ < 0 || paused == paused_) return;
  paused_ = paused;
  watch();
}

void Stream::finish(Reason reason) {
  if (fd_ < 0 || finishing_) return;
  // Before the handshake is over there is no way to say anything.
  if (transport_ && !transport_->open()) return close_now(reason);
  finishing_ = true;
  reason_ = reason;
  linger_until_ms_ = reactor().now_ms_ + std::max(kLingerMs, reactor().limits().soft_ms);
  seal();
  reactor().list(*this);
  watch();
  if (empty()) shut_down_writing();
}

void Stream::finish_slow(Reason reason, FramePtr last) {
  if (fd_ < 0 || finishing_) return;
  drop_unsent(transport_ ? transport_->committed() : 0);
  if (last) push(std::move(last));
  finish(reason);
  linger_until_ms_ = reactor().now_ms_ + kLingerMs;
}

void Stream::shut_down_writing() {
  if (transport_ && !say_goodbye()) return;
  shut_down_ = true;
  linger_until_ms_ = reactor().now_ms_ + kLingerMs;
  if (shutdown(fd_, SHUT_WR) != 0 || peer_ended_) close_now(reason_);
}

void Stream::abort(Reason reason) {
  if (fd_ >= 0) close_now(finishing_ ? reason_ : reason);
}

void Stream::close_now(Reason reason) {
  KILAT_CHECK(fd_ >= 0);
  if (listed_) reactor().unlist(*this);
  reactor().loop_.remove(fd_);
  close(fd_);
  fd_ = -1;
  blocked_ = false;
  reason_ = reason;
  seal();
  // Nobody will send the rest, and the shard's budget must not count it until the stream is destroyed.
  consume(bytes());
  note_input(0);
  handler_.on_closed(reason);
}

}  // namespace kilat::net
