// The one table of metrics: every name that /metrics can show, with its type, labels, unit and meaning. The exposition
// and docs/metrics.md are made from these rows; a sample with other labels than its row's cannot be written.
// Immutable; any thread may read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kilat::metrics {

/// The order is the order of the table in table.cc (checked at compile time).
enum class Metric : uint8_t {
  kBuildInfo,
  kUptime,
  kReady,
  kDraining,
  kShards,
  kShardResponding,
  // Connections.
  kConnections,
  kConnectionsOpened,
  kConnectionsClosed,
  kSlowCloses,
  kRefusals,
  kTrackedAddresses,
  // Socket.IO.
  kSockets,
  kSocketUpgrades,
  kSocketsRecovered,
  kSocketPackets,
  kSocketEventsUnhandled,
  // Channels.
  kChannels,
  kSubscriptions,
  kPresenceMembers,
  kFlowEvents,
  kHistoryBytes,
  kRecoveries,
  // Messages.
  kMessagesReceived,
  kReceivedBytes,
  kPublished,
  kDeliveries,
  kConflated,
  kDeliveredBytes,
  kFanout,
  kApiRequests,
  // Durable ingest.
  kIngestQueueJobs,
  kIngestQueueBytes,
  kIngestFailedJobs,
  kIngestUnservedJobs,
  kIngestAccepted,
  kIngestStored,
  kIngestJobs,
  kIngestRetries,
  // Shards.
  kNetworkReceived,
  kNetworkSent,
  kSendCalls,
  kOutboxBytes,
  kInputBytes,
  kOutboxBudget,
  kSlowConnections,
  kMailboxMessages,
  kMailboxSpilled,
  kMailboxSpills,
  kTurn,
  kLinger,
  // Configuration.
  kReloads,
  kReloadSucceeded,
  kCertificateExpires,
  // The process, by the names of the Prometheus client libraries.
  kProcessMemory,
  kProcessOpenFiles,
  kProcessOpenFilesMax,
  kProcessCpu,
  kProcessStart,
  // Soketi's names, without their prefix.
  kSoketiConnected,
  kSoketiConnections,
  kSoketiDisconnections,
  kSoketiReceivedBytes,
  kSoketiSentBytes,
  kSoketiMessagesReceived,
  kSoketiMessagesSent,
  kSoketiHttpReceivedBytes,
  kSoketiHttpSentBytes,
  kSoketiHttpCalls,
  kCount,
};

enum class Type : uint8_t { kCounter, kGauge, kHistogram };

enum class Unit : uint8_t { kNone, kBytes, kSeconds };

struct Row {
  Metric metric;
  std::string_view name;
  Type type;
  std::string_view labels;  ///< names, separated by commas
  Unit unit;
  std::string_view help;  ///< one line

  /// Named as Soketi names it: shown only with metrics.soketi_prefix, and behind that prefix.
  bool soketi() const { return metric >= Metric::kSoketiConnected; }
};

/// The row of `metric`. Never fails.
const Row& row(Metric metric);

/// All rows in order.
std::span<const Row> table();

}  // namespace kilat::metrics
