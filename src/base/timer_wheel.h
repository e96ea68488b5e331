// TimerWheel: all timers of one shard in a hierarchical timing wheel (Varghese and Lauck, SOSP 1987, scheme 7).
//
// Owner and thread: one wheel a shard; the wheel and its timers are touched by that shard's thread only.
// Lifetime: a Timer is embedded in the object it serves and cancels itself when destroyed; a wheel that is destroyed
// first disarms what is left. Neither can be copied or moved, because they link to each other by address.
// Bounds: schedule and cancel are O(1) and never allocate. A timer is moved down at most kLevels - 1 times in its life.
// The wheel has a fixed size of about 11 KiB; the number of timers is bounded by their owners.
//
// Invariants. Level L, slot s holds the timers whose deadline agrees with now_ms_ in all base-64 digits above L and has
// s, greater than that of now_ms_, as its digit L. The eleven levels span 64 bits, so there is no horizon to clamp to,
// every timer of a level is earlier than every timer of the levels above, and the lowest set bit of the lowest level is
// always the next slot: no slot is ever visited empty, however far the clock jumps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace kilat {

class TimerWheel;

/// A node of an intrusive circular list; the list head is a bare link. For TimerWheel only.
struct TimerLink {
  TimerLink* prev = this;
  TimerLink* next = this;
};

/// One timer, embedded in (or a base of) the object it serves. Disarmed until TimerWheel::schedule.
class Timer : private TimerLink {
 public:
  /// Called on the shard's thread, with the timer already disarmed. It may schedule, cancel or destroy any timer, the
  /// given one included. It must not throw.
  using Callback = void (*)(Timer&);

  /// `callback` must not be null.
  explicit Timer(Callback callback) : callback_(callback) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// True from schedule until the callback is entered, or cancel.
  [[nodiscard]] bool armed() const { return wheel_ != nullptr; }
  /// The deadline last given to schedule, in the wheel's milliseconds; 0 before the first.
  [[nodiscard]] uint64_t deadline_ms() const { return deadline_ms_; }

 private:
  friend class TimerWheel;

  uint64_t deadline_ms_ = 0;
  Callback callback_;
  TimerWheel* wheel_ = nullptr;
};

// Every idle connection carries at least one timer.
static_assert(sizeof(void*) != 8 || sizeof(Timer) <= 40);

/// The timers of one shard. Time is a parameter: any monotonic millisecond count, the full 64-bit range.
class TimerWheel {
 public:
  /// `now_ms`: the time the wheel starts at.
  explicit TimerWheel(uint64_t now_ms);
  /// Disarms what is still armed, without calling back.
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Arms `timer`, or moves it when armed. A deadline at or before the time of the last advance fires on the next
  /// advance (never inside the one that is running: a callback that re-arms itself cannot spin). O(1).
  void schedule(Timer& timer, uint64_t deadline_ms);

  /// Disarms `timer`; nothing happens when it is not armed. O(1).
  void cancel(Timer& timer);

  /// Fires every timer whose deadline is at or before `now_ms`, by deadline; equal deadlines, and the overdue ones
  /// among themselves, in the order of schedule. A clock that went back counts as one that stood still. Must not be
  /// called, and the wheel not be destroyed, from a callback. Returns the number of callbacks.
  size_t advance(uint64_t now_ms);

  /// When to call advance next: never later than the true next deadline, earlier when a slot has to be moved down
  /// first. At or before the last advance when something is overdue. Empty when nothing is armed. O(1).
  [[nodiscard]] std::optional<uint64_t> next_deadline_ms() const;

  /// The number of armed timers.
  [[nodiscard]] size_t size() const { return size_; }

 private:
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kSlots = 1U << kDigitBits;
  static constexpr unsigned kLevels = (64 + kDigitBits - 1) / kDigitBits;

  struct SlotRef {
    unsigned level;
    unsigned slot;
    uint64_t start_ms;  ///< the first tick of the slot
  };

  [[nodiscard]] std::optional<SlotRef> first_slot() const;
  void place(Timer& timer);
  void unlink(Timer& timer);
  void collect_due(uint64_t now_ms);
  void move_down(SlotRef ref);

  uint64_t now_ms_;
  size_t size_ = 0;
  bool advancing_ = false;
  std::array<uint64_t, kLevels> occupied_{};  ///< bit s of word L: slot s of level L is not empty
  std::array<TimerLink, size_t{kLevels} * kSlots> slots_;
  TimerLink overdue_;  ///< scheduled at or before now_ms_, wait for the next advance
  TimerLink firing_;   ///< due in the running advance, in order; empty outside of it
};

}  // namespace kilat
