// Mailboxes: how shards talk. One single-producer single-consumer ring for every ordered pair of shards, so messages
// of one pair are never reordered, nobody takes a lock, and no sender waits.
// Bounds: `slots` messages a ring. A publish is refused when a ring is seven eighths full, which leaves room for
// control messages (subscribe, unsubscribe, answers); those never get lost: past the ring they wait in the sender's
// spill, never events; the shard reads no input while the spill is long.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/spsc_ring.h"
#include "net/event_loop.h"

namespace kilat::net {

/// The rings and wake-ups of all shards. Built before the shards' threads start and destroyed after they ended.
template <typename T>
class MailGrid {
 public:
  MailGrid(uint32_t shards, size_t slots) : shards_(shards), sleeping_(shards), wakeups_(shards) {
    for (size_t i = 0; i < size_t{shards} * shards; ++i) rings_.push_back(std::make_unique<SpscRing<T>>(slots));
  }

  uint32_t shards() const { return shards_; }
  SpscRing<T>& ring(uint32_t from, uint32_t to) { return *rings_[size_t{from} * shards_ + to]; }

 private:
  template <typename>
  friend class Mailbox;
  uint32_t shards_;
  std::vector<std::unique_ptr<SpscRing<T>>> rings_;
  std::vector<std::atomic<bool>> sleeping_;  ///< the shard waits in poll() and wants a wake-up
  std::vector<std::atomic<Wakeup*>> wakeups_;
};

/// One shard's end of the grid. Used by that shard's thread only.
template <typename T>
class Mailbox {
 public:
  Mailbox(MailGrid<T>& grid, uint32_t shard, Wakeup* wakeup)
      : grid_(grid), shard_(shard), spill_(grid.shards()), posted_(grid.shards()) {
    grid_.wakeups_[shard].store(wakeup, std::memory_order_release);
  }
  ~Mailbox() { grid_.wakeups_[shard_].store(nullptr, std::memory_order_release); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// How many publishes to `to` will be taken now.
  size_t room(uint32_t to) const {
    const SpscRing<T>& ring = grid_.ring(shard_, to);
    const size_t bound = ring.capacity() - ring.capacity() / 8;
    const size_t used = ring.size_approx();
    return spill_[to].empty() && used < bound ? bound - used : 0;
  }
  bool has_room(uint32_t to) const { return room(to) > 0; }

  /// Sends a control message; always taken.
  void post(uint32_t to, T&& message) {
    posted_[to] = true;
    if (!spill_[to].empty() || !grid_.ring(shard_, to).try_push(std::move(message))) {
      // A push that fails leaves its argument as it was.
      spill_[to].push_back(std::move(message));  // NOLINT(bugprone-use-after-move)
      ++spilled_;
      ++spills_;
    }
  }

  /// Receives what is there, at most `limit` messages from each sender, in each sender's order. Returns how many.
  template <typename Handler>
  size_t drain(size_t limit, Handler&& handler) {
    size_t count = 0;
    for (uint32_t from = 0; from < grid_.shards(); ++from) {
      count += grid_.ring(from, shard_).consume([&](T&& message) { handler(std::move(message)); }, limit);
    }
    return count;
  }

  /// End of a turn: moves spilled messages on and wakes the shards that got mail, one wake-up each.
  void deliver() {
    for (uint32_t to = 0; to < grid_.shards(); ++to) {
      while (!spill_[to].empty() && grid_.ring(shard_, to).try_push(std::move(spill_[to].front()))) {
        spill_[to].pop_front();
        --spilled_;
        posted_[to] = true;
      }
      if (!posted_[to]) continue;
      posted_[to] = false;
      if (grid_.sleeping_[to].exchange(false, std::memory_order_acq_rel)) {
        if (Wakeup* wakeup = grid_.wakeups_[to].load(std::memory_order_acquire)) wakeup->notify();
      }
    }
  }

  /// Announces that this shard is about to wait. False when mail is there already: then it must not wait.
  bool prepare_to_sleep() {
    // Only read-modify-writes touch the flag, here, in woken() and in deliver(). So either the sender's comes later and
    // finds true, or this one has read what the sender's left and sees what it had pushed: no wake-up is lost.
    grid_.sleeping_[shard_].exchange(true, std::memory_order_acq_rel);
    for (uint32_t from = 0; from < grid_.shards(); ++from) {
      if (grid_.ring(from, shard_).size_approx() > 0) {
        woken();
        return false;
      }
    }
    return true;
  }

  /// The shard is awake: senders need not wake it.
  void woken() { grid_.sleeping_[shard_].exchange(false, std::memory_order_acq_rel); }

  bool has_spill() const { return spilled_ > 0; }

  /// Whether all that this shard has sent was taken by those it was for.
  bool all_taken() const {
    for (uint32_t to = 0; to < grid_.shards(); ++to) {
      if (grid_.ring(shard_, to).size_approx() > 0) return false;
    }
    return spilled_ == 0;
  }

  /// Messages that wait for this shard; about, because others add to them.
  size_t waiting() const {
    size_t count = 0;
    for (uint32_t from = 0; from < grid_.shards(); ++from) count += grid_.ring(from, shard_).size_approx();
    return count;
  }
  /// Messages of this shard that wait for room.
  size_t spilled() const { return spilled_; }
  /// How many ever had to.
  uint64_t spills() const { return spills_; }

  uint32_t shard() const { return shard_; }
  uint32_t shards() const { return grid_.shards(); }

 private:
  MailGrid<T>& grid_;
  uint32_t shard_;
  std::vector<std::deque<T>> spill_;
  std::vector<char> posted_;
  size_t spilled_ = 0;
  uint64_t spills_ = 0;
};

}  // namespace kilat::net
