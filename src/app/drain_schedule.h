// DrainSchedule: when each connection of a shard is told to go while the shard drains.
// The time is cut into as many slots of one length as there are connections; each close falls at a random moment of its
// slot. So the closes are even over any stretch of time, but have no beat: the shards of a server, and servers that
// were asked to drain together, would otherwise send their clients to the next server in step. Owner: one shard.
// Bounds: a few words, whatever the number of connections.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace kilat::app {

class DrainSchedule {
 public:
  DrainSchedule() = default;
  /// `count` closes within `spread_us` microseconds: at most 2^20 connections and an hour, so that nothing overflows.
  DrainSchedule(size_t count, uint64_t spread_us) : count_(count), spread_us_(spread_us) {}

  /// How many of them are due `elapsed_us` microseconds after the beginning. The time never goes back. `random` gives
  /// uniform numbers: below(bound), for a bound above 0.
  template <typename Random>
  size_t due(uint64_t elapsed_us, Random& random) {
    if (elapsed_us >= spread_us_) return due_ = count_;
    while (due_ < count_) {
      if (!drawn_) {
        const uint64_t begin = spread_us_ * due_ / count_;
        const uint64_t end = spread_us_ * (due_ + 1) / count_;
        next_us_ = begin + random.below(std::max<uint64_t>(1, end - begin));
        drawn_ = true;
      }
      if (elapsed_us < next_us_) break;
      ++due_;
      drawn_ = false;
    }
    return due_;
  }

  uint64_t spread_us() const { return spread_us_; }

 private:
  size_t count_ = 0;
  uint64_t spread_us_ = 0;
  uint64_t next_us_ = 0;  ///< of the close that is due next, when it is drawn
  size_t due_ = 0;
  bool drawn_ = false;
};

}  // namespace kilat::app
