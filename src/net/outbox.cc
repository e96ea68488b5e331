#include "net/outbox.h"

#include <algorithm>

#include "base/check.h"

namespace kilat::net {

OutboxPool::~OutboxPool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next);
}

OutboxPool::Chunk* OutboxPool::take() {
  if (free_ == nullptr) return new Chunk{};
  Chunk* chunk = std::exchange(free_, free_->next);
  chunk->next = nullptr;
  return chunk;
}

void OutboxPool::give(Chunk* chunk) {
  chunk->next = free_;
  free_ = chunk;
}

Outbox::~Outbox() {
  while (count_ > 0) pop_front();
  if (head_ != nullptr) pool_->give(head_);
  if (!dirty_) return;
  std::erase(pool_->dirty_, this);
  std::erase(pool_->urgent_, this);
}

void Outbox::push_retained(Frame* frame) {
  if (sealed_ || overflowed_ || frame->size() == 0) {
    frame->release();
    return;
  }
  if (cost() > pool_->limits_.hard_bytes) [[unlikely]] {
    pool_->relieve(*this);
    if (cost() > pool_->limits_.hard_bytes) {
      overflowed_ = true;
      frame->release();
      return;
    }
  }
  append(frame);
  if (!dirty_) {
    dirty_ = true;
    (urgent_ ? pool_->urgent_ : pool_->dirty_).push_back(this);
  }
}

void Outbox::append(Frame* frame) {
  if (tail_ == nullptr) {
    head_ = tail_ = pool_->take();
    head_at_ = tail_at_ = 0;
  } else if (tail_at_ == OutboxPool::kChunkFrames) {
    tail_->next = pool_->take();
    tail_ = tail_->next;
    tail_at_ = 0;
  }
  tail_->frames[tail_at_++] = frame;
  ++count_;
  ++pool_->frames_;
  bytes_ += frame->size();
  pool_->bytes_ += frame->size();
}

void Outbox::pop_front() {
  Frame* frame = head_->frames[head_at_++];
  const uint32_t left = frame->size() - front_offset_;
  front_offset_ = 0;
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

void Outbox::drop_unsent() {
  Frame* begun = nullptr;
  const uint32_t offset = front_offset_;
  if (offset > 0) {
    begun = head_->frames[head_at_];
    begun->retain();
  }
  while (count_ > 0) pop_front();
  overflowed_ = false;
  if (begun == nullptr) return;
  append(begun);
  front_offset_ = offset;
  bytes_ -= offset;
  pool_->bytes_ -= offset;
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
      bytes_ -= static_cast<uint32_t>(sent);
      pool_->bytes_ -= sent;
      return;
    }
    sent -= left;
    pop_front();
  }
}

}  // namespace kilat::net
