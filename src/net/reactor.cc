#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "net/stream.h"

namespace kilat::net {

Reactor::Reactor(const OutboxLimits& limits, SlowReaderPolicy& policy)
    : OutboxPool(limits),
      policy_(policy),
      read_buffer_(std::make_unique<char[]>(kReadBytes + kReadPadding)),
      gather_buffer_(std::make_unique<char[]>(kGatherBytes)) {
  run_.reserve(kGatherFrames);
}

Reactor::~Reactor() {
  forget_run();
}

void Reactor::make_room(size_t streams) {
  OutboxPool::make_room(streams);
  grow(flushing_, streams);
  grow(slow_, streams);
  grow(with_input_, streams);
}

void Reactor::flush() {
  handshakes_ = 0;
  // A flush may close streams, and closing may queue frames elsewhere: those are flushed in a further round.
  flush_urgent();
  flush_due();
  flush_urgent();
  forget_run();
  if (over_budget()) {
    evict_over_budget();
    flush_urgent();
  }
}

void Reactor::flush_urgent() {
  while (!urgent_.empty()) {
    flushing_.swap(urgent_);
    for (Outbox* outbox : flushing_) {
      outbox->pressing_ = false;
      flush_one(*static_cast<Stream*>(outbox));
    }
    flushing_.clear();
  }
}

// While frames linger only some streams are sent each turn: a thousand system calls take milliseconds, in which nobody
// would read what comes in.
void Reactor::flush_due() {
  // What healthy readers have queued must be sent before slow ones are closed for the sum.
  const bool at_once = linger_us_ == 0 || over_budget();
  size_t left = at_once ? SIZE_MAX : kFlushesPerTurn;
  for (; flushed_ < dirty_.size() && left > 0; --left, ++flushed_) {
    if (!at_once && now_us_ < dirty_[flushed_].since_us + linger_us_) break;
    Outbox& outbox = *std::exchange(dirty_[flushed_].outbox, nullptr);
    outbox.dirty_ = false;
    auto& stream = static_cast<Stream&>(outbox);
    if (!stream.blocked_) {
      sent_.frames += stream.frames();
      ++sent_.sends;
    }
    flush_one(stream);
  }
  if (2 * flushed_ < dirty_.size()) return;
  dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(flushed_));
  flushed_ = 0;
}

void Reactor::flush_one(Stream& stream) {
  if (stream.fd_ < 0) return;
  stream.flush();
  check_limits(stream);
}

// Connections that read the same channels have the same frames queued: the bytes are laid side by side once and sent
// to each of them. Comparing addresses costs a fraction of copying bytes.
std::span<const char> Reactor::gather(const Stream& stream, std::span<Frame* const> frames) {
  const bool from_start = stream.front_offset() == 0;
  if (from_start && frames.size() >= run_.size() && !run_.empty() &&
      std::equal(run_.begin(), run_.end(), frames.begin())) {
    const size_t next = run_.size();
    // The same run is only complete when nothing more would have fitted behind it.
    if (next == frames.size() || run_bytes_ + frames[next]->size() > kGatherBytes ||
        frames[next]->size() >= kDirectBytes) {
      return {gather_buffer_.get(), run_bytes_};
    }
  }
  forget_run();
  size_t filled = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const std::string_view bytes = frames[i]->bytes().substr(i == 0 ? stream.front_offset() : 0);
    if (filled + bytes.size() > kGatherBytes || (i > 0 && frames[i]->size() >= kDirectBytes)) break;
    std::memcpy(gather_buffer_.get() + filled, bytes.data(), bytes.size());
    filled += bytes.size();
    if (from_start) {
      // Held, so that no new frame can take the address of one in the run.
      frames[i]->retain();
      run_.push_back(frames[i]);
    }
  }
  run_bytes_ = filled;
  return {gather_buffer_.get(), filled};
}

void Reactor::forget_run() {
  for (Frame* frame : run_) frame->release();
  run_.clear();
  run_bytes_ = 0;
}

void Reactor::relieve(Outbox& outbox) {
  auto& stream = static_cast<Stream&>(outbox);
  if (stream.fd_ < 0 || stream.blocked_) return;
  // A failure closes nothing here, in the middle of a fan-out: the flush at the end of the turn meets it again.
  while (!stream.empty() && stream.send_once() == Stream::Sent::kAll) {
  }
}

void Reactor::check_limits(Stream& stream) {
  if (stream.fd_ < 0 || stream.finishing_) return;
  if (stream.starved()) {
    policy_.on_slow_reader(stream.handler_, Reason::kMemoryBudget);
  } else if (stream.overflowed() || stream.past_hard_limit()) {
    policy_.on_slow_reader(stream.handler_, Reason::kSlowConsumer);
  }
}

void Reactor::sweep(uint64_t now_ms) {
  for (size_t i = 0; i < slow_.size();) {
    Stream& stream = *slow_[i];
    if (stream.finishing_ && now_ms >= stream.linger_until_ms_) {
      stream.close_now(stream.reason_);
    } else if (!stream.finishing_ && stream.soft_since_ms_ != 0 && now_ms - stream.soft_since_ms_ >= limits().soft_ms) {
      policy_.on_slow_reader(stream.handler_, Reason::kSlowConsumerSoft);
    }
    // An entry that removed itself was replaced by the last one: look at this place again.
    if (i < slow_.size() && slow_[i] == &stream) ++i;
  }
}

void Stream::account_input(size_t bytes) {
  // What a closed stream holds is freed at the end of the turn.
  const auto held = fd_ < 0 ? 0 : static_cast<uint32_t>(std::min<size_t>(bytes, UINT32_MAX));
  auto& list = reactor().with_input_;
  reactor().input_bytes_ += held;
  reactor().input_bytes_ -= input_bytes_;
  if (input_bytes_ == 0 && held != 0) {
    input_place_ = static_cast<uint32_t>(list.size());
    list.push_back(this);
  } else if (input_bytes_ != 0 && held == 0) {
    list[input_place_] = list.back();
    list[input_place_]->input_place_ = input_place_;
    list.pop_back();
  }
  input_bytes_ = held;
}

// One pass over the slow streams, and those with unfinished input, and a heap, because thousands may have to go in one
// turn. Closing them may not be enough: then those that were ending already go without their goodbye.
// Those who do not read go before those who send, unless it is input that fills the memory: a backend in the middle of
// a large request must not pay for readers that have stalled, nor for what is still queued for those that have gone.
void Reactor::evict_over_budget() {
  const bool input_first = input_bytes() > cost();
  for (const bool input : {input_first, !input_first}) {
    for (const bool ending : {false, true}) {
      for (Stream* stream : input ? with_input_ : slow_) {
        if (stream->finishing_ == ending) flushing_.push_back(stream);
      }
      evict_largest();
    }
  }
}

// Of those in flushing_, until the rest is within the budget.
void Reactor::evict_largest() {
  const auto smaller = [](const Outbox* a, const Outbox* b) {
    return static_cast<const Stream*>(a)->memory() < static_cast<const Stream*>(b)->memory();
  };
  std::ranges::make_heap(flushing_, smaller);
  while (over_budget() && !flushing_.empty()) {
    std::ranges::pop_heap(flushing_, smaller);
    auto* largest = static_cast<Stream*>(flushing_.back());
    flushing_.pop_back();
    if (!evict(*largest)) break;
  }
  flushing_.clear();
}

// Whether it is worth going on: a policy that ends nothing would be asked about everybody.
bool Reactor::evict(Stream& stream) {
  if (stream.fd_ < 0) return true;
  const uint64_t held = stream.memory();
  if (!stream.finishing_) {
    policy_.on_slow_reader(stream.handler_, Reason::kMemoryBudget);
    if (stream.fd_ < 0) return true;
    if (!stream.finishing_) return false;
    // The frame that was begun stays for the goodbye; it must not be most of what there was to free.
    if (stream.memory() <= held / 2) return true;
  }
  stream.close_now(stream.reason_);
  return true;
}

void Reactor::list(Stream& stream) {
  if (stream.listed_) return;
  stream.listed_ = true;
  stream.place_ = static_cast<uint32_t>(slow_.size());
  slow_.push_back(&stream);
}

void Reactor::unlist(Stream& stream) {
  if (!stream.listed_) return;
  slow_[stream.place_] = slow_.back();
  slow_[stream.place_]->place_ = stream.place_;
  slow_.pop_back();
  stream.listed_ = false;
}

}  // namespace kilat::net
