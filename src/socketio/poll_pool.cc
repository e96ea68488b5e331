#include "socketio/poll_pool.h"

#include <array>
#include <utility>

#include "socketio/payload.h"
#include "socketio/session.h"

namespace kilat::socketio {
namespace {

constexpr size_t kFramesAtOnce = 64;

}  // namespace

PollOutbox::PollOutbox(PollPool& pool, Session* session_in) : Outbox(pool), session(session_in), polls_(pool) {}

PollOutbox::~PollOutbox() {
  polls_.forget(*this);
}

void PollPool::flush() {
  if (dirty_.empty() && urgent_.empty() && over_.empty()) return;
  flushing_ = std::exchange(over_, {});
  for (const Waiting& waiting : dirty_) {
    if (waiting.outbox != nullptr) flushing_.push_back(waiting.outbox);
  }
  for (net::Outbox* outbox : urgent_) flushing_.push_back(outbox);
  dirty_.clear();
  urgent_.clear();
  for (net::Outbox* outbox : flushing_) outbox->clear_marks();
  // A session is never destroyed inside of this loop: what ends is buried, and freed by the shard later.
  for (net::Outbox* outbox : flushing_) {
    Session* session = static_cast<PollOutbox*>(outbox)->session;
    if (session != nullptr) session->flush_poll();
  }
}

void PollPool::relieve(net::Outbox& outbox) {
  Session* session = static_cast<PollOutbox&>(outbox).session;
  if (session == nullptr) return;
  session->answer_poll();
  if (outbox.cost() > limits().hard_bytes && (over_.empty() || over_.back() != &outbox)) over_.push_back(&outbox);
}

std::string take_body(net::Outbox& outbox) {
  std::string body;
  body.reserve(outbox.bytes());
  std::array<net::Frame*, kFramesAtOnce> frames;
  while (!outbox.empty()) {
    const size_t count = outbox.peek(frames);
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      append_packets(body, frames[i]->bytes());
      bytes += frames[i]->size();
    }
    outbox.consume(bytes);
  }
  return body;
}

void move_frames(net::Outbox& from, net::Outbox& to) {
  std::array<net::Frame*, kFramesAtOnce> frames;
  while (!from.empty()) {
    const size_t count = from.peek(frames);
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      frames[i]->retain();
      to.push(net::FramePtr::adopt(frames[i]));
      bytes += frames[i]->size();
    }
    from.consume(bytes);
  }
}

}  // namespace kilat::socketio
