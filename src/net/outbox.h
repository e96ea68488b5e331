// Outbox: the frames one connection still has to be sent, as a queue of references in chunks from a shard's pool.
// Owner: one shard. An empty outbox holds no chunk, so an idle connection pays for four words. A push is O(1) and
// allocates only when the pool has no free chunk. Bounds: OutboxLimits, enforced by the owner (Stream) after it has
// tried to send; between two tries the hard limit is enforced here through OutboxPool::relieve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/frame.h"

namespace kilat::net {

class Outbox;

struct OutboxLimits {
  uint32_t hard_bytes = 1024 * 1024;  ///< above this after a send attempt: closed at once
  uint32_t soft_bytes = 256 * 1024;   ///< above this for soft_ms: closed
  uint32_t soft_ms = 10'000;
  uint64_t budget_bytes = 512ull * 1024 * 1024;  ///< all outboxes of a shard; the largest is closed first
};

/// What the outboxes of one shard share: free chunks, the byte total, and the list of those to flush.
class OutboxPool {
 public:
  static constexpr size_t kChunkFrames = 15;
  struct Chunk {
    Chunk* next;
    Frame* frames[kChunkFrames];
  };

  explicit OutboxPool(const OutboxLimits& limits) : limits_(limits) {}
  virtual ~OutboxPool();
  OutboxPool(const OutboxPool&) = delete;
  OutboxPool& operator=(const OutboxPool&) = delete;

  Chunk* take();
  void give(Chunk* chunk);

  /// What a queued frame costs beyond its bytes: its place, and its share of the allocation. Without it, a million
  /// two-byte frames would seem to be nothing.
  static constexpr uint32_t kFrameCost = 48;

  const OutboxLimits& limits() const { return limits_; }
  uint64_t bytes() const { return bytes_; }
  /// What the budget is compared with.
  uint64_t cost() const { return bytes_ + frames_ * kFrameCost; }

 protected:
  /// Called when one outbox passes the hard limit between two flushes: the owner tries to send at once, so that a
  /// burst inside one loop turn is not mistaken for a slow reader.
  virtual void relieve(Outbox&) {}

  std::vector<Outbox*> dirty_;   ///< to be flushed at the end of the turn, or a little later; each at most once
  std::vector<Outbox*> urgent_;  ///< to be flushed at the end of this turn in any case

 private:
  friend class Outbox;
  OutboxLimits limits_;
  Chunk* free_ = nullptr;
  uint64_t bytes_ = 0;
  uint64_t frames_ = 0;
};

class Outbox {
 public:
  explicit Outbox(OutboxPool& pool) : pool_(&pool) {}
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Queues a frame and marks the connection for the flush at the end of the turn. After seal() or overflow the frame
  /// is dropped, as is one without bytes: it could never be seen to be sent.
  void push(FramePtr frame) { push_retained(frame.detach()); }

  /// The same for a reference the caller has already counted (Frame::retain with the number of readers).
  void push_retained(Frame* frame);

  /// From now on nothing is queued: the last frame is in.
  void seal() { sealed_ = true; }

  /// Drops what has not been begun; a frame that is partly on the wire stays, because the peer waits for its end.
  void drop_unsent();

  bool empty() const { return count_ == 0; }
  bool sealed() const { return sealed_; }
  /// What the limits are compared with: the bytes, and kFrameCost for each frame.
  uint64_t cost() const { return bytes_ + uint64_t{count_} * OutboxPool::kFrameCost; }
  /// True once a frame had to be dropped because the hard limit was passed.
  bool overflowed() const { return overflowed_; }
  uint32_t bytes() const { return bytes_; }
  uint32_t frames() const { return count_; }

  /// Writes the first frames' addresses to `out`; returns how many.
  size_t peek(std::span<Frame*> out) const;
  /// Bytes of the first frame that are on the wire already.
  uint32_t front_offset() const { return front_offset_; }
  /// Removes `sent` bytes from the front.
  void consume(size_t sent);

  /// An urgent outbox never lingers (see Reactor::set_linger): answers to requests, and apps that want it so.
  void set_urgent(bool urgent) { urgent_ = urgent; }

  bool dirty() const { return dirty_; }
  void clear_dirty() { dirty_ = false; }

 private:
  void pop_front();
  void append(Frame* frame);

  OutboxPool* pool_;
  OutboxPool::Chunk* head_ = nullptr;
  OutboxPool::Chunk* tail_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t count_ = 0;
  uint32_t front_offset_ = 0;
  uint8_t head_at_ = 0;
  uint8_t tail_at_ = 0;
  bool dirty_ = false;
  bool urgent_ : 1 = false;
  bool sealed_ : 1 = false;
  bool overflowed_ : 1 = false;
};

}  // namespace kilat::net
