#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "net/stream.h"

namespace kilat::net {

Reactor::Reactor(const OutboxLimits& limits, SlowReaderPolicy& policy)
    : OutboxPool(limits),
      policy_(policy),
      read_buffer_(std::make_unique<char[]>(kReadBytes + kReadPadding)),
      gather_buffer_(std::make_unique<char[]>(kGatherBytes)) {}

Reactor::~Reactor() {
  forget_run();
}

void Reactor::flush() {
  // A flush may close streams, and closing may queue frames elsewhere: those are flushed in a further round.
  while (!urgent_.empty()) flush_list(urgent_);
  if (!linger()) {
    while (!dirty_.empty() || !urgent_.empty()) {
      flush_list(dirty_);
      flush_list(urgent_);
    }
    lingering_since_us_ = 0;
  }
  forget_run();
  if (cost() > limits().budget_bytes) evict_over_budget();
}

bool Reactor::linger() {
  if (linger_us_ == 0 || dirty_.empty()) return false;
  if (lingering_since_us_ == 0) lingering_since_us_ = now_us_;
  return now_us_ < lingering_since_us_ + linger_us_;
}

void Reactor::flush_list(std::vector<Outbox*>& list) {
  flushing_.swap(list);
  for (Outbox* outbox : flushing_) {
    auto* stream = static_cast<Stream*>(outbox);
    stream->clear_dirty();
    if (stream->fd_ < 0) continue;
    stream->flush();
    check_limits(*stream);
  }
  flushing_.clear();
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
  if (stream.overflowed() || stream.cost() > limits().hard_bytes) {
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

void Reactor::evict_over_budget() {
  while (cost() > limits().budget_bytes) {
    Stream* largest = nullptr;
    for (Stream* stream : slow_) {
      if (!stream->finishing_ && (largest == nullptr || stream->cost() > largest->cost())) largest = stream;
    }
    if (largest == nullptr) return;
    policy_.on_slow_reader(largest->handler_, Reason::kMemoryBudget);
    if (!largest->finishing_ && largest->fd_ >= 0) return;
  }
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
