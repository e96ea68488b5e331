// What one shard counts of each app, for metrics: plain counters, written and read by the shard's own thread only.
// Bound: one entry for each app that ever was.
#pragma once

#include <cstdint>

namespace kilat::hub {

/// Of the readers on this shard.
struct LocalTally {
  uint64_t subscriptions = 0;  ///< now
  uint64_t deliveries = 0;
  uint64_t delivered_bytes = 0;
  uint64_t conflated = 0;  ///< events that readers who were behind did not get
};

/// Of the channels whose home is this shard, and of the publishers on it.
struct HomeTally {
  uint64_t channels = 0;  ///< now
  uint64_t members = 0;   ///< now, of presence channels
  /// Events by source: 0 the API, 1 a client.
  uint64_t accepted[2] = {};
  uint64_t refused[2] = {};
  uint64_t recovered = 0;      ///< readers who got what they had missed
  uint64_t not_recovered = 0;  ///< readers who could not
};

}  // namespace kilat::hub
