// The conversations that the fault tests play: each goes once through a part of the server, whatever fails on the way.
// Owner: the tests. A scenario judges nothing but that it works when nothing fails (`worked`).
#pragma once

#include <span>
#include <string_view>

#include "fake_net/client.h"
#include "fake_net/world.h"

namespace kilat::faults {

using fake_net::Client;
using fake_net::World;

struct Scenario {
  std::string_view name;
  /// Returns whether all that had to be answered was.
  bool (*play)(World& world);
};

std::span<const Scenario> http_scenarios();
std::span<const Scenario> pusher_scenarios();
std::span<const Scenario> socketio_scenarios();

/// A client of `shard` that is upgraded and has its socket id, unless something failed.
Client connected(World& world, uint32_t shard, fake_net::App app = {}, std::string_view headers = {});

/// A channel with this prefix whose home is `shard`.
std::string channel_on(World& world, uint32_t shard, std::string_view prefix = {});

}  // namespace kilat::faults
