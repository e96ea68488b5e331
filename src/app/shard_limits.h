// Limits of the layers below a shard, from the settings. Pure; any thread.
#pragma once

#include "app/address_table.h"
#include "config/settings.h"
#include "hub/home_hub.h"
#include "net/outbox.h"
#include "pusher/session.h"
#include "socketio/options.h"

namespace kilat::app {

inline net::OutboxLimits outbox_limits(const config::LimitSettings& limits) {
  return {.hard_bytes = limits.outbox_bytes_max,
          .soft_bytes = limits.outbox_soft_bytes,
          .soft_ms = limits.outbox_soft_ms,
          .budget_bytes = limits.shard_budget_bytes};
}

/// What one reader is given at once must leave room in its outbox.
inline hub::HomeLimits home_limits(const config::LimitSettings& limits) {
  return {.history_bytes_max = limits.history_bytes_max, .answer_bytes_max = limits.outbox_bytes_max / 2};
}

inline AddressLimits address_limits(const config::LimitSettings& limits) {
  return {.connections_max = limits.connections_per_ip_max, .connects_per_second = limits.connects_per_ip_per_second};
}

inline pusher::ShardLimits pusher_limits(const config::Settings& settings) {
  return {.message_bytes_max = settings.limits.message_bytes_max,
          .malformed_per_minute = settings.limits.malformed_per_minute,
          .strict_channel_names = settings.server.strict_channel_names};
}

/// The namespaces with the apps that they name; one whose app is not there (any more) has none of its own and is left
/// out.
socketio::Options socketio_options(const config::Settings& settings, const hub::AppTable& apps);

}  // namespace kilat::app
