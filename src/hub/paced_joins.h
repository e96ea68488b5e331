// PacedJoins: joins that want past events, in the order in which they came. They are let go a few at a time, so that a
// thousand readers who come back at once do not keep a shard from everybody else: what they get in one turn of the loop
// is bounded on average, and live events go out between the turns.
// Owner: the ShardHub of the readers' shard, which asks when it takes one whether anybody still waits for it.
// Bounds: kWaitingMax.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "hub/command.h"

namespace kilat::hub {

class PacedJoins {
 public:
  static constexpr size_t kWaitingMax = 65'536;
  /// How many homes are asked at a time, at most; fewer where the answers are long.
  static constexpr uint64_t kUnderWayMax = 256;

  struct Join {
    ShardIndex home;
    std::unique_ptr<JoinRequest> request;
  };

  explicit PacedJoins(uint64_t bytes_per_turn) : per_turn_(bytes_per_turn) { begin_turn(); }

  void set_pace(uint64_t bytes_per_turn) { per_turn_ = bytes_per_turn; }
  /// What came beyond the last turn's bytes is taken off those of the next.
  void begin_turn() {
    const auto bytes = static_cast<int64_t>(per_turn_);
    left_ = std::min(bytes, left_ + bytes);
  }

  bool has_room() const { return joins_.size() < kWaitingMax; }
  void push(Join join) { joins_.push_back(std::move(join)); }

  /// Whether one may go in this turn, or in the next.
  bool may_go() const { return left_ > 0 && due(); }
  bool due() const {
    return !joins_.empty() && under_way_ < kUnderWayMax &&
           (under_way_ == 0 || (under_way_ + 1) * expected_ <= per_turn_);
  }
  /// The oldest; there is one.
  Join take() {
    Join join = std::move(joins_.front());
    joins_.pop_front();
    return join;
  }

  void sent() { ++under_way_; }
  /// One that was sent was answered, with so many bytes.
  void answered(uint64_t bytes) {
    --under_way_;
    left_ -= static_cast<int64_t>(bytes);
    expected_ = (3 * expected_ + bytes) / 4;
  }

 private:
  std::deque<Join> joins_;
  uint64_t per_turn_;
  int64_t left_ = 0;               ///< bytes of this turn; below zero: of those to come
  uint64_t expected_ = 64 * 1024;  ///< bytes of an answer
  uint64_t under_way_ = 0;
};

}  // namespace kilat::hub
