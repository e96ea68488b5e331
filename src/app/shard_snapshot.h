// What a shard tells about itself for a scrape or a dump: copied out by its own thread between two turns.
// Plain values. Bound: a few KiB, and about 200 bytes for each app.
#pragma once

#include <cstdint>
#include <vector>

#include "api/service.h"
#include "app/traffic.h"
#include "flow/counters.h"
#include "hub/tally.h"
#include "pusher/session.h"
#include "socketio/shard.h"

namespace kilat::app {

struct ShardSnapshot {
  // By app; vectors may be shorter than the list of apps.
  std::vector<hub::LocalTally> local;
  std::vector<hub::HomeTally> home;
  std::vector<pusher::Tally> sessions;
  std::vector<api::Service::Tally> api;
  std::vector<std::vector<flow::FlowCounters>> flow;  ///< by rule

  Traffic traffic;
  ReasonCounts message_refusals{};
  socketio::Tally socketio;
  hub::AppIndex socketio_app = 0;  ///< whose connections these are
  uint64_t connections = 0;        ///< TCP, sessions among them
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  uint64_t send_calls = 0;
  uint64_t outbox_bytes = 0;
  uint64_t outbox_frames = 0;
  uint64_t input_bytes = 0;  ///< of unfinished messages and requests
  uint64_t slow_connections = 0;
  uint64_t mailbox_messages = 0;
  uint64_t mailbox_spilled = 0;
  uint64_t mailbox_spills = 0;
  uint64_t cached_bytes = 0;
  uint64_t history_bytes = 0;
  uint64_t local_channels = 0;
  uint64_t home_channels = 0;
  uint64_t pending_requests = 0;
  uint64_t timers = 0;
  uint32_t linger_us = 0;
  bool accepting = true;  ///< false while no descriptor is left
  bool draining = false;

  uint64_t sessions_open() const {
    uint64_t count = 0;
    for (const pusher::Tally& tally : sessions) count += tally.opened - tally.closed;
    return count;
  }
};

}  // namespace kilat::app
