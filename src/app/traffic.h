// What one shard counts of its connections and of itself, for metrics. Plain counters.
// Owner: one shard, written and read by its thread only. Bounds: fixed arrays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/reason.h"
#include "metrics/histogram.h"

namespace kilat::app {

/// Kinds of HTTP requests, as a metric tells them apart.
enum class HttpRoute : uint8_t {
  kEvents,
  kBatchEvents,
  kChannels,
  kChannel,
  kUsers,
  kConnections,
  kTail,
  kIngest,
  kReadings,
  kTerminate,
  kForceReconnect,
  kUpgrade,
  kHealth,
  kMetrics,
  kLive,
  kPreflight,
  kOther,
  kCount,
};

/// "events", "batch_events", …
std::string_view route_name(HttpRoute route);

/// The kind of a path of the HTTP API, which begins with /apps/.
HttpRoute api_route_of(std::string_view path);

using ReasonCounts = std::array<uint64_t, static_cast<size_t>(Reason::kCount)>;

struct Traffic {
  static constexpr size_t kProtocols = 3;
  static constexpr size_t kStatusClasses = 6;  ///< by first digit

  void refuse(Reason reason) { ++refusals[static_cast<size_t>(reason)]; }
  void close(size_t protocol, Reason reason) { ++closed[protocol][static_cast<size_t>(reason)]; }
  void answer(HttpRoute route, int status) {
    ++requests[static_cast<size_t>(route)][static_cast<size_t>(status) / 100 % kStatusClasses];
  }

  uint64_t accepted = 0;                          ///< TCP connections
  std::array<ReasonCounts, kProtocols> closed{};  ///< plain HTTP, Pusher, Socket.IO
  ReasonCounts refusals{};                        ///< of handshakes and requests
  std::array<std::array<uint64_t, kStatusClasses>, static_cast<size_t>(HttpRoute::kCount)> requests{};
  metrics::Histogram turns;
  metrics::Histogram fanout;
};

}  // namespace kilat::app
