#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/check.h"

namespace kilat {
namespace {

bool empty(const TimerLink& head) {
  return head.next == &head;
}

void push_back(TimerLink& head, TimerLink& node) {
  node.prev = head.prev;
  node.next = &head;
  head.prev->next = &node;
  head.prev = &node;
}

/// Appends all of `from` to `to` and leaves `from` empty.
void splice_back(TimerLink& to, TimerLink& from) {
  if (empty(from)) return;
  from.next->prev = to.prev;
  to.prev->next = from.next;
  from.prev->next = &to;
  to.prev = from.prev;
  from.prev = from.next = &from;
}

}  // namespace

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->cancel(*this);
}

TimerWheel::TimerWheel(uint64_t now_ms) : now_ms_(now_ms) {}

TimerWheel::~TimerWheel() {
  for (TimerLink& head : slots_) splice_back(firing_, head);
  splice_back(firing_, overdue_);
  for (TimerLink* link = firing_.next; link != &firing_; link = link->next) static_cast<Timer*>(link)->wheel_ = nullptr;
}

void TimerWheel::schedule(Timer& timer, uint64_t deadline_ms) {
  if (timer.wheel_ != nullptr) timer.wheel_->cancel(timer);
  timer.wheel_ = this;
  timer.deadline_ms_ = deadline_ms;
  ++size_;
  if (deadline_ms <= now_ms_) {
    push_back(overdue_, timer);
  } else {
    place(timer);
  }
}

void TimerWheel::cancel(Timer& timer) {
  if (timer.wheel_ != this) return;
  unlink(timer);
}

size_t TimerWheel::advance(uint64_t now_ms) {
  KILAT_CHECK(!advancing_);
  advancing_ = true;
  splice_back(firing_, overdue_);
  collect_due(std::max(now_ms, now_ms_));

  // The list head is read anew for each timer: a callback may have taken any of those that follow off the list.
  size_t fired = 0;
  while (!empty(firing_)) {
    Timer& timer = static_cast<Timer&>(*firing_.next);
    unlink(timer);
    ++fired;
    timer.callback_(timer);
  }
  advancing_ = false;
  return fired;
}

std::optional<uint64_t> TimerWheel::next_deadline_ms() const {
  if (!empty(firing_) || !empty(overdue_)) return now_ms_;
  const auto ref = first_slot();
  if (!ref) return std::nullopt;
  return ref->start_ms;
}

std::optional<TimerWheel::SlotRef> TimerWheel::first_slot() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * kDigitBits;
    // The digits above the level are those of now; on the top level there are none, and shifting by 64 is undefined.
    const uint64_t above = level + 1 < kLevels ? now_ms_ >> (shift + kDigitBits) << (shift + kDigitBits) : 0;
    return SlotRef{level, slot, above | uint64_t{slot} << shift};
  }
  return std::nullopt;
}

/// Links a timer that is not before now_ms_ on the level of the highest digit in which its deadline differs from now.
void TimerWheel::place(Timer& timer) {
  const uint64_t difference = timer.deadline_ms_ ^ now_ms_;
  const unsigned level = (static_cast<unsigned>(std::bit_width(difference | 1)) - 1) / kDigitBits;
  const unsigned slot = timer.deadline_ms_ >> (level * kDigitBits) & (kSlots - 1);
  occupied_[level] |= uint64_t{1} << slot;
  push_back(slots_[size_t{level} * kSlots + slot], timer);
}

/// Takes an armed timer off its list and disarms it.
void TimerWheel::unlink(Timer& timer) {
  // Only the last timer of a list has the same neighbour on both sides: the list head, whose address tells the slot.
  // The timer itself does not store it, which keeps it at 40 bytes.
  const TimerLink* neighbour = timer.prev;
  if (neighbour == timer.next && std::less_equal<>{}(slots_.data(), neighbour) &&
      std::less<>{}(neighbour, slots_.data() + slots_.size())) {
    const auto index = static_cast<size_t>(neighbour - slots_.data());
    occupied_[index / kSlots] &= ~(uint64_t{1} << index % kSlots);
  }
  timer.prev->next = timer.next;
  timer.next->prev = timer.prev;
  timer.wheel_ = nullptr;
  --size_;
}

/// Moves what is due at `now_ms` to firing_, in order, and sets the clock before any callback runs: thus callbacks see
/// one consistent time, and whatever they schedule belongs to a later advance.
void TimerWheel::collect_due(uint64_t now_ms) {
  for (auto ref = first_slot(); ref && ref->start_ms <= now_ms; ref = first_slot()) {
    now_ms_ = ref->start_ms;
    if (ref->level == 0) {
      occupied_[0] &= ~(uint64_t{1} << ref->slot);
      splice_back(firing_, slots_[ref->slot]);
    } else {
      move_down(*ref);
    }
  }
  now_ms_ = now_ms;
}

/// Re-places the timers of a slot whose first tick now_ms_ has just reached: all land on lower levels. Their order is
/// kept, and a later timer of the same deadline was on the same slot behind them, so equal deadlines stay in order.
void TimerWheel::move_down(SlotRef ref) {
  TimerLink moving;
  splice_back(moving, slots_[size_t{ref.level} * kSlots + ref.slot]);
  occupied_[ref.level] &= ~(uint64_t{1} << ref.slot);
  for (TimerLink* link = moving.next; link != &moving;) {
    Timer& timer = static_cast<Timer&>(*link);
    link = link->next;
    place(timer);
  }
}

}  // namespace kilat
