#include "fake_net/world.h"

#include <algorithm>

#include "base/memory_reserve.h"

namespace kilat::fake_net {

config::Settings world_settings(uint32_t shards) {
  config::Settings settings;
  settings.server.port = 0;
  settings.server.shards = shards;
  settings.server.drain_ms = 1'000;
  settings.server.live_page = true;
  settings.limits.mailbox_slots = 64;
  settings.limits.outbox_bytes_max = 64 * 1024;
  settings.limits.outbox_soft_bytes = 16 * 1024;
  settings.limits.message_bytes_max = 32 * 1024;
  settings.http.body_bytes_max = 64 * 1024;
  hub::AppSettings app;
  app.id = "3";
  app.key = "app-key";
  app.secret = "app-secret";
  app.client_events = true;
  app.client_events_per_second = 0;
  app.client_messages_per_second = 0;
  app.subscription_count = true;
  app.cache_ttl_s = 5;
  app.presence_members_max = 4;
  app.max_connections = 40;
  settings.apps.push_back(app);
  app.id = "4";
  app.key = "shared-key";
  app.compression = hub::Compression::kShared;
  app.flow = {"conflating conflate=100ms key=/id"};
  settings.apps.push_back(app);
  app.flow.clear();
  app.id = "5";
  app.key = "own-key";
  app.compression = hub::Compression::kDedicated;
  settings.apps.push_back(app);
  return settings;
}

World::World(const config::Settings& settings, uint64_t seed) {
  begin(seed);
  memory::keep_reserve();
  const uint32_t count = settings.server.shards;
  const InServer serving_now;
  common_ = std::make_unique<app::Common>(settings, count);
  for (uint32_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<app::Shard>(*common_, i));
    listeners_.push_back(fake_net::listener());
    shards_.back()->listen(listeners_.back());
  }
  alive_.assign(count, true);
}

World::~World() {
  end();
}

bool World::step(uint32_t shard) {
  if (!alive_[shard]) return false;
  const InServer serving_now;
  if (!shards_[shard]->step()) alive_[shard] = false;
  return alive_[shard];
}

bool World::mail_waits() {
  for (uint32_t from = 0; from < size(); ++from) {
    for (uint32_t to = 0; to < size(); ++to) {
      if (alive_[to] && common_->mail.ring(from, to).size_approx() > 0) return true;
    }
  }
  return false;
}

void World::settle() {
  // A reader that is never ready and a writer that always is would go on for ever: the bound is far above what moves.
  for (int quiet = 0, round = 0; quiet < 2 && round < 10'000; ++round) {
    const uint64_t before = activity();
    for (uint32_t i = 0; i < size(); ++i) step(i);
    quiet = activity() == before && !mail_waits() ? quiet + 1 : 0;
  }
}

void World::pass(uint64_t ms) {
  const uint64_t hop_ms = std::max<uint64_t>(250, ms / 16);
  settle();
  while (ms > 0) {
    const uint64_t hop = std::min(hop_ms, ms);
    advance_us(hop * 1'000);
    settle();
    ms -= hop;
  }
}

void World::ask(app::Shard::Request request) {
  for (const auto& shard : shards_) shard->ask(request);
}

std::string World::leftovers() {
  for (uint32_t i = 0; i < size(); ++i) {
    app::Shard& shard = *shards_[i];
    const std::string where = " on shard " + std::to_string(i);
    if (shard.connection_count() != 0) return std::to_string(shard.connection_count()) + " connections" + where;
    if (shard.reactor().cost() != 0) return "outbox bytes" + where;
    if (shard.reactor().has_slow()) return "slow streams" + where;
    if (shard.service().pending() != 0) return "requests without an answer" + where;
    const hub::ShardHub& hub = shard.pusher().hub;
    if (const_cast<hub::ShardHub&>(hub).local().channel_count() != 0) return "channels with readers" + where;
    if (hub.home().channel_count() != 0) return "channels at home" + where;
    if (shard.apps().connections() != 0) return "connections in the server's quota";
    for (size_t app = 0; app < shard.apps().size(); ++app) {
      if (shard.apps()[static_cast<hub::AppIndex>(app)].connections != 0) return "connections in an app's quota";
    }
  }
  return {};
}

std::string World::end() {
  if (std::exchange(ended_, true)) return {};
  ask(app::Shard::Request::kStop);
  for (uint32_t i = 0; i < size(); ++i) {
    while (step(i)) {
    }
  }
  {
    const InServer serving_now;
    for (const auto& shard : shards_) shard->end();
    shards_.clear();
    common_.reset();
  }
  const int open = fake_net::end();
  // The listening sockets that no connection reached are the server's as well.
  return open == 0 ? std::string() : std::to_string(open) + " descriptors";
}

}  // namespace kilat::fake_net
