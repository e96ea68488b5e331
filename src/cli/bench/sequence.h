// One stream of numbered messages, as one receiver sees it: what is new, what came late, what came twice.
// Owner: one thread. Bounds: 16 bytes; there may be millions.
#pragma once

#include <cstdint>

namespace kilat::cli::bench {

enum class Arrival : uint8_t {
  kInOrder,    ///< the highest number so far; numbers in between may be missing
  kReordered,  ///< a missing number, after a higher one
  kDuplicate,  ///< seen before
};

class Stream {
 public:
  /// Takes the number of an arrived message, from 1. Of the last 64 numbers below the highest each is known to be seen
  /// or not. One that is further back counts as reordered while some number is still missing, else as a duplicate.
  Arrival take(uint32_t sequence) {
    if (sequence > highest_) {
      const uint32_t step = sequence - highest_;
      seen_ = step < 64 ? seen_ << step | 1 : 1;
      highest_ = sequence;
      ++unique_;
      return Arrival::kInOrder;
    }
    const uint32_t back = highest_ - sequence;
    const uint64_t bit = back < 64 ? uint64_t{1} << back : 0;
    if ((seen_ & bit) != 0 || unique_ == highest_) return Arrival::kDuplicate;
    seen_ |= bit;
    ++unique_;
    return Arrival::kReordered;
  }

  /// How many different numbers have arrived.
  uint32_t unique() const { return unique_; }

 private:
  uint32_t highest_ = 0;
  uint32_t unique_ = 0;
  uint64_t seen_ = 0;  // bit n: highest_ - n was seen
};

}  // namespace kilat::cli::bench
