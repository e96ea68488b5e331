// Bodies of the answers to channel queries (docs/http-api.md). Pure functions; any thread.
#pragma once

#include <span>
#include <string>

#include "api/event_body.h"
#include "hub/command.h"

namespace kilat::api {

/// {"user_count":2} or {"subscription_count":5}: presence channels have users, all others subscriptions. With the
/// position of the event that was published, where that is wanted; null where the channel has no history.
std::string counts_json(const hub::ChannelCounts& counts, Info info);

std::string channels_json(std::span<const hub::ChannelCounts> channels, Info info);
std::string channel_json(const std::string& name, const hub::QueryReply& reply, Info info);
std::string users_json(const hub::QueryReply& reply);

}  // namespace kilat::api
