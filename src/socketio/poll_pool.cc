#include "socketio/poll_pool.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/memory_reserve.h"
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
  collect();
  // An answer may let a request behind it be read, by which another outbox goes: forget() then empties its place. A
  // session is never destroyed inside of this loop: what ends is buried, and freed by the shard later.
  for (net::Outbox* outbox : flushing_) {
    Session* session = outbox != nullptr ? static_cast<PollOutbox*>(outbox)->session : nullptr;
    if (session == nullptr) continue;
    try {
      session->flush_poll();
    } catch (const std::bad_alloc&) {
      const memory::MustSucceed giving_up;
      session->give_up();
    }
  }
  flushing_.clear();
}

// Takes all that is due out of the lists.
void PollPool::collect() {
  const memory::MustSucceed collecting;
  flushing_ = std::exchange(over_, {});
  for (const Waiting& waiting : dirty_) {
    if (waiting.outbox != nullptr) flushing_.push_back(waiting.outbox);
  }
  for (net::Outbox* outbox : urgent_) flushing_.push_back(outbox);
  dirty_.clear();
  urgent_.clear();
  for (net::Outbox* outbox : flushing_) outbox->clear_marks();
}

void PollPool::forget(net::Outbox& outbox) {
  std::erase(over_, &outbox);
  std::ranges::replace(flushing_, &outbox, nullptr);
}

void PollPool::relieve(net::Outbox& outbox) {
  Session* session = static_cast<PollOutbox&>(outbox).session;
  // Not answered here: the hub is at work on its readers, and an answer may let a request behind it be read.
  const memory::MustSucceed noting;
  if (session != nullptr && (over_.empty() || over_.back() != &outbox)) over_.push_back(&outbox);
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
