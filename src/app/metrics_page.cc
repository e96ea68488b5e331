#include "app/metrics_page.h"

#include <algorithm>
#include <array>
#include <functional>

#include "metrics/exposition.h"

namespace kilat::app {
namespace {

using metrics::Exposition;
using metrics::Metric;

/// One app, or all that have no samples of their own, over all shards.
struct AppFigures {
  std::string label;
  uint64_t connections = 0;
  hub::LocalTally local;
  hub::HomeTally home;
  pusher::Tally sessions;
  api::Service::Tally api;
  uint64_t socketio_open = 0;
  uint64_t socketio_opened = 0;
  std::vector<flow::FlowCounters> flow;  ///< by rule
};

constexpr std::array<std::string_view, pusher::Tally::kKinds> kKinds{
    "ping", "pong", "subscribe", "unsubscribe", "signin", "client_event", "heartbeat", "unsupported", "malformed"};
constexpr std::array<std::string_view, 2> kSources{"api", "client"};
constexpr std::array<std::string_view, Traffic::kProtocols> kProtocols{"http", "pusher", "socketio"};
constexpr std::array<std::string_view, Traffic::kStatusClasses> kClasses{"", "1xx", "2xx", "3xx", "4xx", "5xx"};

template <typename T>
const T* at(const std::vector<T>& list, size_t index) {
  return index < list.size() ? &list[index] : nullptr;
}

struct FlowResult {
  std::string_view name;
  uint64_t flow::FlowCounters::* count;
};
constexpr std::array kFlowResults = std::to_array<FlowResult>({{"sent", &flow::FlowCounters::out},
                                                               {"folded", &flow::FlowCounters::folded},
                                                               {"sampled_out", &flow::FlowCounters::sampled_out},
                                                               {"cut", &flow::FlowCounters::cut},
                                                               {"encrypted", &flow::FlowCounters::encrypted},
                                                               {"not_json", &flow::FlowCounters::not_json},
                                                               {"keyless", &flow::FlowCounters::keyless},
                                                               {"valueless", &flow::FlowCounters::valueless},
                                                               {"timeless", &flow::FlowCounters::timeless},
                                                               {"late", &flow::FlowCounters::late},
                                                               {"early", &flow::FlowCounters::early},
                                                               {"keys_full", &flow::FlowCounters::keys_full},
                                                               {"bytes_full", &flow::FlowCounters::bytes_full}});

void add(std::vector<flow::FlowCounters>& out, const std::vector<flow::FlowCounters>& rules) {
  out.resize(std::max(out.size(), rules.size()));
  for (size_t rule = 0; rule < rules.size(); ++rule) {
    for (const FlowResult& result : kFlowResults) out[rule].*result.count += rules[rule].*result.count;
  }
}

void add(AppFigures& out, const ShardSnapshot& shard, size_t index) {
  if (const auto* flow = at(shard.flow, index)) add(out.flow, *flow);
  if (const auto* local = at(shard.local, index)) {
    out.local.subscriptions += local->subscriptions;
    out.local.deliveries += local->deliveries;
    out.local.delivered_bytes += local->delivered_bytes;
    out.local.conflated += local->conflated;
  }
  if (const auto* home = at(shard.home, index)) {
    out.home.channels += home->channels;
    out.home.members += home->members;
    for (size_t source = 0; source < 2; ++source) {
      out.home.accepted[source] += home->accepted[source];
      out.home.refused[source] += home->refused[source];
    }
    out.home.recovered += home->recovered;
    out.home.not_recovered += home->not_recovered;
  }
  if (const auto* sessions = at(shard.sessions, index)) {
    out.sessions.opened += sessions->opened;
    out.sessions.closed += sessions->closed;
    out.sessions.received_bytes += sessions->received_bytes;
    for (size_t kind = 0; kind < kKinds.size(); ++kind) out.sessions.received[kind] += sessions->received[kind];
  }
  if (index == shard.socketio_app) {
    out.socketio_open += shard.socketio.sessions_opened - shard.socketio.sessions_closed;
    out.socketio_opened += shard.socketio.sessions_opened;
  }
  if (const auto* api = at(shard.api, index)) {
    out.api.requests += api->requests;
    out.api.received_bytes += api->received_bytes;
    out.api.sent_bytes += api->sent_bytes;
  }
}

std::vector<AppFigures> figures_of(const MetricsInput& input) {
  std::vector<AppFigures> out;
  AppFigures other;
  other.label = "(other)";
  bool others = false;
  for (size_t i = 0; i < input.apps.size(); ++i) {
    const hub::App& app = input.apps[static_cast<hub::AppIndex>(i)];
    if (!app.present) continue;
    const bool own = out.size() < kAppsShown;
    others |= !own;
    AppFigures& figures = own ? out.emplace_back() : other;
    if (own) figures.label = app.settings.id;
    figures.connections += app.connections.load(std::memory_order_relaxed);
    for (const ShardSnapshot& shard : input.shards) add(figures, shard, i);
  }
  if (others) out.push_back(std::move(other));
  return out;
}

class Page {
 public:
  Page(const MetricsInput& input, metrics::Format format)
      : in_(input), out_(input.soketi_prefix, format), apps_(figures_of(input)) {}

  std::string write() {
    general();
    connections();
    messages();
    requests();
    ingest();
    shards();
    process();
    if (!in_.soketi_prefix.empty()) soketi();
    return out_.take();
  }

 private:
  void general() {
    out_.family(Metric::kBuildInfo);
    out_.sample({metrics::build_version()}, 1);
    out_.family(Metric::kUptime);
    out_.sample_real({}, static_cast<double>(in_.now_unix_ms - in_.start_unix_ms) / 1e3);
    out_.value(Metric::kReady, in_.ready ? 1 : 0);
    out_.value(Metric::kDraining, in_.draining ? 1 : 0);
    out_.value(Metric::kShards, in_.shards.size());
    out_.family(Metric::kReloads);
    out_.sample({"applied"}, in_.reloads.applied);
    out_.sample({"unchanged"}, in_.reloads.unchanged);
    out_.sample({"refused"}, in_.reloads.refused);
    out_.value(Metric::kReloadSucceeded, in_.reloads.last_succeeded ? 1 : 0);
    if (in_.certificate_expires_s > 0) {
      out_.value(Metric::kCertificateExpires, static_cast<uint64_t>(in_.certificate_expires_s));
    }
  }

  void per_app(Metric metric, uint64_t (*figure)(const AppFigures&)) {
    out_.family(metric);
    for (const AppFigures& app : apps_) out_.sample({app.label}, figure(app));
  }

  void connections() {
    uint64_t open = 0;
    uint64_t sessions = 0;
    uint64_t accepted = 0;
    std::array<ReasonCounts, Traffic::kProtocols> closed{};
    socketio::Tally sockets;
    ReasonCounts refusals{};
    for (const ShardSnapshot& shard : in_.shards) {
      open += shard.connections;
      sessions += shard.sessions_open() + shard.socketio.links;
      sockets.upgrades += shard.socketio.upgrades;
      sockets.sockets_opened += shard.socketio.sockets_opened;
      sockets.sockets_closed += shard.socketio.sockets_closed;
      sockets.recovered += shard.socketio.recovered;
      sockets.packets += shard.socketio.packets;
      sockets.unhandled += shard.socketio.unhandled;
      accepted += shard.traffic.accepted;
      for (size_t reason = 0; reason < refusals.size(); ++reason) {
        refusals[reason] += shard.traffic.refusals[reason] + shard.message_refusals[reason];
        for (size_t protocol = 0; protocol < Traffic::kProtocols; ++protocol) {
          closed[protocol][reason] += shard.traffic.closed[protocol][reason];
        }
      }
    }
    out_.family(Metric::kConnections);
    for (const AppFigures& app : apps_) {
      out_.sample({app.label, "pusher"}, app.connections - std::min(app.connections, app.socketio_open));
      out_.sample({app.label, "socketio"}, app.socketio_open);
    }
    out_.sample({"", "http"}, open - std::min(open, sessions));
    out_.family(Metric::kConnectionsOpened);
    for (const AppFigures& app : apps_) {
      out_.sample({app.label, "pusher"}, app.sessions.opened);
      out_.sample({app.label, "socketio"}, app.socketio_opened);
    }
    out_.sample({"", "http"}, accepted);
    out_.family(Metric::kConnectionsClosed);
    for (size_t protocol = 0; protocol < Traffic::kProtocols; ++protocol) {
      by_reason(closed[protocol],
                [&](std::string_view id, uint64_t count) { out_.sample({kProtocols[protocol], id}, count); });
    }
    uint64_t slow = 0;
    for (const Reason reason : {Reason::kSlowConsumer, Reason::kSlowConsumerSoft, Reason::kMemoryBudget}) {
      for (const ReasonCounts& counts : closed) slow += counts[static_cast<size_t>(reason)];
    }
    out_.value(Metric::kSlowCloses, slow);
    out_.family(Metric::kRefusals);
    by_reason(refusals, [&](std::string_view id, uint64_t count) { out_.sample({id}, count); });
    out_.value(Metric::kTrackedAddresses, in_.tracked_addresses);
    out_.value(Metric::kSockets, sockets.sockets_opened - sockets.sockets_closed);
    out_.value(Metric::kSocketUpgrades, sockets.upgrades);
    out_.value(Metric::kSocketsRecovered, sockets.recovered);
    out_.value(Metric::kSocketPackets, sockets.packets);
    out_.value(Metric::kSocketEventsUnhandled, sockets.unhandled);
  }

  // Only rows that have happened: the table is long, and most rows never do.
  template <typename Write>
  static void by_reason(const ReasonCounts& counts, Write&& write) {
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != 0) write(reason_row(static_cast<Reason>(i)).id, counts[i]);
    }
  }

  void messages() {
    per_app(Metric::kChannels, [](const AppFigures& app) { return app.home.channels; });
    per_app(Metric::kSubscriptions, [](const AppFigures& app) { return app.local.subscriptions; });
    per_app(Metric::kPresenceMembers, [](const AppFigures& app) { return app.home.members; });
    folding();
    out_.family(Metric::kMessagesReceived);
    for (const AppFigures& app : apps_) {
      for (size_t kind = 0; kind < kKinds.size(); ++kind) {
        out_.sample({app.label, kKinds[kind]}, app.sessions.received[kind]);
      }
    }
    per_app(Metric::kReceivedBytes, [](const AppFigures& app) { return app.sessions.received_bytes; });
    out_.family(Metric::kPublished);
    for (const AppFigures& app : apps_) {
      for (size_t source = 0; source < kSources.size(); ++source) {
        out_.sample({app.label, kSources[source], "accepted"}, app.home.accepted[source]);
        out_.sample({app.label, kSources[source], "over_capacity"}, app.home.refused[source]);
      }
    }
    per_app(Metric::kDeliveries, [](const AppFigures& app) { return app.local.deliveries; });
    per_app(Metric::kConflated, [](const AppFigures& app) { return app.local.conflated; });
    per_app(Metric::kDeliveredBytes, [](const AppFigures& app) { return app.local.delivered_bytes; });
    metrics::Histogram fanout;
    for (const ShardSnapshot& shard : in_.shards) fanout.add(shard.traffic.fanout);
    out_.family(Metric::kFanout);
    out_.sample({}, fanout);
  }

  void ingest() {
    if (!in_.ingest) return;
    const store::IngestLog::Figures& log = in_.ingest->log;
    out_.value(Metric::kIngestQueueJobs, log.queue_jobs);
    out_.value(Metric::kIngestQueueBytes, log.queue_bytes);
    out_.value(Metric::kIngestFailedJobs, log.failed_jobs);
    out_.value(Metric::kIngestUnservedJobs, in_.ingest->unserved_jobs);
    out_.value(Metric::kIngestAccepted, log.accepted);
    out_.value(Metric::kIngestStored, log.stored);
    out_.family(Metric::kIngestJobs);
    out_.sample({"done"}, log.done);
    out_.sample({"failed"}, log.given_up);
    out_.value(Metric::kIngestRetries, in_.ingest->retries);
  }

  void folding() {
    out_.family(Metric::kFlowEvents);
    for (const AppFigures& app : apps_) {
      for (size_t rule = 0; rule < app.flow.size(); ++rule) {
        for (const FlowResult& result : kFlowResults) {
          const uint64_t count = app.flow[rule].*result.count;
          if (count != 0) out_.sample({app.label, std::to_string(rule + 1), result.name}, count);
        }
      }
    }
    per_shard(Metric::kHistoryBytes, &ShardSnapshot::history_bytes);
    out_.family(Metric::kRecoveries);
    for (const AppFigures& app : apps_) {
      out_.sample({app.label, "recovered"}, app.home.recovered);
      out_.sample({app.label, "refused"}, app.home.not_recovered);
    }
  }

  void requests() {
    out_.family(Metric::kApiRequests);
    for (size_t route = 0; route < static_cast<size_t>(HttpRoute::kCount); ++route) {
      for (size_t status = 1; status < kClasses.size(); ++status) {
        uint64_t count = 0;
        for (const ShardSnapshot& shard : in_.shards) count += shard.traffic.requests[route][status];
        if (count != 0) out_.sample({route_name(static_cast<HttpRoute>(route)), kClasses[status]}, count);
      }
    }
  }

  template <typename Figure>
  void per_shard(Metric metric, Figure&& figure) {
    out_.family(metric);
    for (size_t i = 0; i < in_.shards.size(); ++i) {
      out_.sample({std::to_string(i)}, std::invoke(figure, in_.shards[i]));
    }
  }

  void shards() {
    out_.family(Metric::kShardResponding);
    for (size_t i = 0; i < in_.shards.size(); ++i) {
      out_.sample({std::to_string(i)}, in_.responding[i] ? uint64_t{1} : uint64_t{0});
    }
    per_shard(Metric::kNetworkReceived, &ShardSnapshot::received_bytes);
    per_shard(Metric::kNetworkSent, &ShardSnapshot::sent_bytes);
    per_shard(Metric::kSendCalls, &ShardSnapshot::send_calls);
    per_shard(Metric::kOutboxBytes, &ShardSnapshot::outbox_bytes);
    per_shard(Metric::kInputBytes, &ShardSnapshot::input_bytes);
    out_.value(Metric::kOutboxBudget, in_.outbox_budget_bytes);
    per_shard(Metric::kSlowConnections, &ShardSnapshot::slow_connections);
    per_shard(Metric::kMailboxMessages, &ShardSnapshot::mailbox_messages);
    per_shard(Metric::kMailboxSpilled, &ShardSnapshot::mailbox_spilled);
    per_shard(Metric::kMailboxSpills, &ShardSnapshot::mailbox_spills);
    per_shard(Metric::kTurn, [](const ShardSnapshot& shard) -> const auto& { return shard.traffic.turns; });
    out_.family(Metric::kLinger);
    for (size_t i = 0; i < in_.shards.size(); ++i) {
      out_.sample_real({std::to_string(i)}, static_cast<double>(in_.shards[i].linger_us) / 1e6);
    }
  }

  void process() {
    out_.value(Metric::kProcessMemory, in_.process.resident_bytes);
    out_.value(Metric::kProcessOpenFiles, in_.process.open_files);
    out_.value(Metric::kProcessOpenFilesMax, in_.process.open_files_max);
    out_.family(Metric::kProcessCpu);
    out_.sample_real({}, in_.process.cpu_seconds);
    out_.family(Metric::kProcessStart);
    out_.sample_real({}, static_cast<double>(in_.start_unix_ms) / 1e3);
  }

  void soketi() {
    const std::string port = std::to_string(in_.port);
    const auto all = [&](Metric metric, uint64_t (*figure)(const AppFigures&)) {
      out_.family(metric);
      for (const AppFigures& app : apps_) out_.sample({app.label, port}, figure(app));
    };
    all(Metric::kSoketiConnected, [](const AppFigures& app) { return app.connections; });
    all(Metric::kSoketiConnections, [](const AppFigures& app) { return app.sessions.opened; });
    all(Metric::kSoketiDisconnections, [](const AppFigures& app) { return app.sessions.closed; });
    all(Metric::kSoketiReceivedBytes, [](const AppFigures& app) { return app.sessions.received_bytes; });
    all(Metric::kSoketiSentBytes, [](const AppFigures& app) { return app.local.delivered_bytes; });
    all(Metric::kSoketiMessagesReceived, [](const AppFigures& app) {
      uint64_t messages = 0;
      for (const uint64_t count : app.sessions.received) messages += count;
      return messages;
    });
    all(Metric::kSoketiMessagesSent, [](const AppFigures& app) { return app.local.deliveries; });
    all(Metric::kSoketiHttpReceivedBytes, [](const AppFigures& app) { return app.api.received_bytes; });
    all(Metric::kSoketiHttpSentBytes, [](const AppFigures& app) { return app.api.sent_bytes; });
    all(Metric::kSoketiHttpCalls, [](const AppFigures& app) { return app.api.requests; });
  }

  const MetricsInput& in_;
  Exposition out_;
  std::vector<AppFigures> apps_;
};

}  // namespace

std::string metrics_page(const MetricsInput& input, metrics::Format format) {
  return Page(input, format).write();
}

}  // namespace kilat::app
