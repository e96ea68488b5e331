#include "net/outbox.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"

namespace kilat::net {

OutboxPool::~OutboxPool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next);
}

OutboxPool::Chunk* OutboxPool::take() noexcept {
  if (free_ == nullptr) return new (std::nothrow) Chunk{};
  Chunk* chunk = std::exchange(free_, free_->next);
  chunk->next = nullptr;
  return chunk;
}

void OutboxPool::give(Chunk* chunk) noexcept {
  chunk->next = free_;
  free_ = chunk;
}

void OutboxPool::make_room(size_t outboxes) {
  grow(dirty_, 2 * outboxes);  // those that were just flushed have places for a while, too
  grow(urgent_, outboxes);
}

Outbox::~Outbox() {
  while (count_ > 0) pop_front();
  pool_->aside_ -= aside_;
  if (head_ != nullptr) pool_->give(head_);
  if (dirty_) std::erase_if(pool_->dirty_, [this](const auto& waiting) { return waiting.outbox == this; });
  if (pressing_) std::erase(pool_->urgent_, this);
}

bool Outbox::queue(Frame* frame) noexcept {
  if (sealed_ || overflowed_ || frame->size() == 0) {
    frame->release();
    return false;
  }
  if (load() > pool_->limits_.hard_bytes) [[unlikely]] {
    pool_->relieve(*this);
    if (load() > pool_->limits_.hard_bytes) {
      overflowed_ = true;
      frame->release();
      return false;
    }
  }
  if (!append(frame)) [[unlikely]] {
    frame->release();
    starve();
    return false;
  }
  return true;
}

void Outbox::starve() noexcept {
  starved_ = true;
  overflow();
}

void Outbox::overflow() noexcept {
  overflowed_ = true;
  press();
}

bool Outbox::append(Frame* frame) noexcept {
  if (tail_ == nullptr || tail_at_ == OutboxPool::kChunkFrames) {
    OutboxPool::Chunk* chunk = pool_->take();
    if (chunk == nullptr) [[unlikely]]
      return false;
    if (tail_ == nullptr) {
      head_ = chunk;
      head_at_ = 0;
    } else {
      tail_->next = chunk;
    }
    tail_ = chunk;
    tail_at_ = 0;
  }
  tail_->frames[tail_at_++] = frame;
  ++count_;
  ++pool_->frames_;
  bytes_ += frame->size();
  pool_->bytes_ += frame->size();
  return true;
}

void Outbox::pop_front() {
  Frame* frame = head_->frames[head_at_++];
  const uint32_t left = frame->size() - front_offset_;
  pool_->begun_ -= std::exchange(front_offset_, 0u);
  bytes_ -= left;
  pool_->bytes_ -= left;
  --count_;
  --pool_->frames_;
  frame->release();
  if (count_ == 0) {
    pool_->give(std::exchange(head_, nullptr));
    tail_ = nullptr;
  } else if (head_at_ == OutboxPool::kChunkFrames) {
    pool_->give(std::exchange(head_, head_->next));
    head_at_ = 0;
  }
}

void Outbox::drop_unsent(uint32_t committed) {
  overflowed_ = false;
  const uint32_t wanted = std::max(committed, front_offset_ > 0 ? 1u : 0u);
  OutboxPool::Chunk* last = head_;
  uint8_t last_at = head_at_;
  uint32_t kept = 0;
  for (uint32_t bytes = 0; bytes < wanted; ++kept) {
    KILAT_CHECK(kept < count_);
    if (last_at == OutboxPool::kChunkFrames) {
      last = last->next;
      last_at = 0;
    }
    bytes += last->frames[last_at++]->size() - (kept == 0 ? front_offset_ : 0);
  }
  if (kept == 0) {
    while (count_ > 0) pop_front();
    return;
  }
  cut_behind(*last, last_at, kept);
}

// Makes the frame before `at` of chunk `last` the last one of the queue, which then has `kept` frames.
void Outbox::cut_behind(OutboxPool::Chunk& last, uint8_t at, uint32_t kept) {
  OutboxPool::Chunk* chunk = &last;
  for (uint8_t next = at; count_ > kept; --count_, --pool_->frames_) {
    if (next == OutboxPool::kChunkFrames) {
      chunk = chunk->next;
      next = 0;
    }
    Frame* frame = chunk->frames[next++];
    bytes_ -= frame->size();
    pool_->bytes_ -= frame->size();
    frame->release();
  }
  while (last.next != nullptr) {
    OutboxPool::Chunk* empty = last.next;
    last.next = empty->next;
    pool_->give(empty);
  }
  tail_ = &last;
  tail_at_ = at;
}

size_t Outbox::peek(std::span<Frame*> out) const {
  const size_t wanted = std::min<size_t>(out.size(), count_);
  const OutboxPool::Chunk* chunk = head_;
  size_t at = head_at_;
  for (size_t i = 0; i < wanted; ++i) {
    if (at == OutboxPool::kChunkFrames) {
      chunk = chunk->next;
      at = 0;
    }
    out[i] = chunk->frames[at++];
  }
  return wanted;
}

void Outbox::consume(size_t sent) {
  while (sent > 0) {
    KILAT_CHECK(count_ > 0);
    const uint32_t left = head_->frames[head_at_]->size() - front_offset_;
    if (sent < left) {
      front_offset_ += static_cast<uint32_t>(sent);
      pool_->begun_ += sent;
      bytes_ -= static_cast<uint32_t>(sent);
      pool_->bytes_ -= sent;
      break;
    }
    sent -= left;
    pop_front();
  }
  if (aside_ != 0 && has_room()) [[unlikely]]
    pool_->room_ = true;
}

}  // namespace kilat::net
