// Repeating: a timer of a program, on one shard. Owner: the shard's side, until it is over; only `cancelled` is shared
// with other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/timer_wheel.h"

namespace kilat::embed {

class ShardSide;

struct Repeating : Timer {
  Repeating() : Timer(&Repeating::on_timer) {}
  static void on_timer(Timer& timer);

  ShardSide* side = nullptr;
  uint64_t first_ms = 0;
  uint64_t interval_ms = 0;  ///< 0: once
  std::function<void()> function;
  std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
};

using RepeatingPtr = std::unique_ptr<Repeating>;

}  // namespace kilat::embed
