// Outbox: the frames one connection still has to be sent, as a queue of references in chunks from a shard's pool.
// Owner: one shard. An empty outbox holds no chunk, so an idle connection pays for four words. A push is O(1) and
// allocates only when the pool has no free chunk. Bounds: OutboxLimits, enforced by the owner (Stream) after it has
// tried to send; between two tries the hard limit is enforced here through OutboxPool::relieve.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "net/frame.h"

namespace kilat::net {

class Outbox;

struct OutboxLimits {
  uint32_t hard_bytes = 1024 * 1024;  ///< above this after a send attempt: closed at once
  uint32_t soft_bytes = 256 * 1024;   ///< above this for soft_ms: closed
  uint32_t soft_ms = 10'000;
  uint64_t budget_bytes =
      512ull * 1024 * 1024;  ///< all outboxes and unfinished input of a shard; the largest goes first
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

  /// Null when there is no memory.
  Chunk* take() noexcept;
  void give(Chunk* chunk) noexcept;

  /// Makes room in the lists for so many outboxes, so that nothing after it has to allocate. std::bad_alloc.
  void make_room(size_t outboxes);

  /// What a queued frame costs beyond its bytes: its place, and its share of the allocation. Without it, a million
  /// two-byte frames would seem to be nothing.
  static constexpr uint32_t kFrameCost = 48;

  const OutboxLimits& limits() const { return limits_; }
  void set_limits(const OutboxLimits& limits) { limits_ = limits; }
  uint64_t bytes() const { return bytes_; }
  /// What the budget is compared with. A frame that is partly on the wire counts whole: its memory is held to its end.
  uint64_t cost() const { return bytes_ + begun_ + frames_ * kFrameCost + aside_; }
  /// Whether, since the last call, an outbox for which something was set aside has come to have room.
  bool take_room() { return std::exchange(room_, false); }
  bool has_room() const { return room_; }

  /// What connections hold of unfinished messages and requests.
  uint64_t input_bytes() const { return input_bytes_; }
  /// Whether what is queued and what is unfinished take more memory than the budget. The allocator needs about a fifth
  /// more than was asked for (tests/chaos/memory_budget.test.mjs prints it).
  bool over_budget() const {
    const uint64_t held = cost() + input_bytes_;
    return held + held / 5 > limits_.budget_bytes;
  }

 protected:
  static void grow(auto& list, size_t count) {
    if (list.capacity() < count) list.reserve(std::max(count, 2 * list.capacity()));
  }

  /// Called when one outbox passes the hard limit between two flushes: the owner tries to send at once, so that a
  /// burst inside one loop turn is not mistaken for a slow reader.
  virtual void relieve(Outbox&) {}

  /// An outbox with events, and since when they wait: monotonic microseconds.
  struct Waiting {
    Outbox* outbox;  ///< null: flushed already
    uint64_t since_us;
  };

  std::vector<Waiting> dirty_;   ///< to be flushed at the end of the turn, or a little later, the oldest first
  std::vector<Outbox*> urgent_;  ///< to be flushed at the end of this turn in any case
  uint64_t now_us_ = 0;          ///< when the turn began
  uint64_t input_bytes_ = 0;

 private:
  friend class Outbox;
  OutboxLimits limits_;
  Chunk* free_ = nullptr;
  uint64_t bytes_ = 0;
  uint64_t begun_ = 0;  ///< bytes of frames in front that are on the wire already
  uint64_t frames_ = 0;
  uint64_t aside_ = 0;
  bool room_ = false;
};

class Outbox {
 public:
  explicit Outbox(OutboxPool& pool) : pool_(&pool) {}
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Queues a frame, and has it sent at the end of the turn with all before it: for answers and control frames. After
  /// seal() or overflow the frame is dropped, as is one without bytes: it could never be seen to be sent. Where there
  /// is no memory for the queue, the outbox starves. Never throws, as long as OutboxPool::make_room was told of it.
  void push(FramePtr frame) noexcept {
    if (queue(frame.detach())) press();
  }

  /// The same for an event, which may linger (see Reactor::set_linger).
  void push_event(FramePtr frame) noexcept { push_retained(frame.detach()); }

  /// push_event() for a reference the caller has already counted (Frame::retain with the number of readers).
  void push_retained(Frame* frame) noexcept {
    if (!queue(frame)) return;
    if (urgent_) {
      press();
    } else if (!dirty_) {
      dirty_ = true;
      pool_->dirty_.push_back({this, pool_->now_us_});
    }
  }

  /// There was no memory for something that this reader had to get. As a gap must not go unnoticed, nothing more is
  /// queued, and the owner closes the connection at the next flush.
  void starve() noexcept;
  bool starved() const { return starved_; }

  /// From now on nothing is queued: the last frame is in.
  void seal() { sealed_ = true; }

  /// Drops what has not been begun; a frame that is partly on the wire stays, because the peer waits for its end. So do
  /// the frames of the first `committed` bytes: TLS has sealed them, and only waits for room to send them.
  void drop_unsent(uint32_t committed = 0);

  bool empty() const { return count_ == 0; }
  bool sealed() const { return sealed_; }
  /// What the limits are compared with: the bytes, and kFrameCost for each frame.
  uint64_t cost() const { return bytes_ + uint64_t{count_} * OutboxPool::kFrameCost; }
  /// The same with what is set aside: this is what the hard limit is compared with.
  uint64_t load() const { return cost() + aside_; }
  /// The share of OutboxPool::cost().
  uint64_t held() const { return load() + front_offset_; }

  // For events that may give way to newer ones (hub/backlog.h): they wait outside while the reader is behind, so that
  // they can still be replaced. That begins well below the soft limit, because they must never be what passes it.

  /// Whether a frame of `bytes` would have to wait: more than half the soft limit is queued, and the socket takes no
  /// more now.
  bool behind(size_t bytes) noexcept {
    if (fits(bytes)) return false;
    pool_->relieve(*this);
    return !fits(bytes);
  }
  /// Whether it would not.
  bool fits(size_t bytes) const { return count_ == 0 || cost() + kFrameCost + bytes <= pool_->limits_.soft_bytes / 2; }
  /// So little is queued that what waits outside should come.
  bool has_room() const { return cost() <= pool_->limits_.soft_bytes / 4; }
  /// Counts what waits outside for the hard limit and the budget; the pool notes when there is room for it.
  void set_aside(uint32_t bytes) {
    aside_ += bytes;
    pool_->aside_ += bytes;
  }
  void take_back(uint32_t bytes) {
    aside_ -= bytes;
    pool_->aside_ -= bytes;
  }
  uint32_t aside() const { return aside_; }
  bool past_hard_limit() const { return load() > pool_->limits_.hard_bytes; }
  /// As if a frame had passed the hard limit: nothing more is queued, and the owner closes the connection at the next
  /// flush.
  void overflow() noexcept;
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

  /// The events of an urgent outbox never linger either: for apps that want it so.
  void set_urgent(bool urgent) { urgent_ = urgent; }

  /// Whether a flush is due.
  bool dirty() const { return dirty_ || pressing_; }
  /// Its pool has taken it from the lists of what is due.
  void clear_marks() { dirty_ = pressing_ = false; }

 protected:
  OutboxPool& pool() const { return *pool_; }

 private:
  friend class Reactor;

  bool queue(Frame* frame) noexcept;
  /// Has what is queued sent at the end of this turn.
  void press() noexcept {
    if (pressing_) return;
    pressing_ = true;
    pool_->urgent_.push_back(this);
  }
  void pop_front();
  void cut_behind(OutboxPool::Chunk& last, uint8_t at, uint32_t kept);
  bool append(Frame* frame) noexcept;

  static constexpr uint32_t kFrameCost = OutboxPool::kFrameCost;

  OutboxPool* pool_;
  OutboxPool::Chunk* head_ = nullptr;
  OutboxPool::Chunk* tail_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t count_ = 0;
  uint32_t front_offset_ = 0;
  uint32_t aside_ = 0;  ///< bytes that wait outside
  uint8_t head_at_ = 0;
  uint8_t tail_at_ = 0;
  bool dirty_ = false;     ///< in OutboxPool::dirty_
  bool pressing_ = false;  ///< in OutboxPool::urgent_
  bool urgent_ : 1 = false;
  bool sealed_ : 1 = false;
  bool overflowed_ : 1 = false;
  bool starved_ : 1 = false;
};

}  // namespace kilat::net
