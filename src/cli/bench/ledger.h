// The books of a run: every number that was published, every delivery that is owed, and what came of it.
// Owner: the run; one thread. Does no I/O. Bounds: kStreamsMax streams of 16 bytes, one histogram.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/bench/histogram.h"
#include "cli/bench/marker.h"
#include "cli/bench/sequence.h"

namespace kilat::cli::bench {

inline constexpr uint64_t kStreamsMax = 8'000'000;

/// Connection i reads channel i % channels. With `own_channel`, publisher i is connection i: it publishes on its own
/// channel only and does not get its own events (client events). Otherwise any publisher may use any channel.
struct LedgerShape {
  uint32_t connections = 0;
  uint32_t channels = 1;
  uint32_t publishers = 1;
  bool own_channel = false;

  uint32_t channel_of(uint32_t connection) const { return connection % channels; }
  /// Publishers that one connection may hear.
  uint32_t publishers_heard() const { return own_channel ? (publishers + channels - 1) / channels : publishers; }
};

struct Totals {
  uint64_t expected = 0;    ///< deliveries owed by all that was published
  uint64_t received = 0;    ///< of these, how many came, each counted once
  uint64_t lost = 0;        ///< expected less received
  uint64_t duplicates = 0;  ///< came again
  uint64_t reordered = 0;   ///< came after a later one of the same publisher and channel
  uint64_t unexpected = 0;  ///< came to a connection that should not get it
  uint64_t sent = 0;        ///< publishes; those taken back are not in it
  uint64_t sent_measured = 0;
  uint64_t received_measured = 0;
};

class Ledger {
 public:
  explicit Ledger(const LedgerShape& shape);

  /// Deliveries that arrive, and publishes that are sent, in [start, end) count as measured; latencies count for
  /// publishes that were due in it.
  void measure(uint64_t start_ns, uint64_t end_ns);

  /// A connection reads its channel from now on; only before the first publish.
  void joined(uint32_t connection);
  /// It will get nothing any more; what it did not get stays expected, and becomes a loss.
  void gone(uint32_t connection);

  /// Books a publish at `now_ns`, returns its number.
  uint32_t publish(uint32_t publisher, uint32_t channel, uint64_t now_ns);
  /// The server refused the last publish of this publisher on this channel: its number is used again.
  void take_back(uint32_t publisher, uint32_t channel, uint64_t sent_ns);

  /// A message with `marker` has come to `connection`.
  void arrived(uint32_t connection, const Marker& marker, uint64_t now_ns);

  /// Deliveries that have not come yet to connections that can still get them.
  uint64_t owed() const { return owed_ > 0 ? static_cast<uint64_t>(owed_) : 0; }
  /// Deliveries that one publish on this channel makes at present.
  uint64_t fan_out(uint32_t channel) const;
  /// The mean of it over all channels.
  double mean_fan_out() const;

  Totals totals() const;
  const Histogram& latency_ns() const { return latency_ns_; }
  uint64_t received() const { return totals_.received; }
  uint64_t sent() const { return totals_.sent; }

 private:
  bool in_window(uint64_t ns) const { return ns >= measure_start_ns_ && ns < measure_end_ns_; }
  size_t number_slot(uint32_t publisher, uint32_t channel) const;
  Stream& stream(uint32_t connection, uint32_t publisher);
  uint64_t missing(uint32_t connection) const;
  uint64_t owed_to(uint32_t connection, uint32_t heard) const;

  LedgerShape shape_;
  std::vector<uint32_t> numbers_;  // the last number of each publisher on each of its channels
  std::vector<Stream> streams_;
  std::vector<uint32_t> readers_;  // of each channel, those still there
  uint64_t readers_total_ = 0;
  std::vector<bool> ever_joined_;
  Histogram latency_ns_;
  Totals totals_;
  int64_t owed_ = 0;
  uint64_t measure_start_ns_ = 0;
  uint64_t measure_end_ns_ = 0;
};

}  // namespace kilat::cli::bench
