#include "metrics/table.h"

#include <array>
#include <cstddef>

namespace kilat::metrics {
namespace {

using enum Metric;
using enum Type;
using enum Unit;

constexpr std::array kRows = std::to_array<Row>({
    {kBuildInfo, "kilat_build_info", kGauge, "version", kNone, "Always 1; the label tells the version."},
    {kUptime, "kilat_uptime_seconds", kGauge, "", kSeconds, "Time since the start."},
    {kReady, "kilat_ready", kGauge, "", kNone, "1 when /health/ready answers 200, else 0."},
    {kDraining, "kilat_draining", kGauge, "", kNone, "1 while the server says goodbye to its connections."},
    {kShards, "kilat_shards", kGauge, "", kNone, "Threads with a loop each."},
    {kShardResponding, "kilat_shard_responding", kGauge, "shard", kNone,
     "1 when the shard answered this scrape in time; else its figures are those of the last scrape it answered."},

    {kConnections, "kilat_connections", kGauge, "app,protocol", kNone,
     "Open connections; those that speak plain HTTP have no app."},
    {kConnectionsOpened, "kilat_connections_opened_total", kCounter, "app,protocol", kNone,
     "Sessions opened; for http, TCP connections accepted."},
    {kConnectionsClosed, "kilat_connections_closed_total", kCounter, "protocol,reason", kNone,
     "Connections ended, by row of docs/reasons.md."},
    {kSlowCloses, "kilat_slow_closes_total", kCounter, "", kNone,
     "Connections ended because they read too slowly: slow_consumer, slow_consumer_soft, memory_budget."},
    {kRefusals, "kilat_refusals_total", kCounter, "reason", kNone,
     "Refused handshakes, messages and requests, by row of docs/reasons.md; failed signatures are among them."},
    {kTrackedAddresses, "kilat_tracked_addresses", kGauge, "", kNone,
     "Client addresses that connections are counted for; 262,144 at most."},

    {kSockets, "kilat_socketio_sockets", kGauge, "", kNone,
     "Sockets of Socket.IO in all namespaces, those that wait to be recovered included."},
    {kSocketUpgrades, "kilat_socketio_upgrades_total", kCounter, "", kNone,
     "Sessions that went from polling to a WebSocket."},
    {kSocketsRecovered, "kilat_socketio_recovered_total", kCounter, "", kNone,
     "Sockets whose clients came back and got what they had missed."},
    {kSocketPackets, "kilat_socketio_packets_total", kCounter, "", kNone, "Engine.IO packets of clients."},
    {kSocketEventsUnhandled, "kilat_socketio_unhandled_total", kCounter, "", kNone,
     "Events of clients that nobody listens to."},

    {kChannels, "kilat_channels", kGauge, "app", kNone, "Channels that exist: with a subscriber or a cached event."},
    {kSubscriptions, "kilat_subscriptions", kGauge, "app", kNone, "Subscriptions of all connections."},
    {kPresenceMembers, "kilat_presence_members", kGauge, "app", kNone, "Members of all presence channels."},
    {kFlowEvents, "kilat_flow_events_total", kCounter, "app,rule,result", kNone,
     "What flow rules did with events: sent, folded, sampled_out, cut, or why one did not fit (docs/flow.md). The "
     "first "
     "rule is 1."},
    {kHistoryBytes, "kilat_history_bytes", kGauge, "shard", kBytes,
     "Past events in memory, counted as limits.history_bytes_max counts them."},
    {kRecoveries, "kilat_recoveries_total", kCounter, "app,result", kNone,
     "Readers who came back with a position: recovered or refused."},

    {kMessagesReceived, "kilat_messages_received_total", kCounter, "app,kind", kNone,
     "Messages of clients, by what they ask for."},
    {kReceivedBytes, "kilat_received_bytes_total", kCounter, "app", kBytes, "Bytes of WebSocket frames from clients."},
    {kPublished, "kilat_published_total", kCounter, "app,source,result", kNone,
     "Events, once per channel: source is api or client, result is accepted or over_capacity."},
    {kDeliveries, "kilat_deliveries_total", kCounter, "app", kNone, "Frames put on outboxes of subscribers."},
    {kConflated, "kilat_conflated_total", kCounter, "app", kNone,
     "Events of conflating channels that readers who were behind did not get, because newer ones of their keys came."},
    {kDeliveredBytes, "kilat_delivered_bytes_total", kCounter, "app", kBytes, "Bytes of these frames."},
    {kFanout, "kilat_fanout_seconds", kHistogram, "", kSeconds,
     "From taking an event to handing it to the kernel for all readers of a shard that keep up; one event in 64."},
    {kApiRequests, "kilat_api_requests_total", kCounter, "route,status", kNone,
     "Answers of the HTTP side, by route and class of status (2xx, 3xx, 4xx, 5xx)."},

    {kIngestQueueJobs, "kilat_ingest_queue_jobs", kGauge, "", kNone, "Jobs that wait to be published."},
    {kIngestQueueBytes, "kilat_ingest_queue_bytes", kGauge, "", kBytes,
     "What ingest.queue_bytes_max counts: jobs that wait, failed ones included."},
    {kIngestFailedJobs, "kilat_ingest_failed_jobs", kGauge, "", kNone,
     "Failed jobs that are kept until they are tried again or forgotten."},
    {kIngestUnservedJobs, "kilat_ingest_unserved_jobs", kGauge, "", kNone,
     "Jobs, failed ones included, of apps that are not configured, or disabled."},
    {kIngestAccepted, "kilat_ingest_accepted_readings_total", kCounter, "", kNone,
     "Readings that were answered 202, repetitions left out."},
    {kIngestStored, "kilat_ingest_stored_readings_total", kCounter, "", kNone, "Readings that went into their table."},
    {kIngestJobs, "kilat_ingest_jobs_total", kCounter, "result", kNone,
     "Jobs that ended: done, or failed after all their tries."},
    {kIngestRetries, "kilat_ingest_retries_total", kCounter, "", kNone, "Tries after the first of a job."},

    {kNetworkReceived, "kilat_network_received_bytes_total", kCounter, "shard", kBytes, "Bytes read from sockets."},
    {kNetworkSent, "kilat_network_sent_bytes_total", kCounter, "shard", kBytes, "Bytes written to sockets."},
    {kSendCalls, "kilat_send_calls_total", kCounter, "shard", kNone, "System calls that sent something."},
    {kOutboxBytes, "kilat_outbox_bytes", kGauge, "shard", kBytes,
     "What waits to be sent, counted as the budget counts it."},
    {kInputBytes, "kilat_input_bytes", kGauge, "shard", kBytes,
     "Unfinished messages and requests; the budget counts them too."},
    {kOutboxBudget, "kilat_outbox_budget_bytes", kGauge, "", kBytes, "limits.shard_budget_bytes, for each shard."},
    {kSlowConnections, "kilat_slow_connections", kGauge, "shard", kNone,
     "Connections that wait for their peer to read, or to say goodbye."},
    {kMailboxMessages, "kilat_mailbox_messages", kGauge, "shard", kNone, "Messages that wait for this shard."},
    {kMailboxSpilled, "kilat_mailbox_spilled", kGauge, "shard", kNone,
     "Control messages of this shard that wait for room in a mailbox."},
    {kMailboxSpills, "kilat_mailbox_spills_total", kCounter, "shard", kNone,
     "Control messages that found no room at once."},
    {kTurn, "kilat_turn_seconds", kHistogram, "shard", kSeconds, "Working time of one turn of the loop."},
    {kLinger, "kilat_linger_seconds", kGauge, "shard", kSeconds, "How long frames gather now; 0 with time to spare."},

    {kReloads, "kilat_reloads_total", kCounter, "result", kNone, "Reloads: applied, unchanged or refused."},
    {kReloadSucceeded, "kilat_reload_succeeded", kGauge, "", kNone,
     "0 when the last reload was refused: the file differs from what runs."},
    {kCertificateExpires, "kilat_certificate_expires_seconds", kGauge, "", kSeconds,
     "When the first certificate expires, in seconds since 1970; missing without TLS."},

    {kProcessMemory, "process_resident_memory_bytes", kGauge, "", kBytes, "Resident memory of the process."},
    {kProcessOpenFiles, "process_open_fds", kGauge, "", kNone, "Open files of the process."},
    {kProcessOpenFilesMax, "process_max_fds", kGauge, "", kNone, "Open files that the process may have."},
    {kProcessCpu, "process_cpu_seconds_total", kCounter, "", kSeconds, "Processor time of the process."},
    {kProcessStart, "process_start_time_seconds", kGauge, "", kSeconds, "When it started, in seconds since 1970."},

    {kSoketiConnected, "connected", kGauge, "app_id,port", kNone, "The number of currently connected sockets."},
    {kSoketiConnections, "new_connections_total", kCounter, "app_id,port", kNone, "Connections opened."},
    {kSoketiDisconnections, "new_disconnections_total", kCounter, "app_id,port", kNone, "Connections ended."},
    {kSoketiReceivedBytes, "socket_received_bytes", kCounter, "app_id,port", kBytes, "Bytes from WebSocket clients."},
    {kSoketiSentBytes, "socket_transmitted_bytes", kCounter, "app_id,port", kBytes,
     "Bytes of events for WebSocket clients."},
    {kSoketiMessagesReceived, "ws_messages_received_total", kCounter, "app_id,port", kNone,
     "Messages from WebSocket clients."},
    {kSoketiMessagesSent, "ws_messages_sent_total", kCounter, "app_id,port", kNone, "Events for WebSocket clients."},
    {kSoketiHttpReceivedBytes, "http_received_bytes", kCounter, "app_id,port", kBytes, "Bytes of API request bodies."},
    {kSoketiHttpSentBytes, "http_transmitted_bytes", kCounter, "app_id,port", kBytes, "Bytes of API answer bodies."},
    {kSoketiHttpCalls, "http_calls_received_total", kCounter, "app_id,port", kNone, "API requests."},
});

consteval bool in_order() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].metric) != i) return false;
  }
  return kRows.size() == static_cast<size_t>(Metric::kCount);
}
static_assert(in_order(), "one row for each metric, in the order of the enumeration");

}  // namespace

const Row& row(Metric metric) {
  return kRows[static_cast<size_t>(metric)];
}

std::span<const Row> table() {
  return kRows;
}

}  // namespace kilat::metrics
