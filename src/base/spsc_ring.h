// SpscRing: a bounded queue from one thread to one other thread, without locks.
//
// Owner: whoever connects the two shards; it must outlive both sides. One thread pushes (the producer), one pops (the
// consumer); the destructor runs when both have stopped.
// Bounds: the capacity, a power of two, given at construction. A full ring refuses a push, it never blocks or grows.
// Memory: three cache lines until the first push, which allocates the slots: N shards have N x N rings, and most pairs
// of a quiet server never talk.
// Invariants: head_ <= tail_ <= head_ + capacity; both count up for ever (64 bits do not wrap in practice) and are
// masked on access. Each side remembers the other's index as it last saw it, and reads the shared one only when that
// memory says full or empty: in steady state the index lines move between the cores once a burst.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace kilat {

/// Not std::hardware_destructive_interference_size: its value may differ between two translation units.
inline constexpr size_t kCacheLineBytes = 64;

template <typename T>
class SpscRing {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  /// `capacity_min`: elements, 1 … 2^31; rounded up to a power of two. Allocates nothing.
  explicit SpscRing(size_t capacity_min)
      : capacity_(std::bit_ceil(std::clamp<size_t>(capacity_min, 1, kCapacityMax))) {}

  ~SpscRing() {
    if (slots_ == nullptr) return;
    consume([](T&&) {});
    ::operator delete(slots_, std::align_val_t{alignof(T)});
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  /// Producer only. False, with `value` untouched, when the ring is full or the slots could not be allocated.
  [[nodiscard]] bool try_push(T&& value) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == capacity_) return false;
    }
    if (slots_ == nullptr && !allocate()) return false;
    std::construct_at(slots_ + (tail & (capacity_ - 1)), std::move(value));
    // Also publishes slots_: the consumer does not read it before it has seen a first element.
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// Consumer only. False, with `out` untouched, when the ring is empty.
  [[nodiscard]] bool try_pop(T& out) {
    return consume([&out](T&& value) { out = std::move(value); }, 1) == 1;
  }

  /// Consumer only: calls `take(T&&)` for what is in the ring now, oldest first, at most `limit` elements; returns how
  /// many. The slots are free for the producer when the call returns, not before: one shared write a burst. `take`
  /// must not throw and must not pop from this ring.
  template <typename Take>
  size_t consume(Take&& take, size_t limit = std::numeric_limits<size_t>::max()) noexcept {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    // A consumer that asks for more than it remembers wants the whole burst, so it looks again.
    if (tail_seen_ - head < limit) tail_seen_ = tail_.load(std::memory_order_acquire);
    const uint64_t count = std::min<uint64_t>(tail_seen_ - head, limit);
    if (count == 0) return 0;
    for (uint64_t i = head; i != head + count; ++i) {
      T* slot = slots_ + (i & (capacity_ - 1));
      take(std::move(*slot));
      std::destroy_at(slot);
    }
    head_.store(head + count, std::memory_order_release);
    return count;
  }

  /// Any thread: the number of elements at some moment near the call, 0 … capacity(); exact on a thread that owns
  /// both sides.
  [[nodiscard]] size_t size_approx() const {
    const uint64_t head = head_.load(std::memory_order_acquire);
    const uint64_t tail = tail_.load(std::memory_order_acquire);
    // The head was read first, so the difference is never negative; it can be too large when both moved in between.
    return std::min<uint64_t>(tail - head, capacity_);
  }

  /// Any thread: elements the ring can hold.
  [[nodiscard]] size_t capacity() const { return capacity_; }

 private:
  static constexpr size_t kCapacityMax = size_t{1} << 31;

  bool allocate() {
    slots_ = static_cast<T*>(::operator new(capacity_ * sizeof(T), std::align_val_t{alignof(T)}, std::nothrow));
    return slots_ != nullptr;
  }

  // Read by both sides; written once, by the producer.
  alignas(kCacheLineBytes) const size_t capacity_;
  T* slots_ = nullptr;

  // The producer's line.
  alignas(kCacheLineBytes) std::atomic<uint64_t> tail_{0};
  uint64_t head_seen_ = 0;

  // The consumer's line.
  alignas(kCacheLineBytes) std::atomic<uint64_t> head_{0};
  uint64_t tail_seen_ = 0;
};

}  // namespace kilat
