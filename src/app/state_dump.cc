#include "app/state_dump.h"

#include <algorithm>
#include <initializer_list>
#include <ranges>
#include <utility>

#include "app/metrics_page.h"
#include "base/json_text.h"
#include "config/diff.h"

namespace kilat::app {
namespace {

using Members = std::initializer_list<std::pair<std::string_view, uint64_t>>;

void append_members(std::string& out, Members members) {
  for (const auto& [name, value] : members) {
    if (out.back() != '{') out += ',';
    out += json_string(name) + ":" + std::to_string(value);
  }
}

std::string shard_json(const ShardSnapshot& shard, bool responding) {
  std::string out = "{";
  append_members(out, {{"connections", shard.connections},
                       {"sessions", shard.sessions_open()},
                       {"slow_connections", shard.slow_connections},
                       {"outbox_bytes", shard.outbox_bytes},
                       {"input_bytes", shard.input_bytes},
                       {"mailbox_messages", shard.mailbox_messages},
                       {"mailbox_spilled", shard.mailbox_spilled},
                       {"home_channels", shard.home_channels},
                       {"local_channels", shard.local_channels},
                       {"cached_bytes", shard.cached_bytes},
                       {"history_bytes", shard.history_bytes},
                       {"pending_requests", shard.pending_requests},
                       {"linger_us", shard.linger_us},
                       {"turns", shard.traffic.turns.count()}});
  out += std::string(R"(,"responding":)") + (responding ? "true" : "false");
  out += std::string(R"(,"accepting":)") + (shard.accepting ? "true" : "false");
  out += std::string(R"(,"draining":)") + (shard.draining ? "true" : "false");
  return out + "}";
}

std::string app_json(const DumpInput& input, size_t index) {
  const hub::App& app = input.apps[static_cast<hub::AppIndex>(index)];
  hub::LocalTally local;
  hub::HomeTally home;
  for (const ShardSnapshot& shard : input.shards) {
    if (index < shard.local.size()) {
      local.subscriptions += shard.local[index].subscriptions;
      local.deliveries += shard.local[index].deliveries;
    }
    if (index < shard.home.size()) {
      home.channels += shard.home[index].channels;
      home.members += shard.home[index].members;
    }
  }
  std::string out = R"({"id":)" + json_string(app.settings.id);
  append_members(out, {{"connections", app.connections.load(std::memory_order_relaxed)},
                       {"channels", home.channels},
                       {"subscriptions", local.subscriptions},
                       {"presence_members", home.members},
                       {"deliveries", local.deliveries}});
  return out + "}";
}

}  // namespace

std::string state_dump(const DumpInput& input) {
  std::string out = R"({"version":)" + json_string(metrics::build_version());
  append_members(out, {{"port", input.port},
                       {"uptime_ms", input.uptime_ms},
                       {"resident_bytes", input.process.resident_bytes},
                       {"open_files", input.process.open_files},
                       {"open_files_max", input.process.open_files_max}});
  out += R"(,"not_ready":[)";
  for (size_t i = 0; i < input.causes.size(); ++i) out += (i > 0 ? "," : "") + json_string(input.causes[i].id);
  out += R"(],"shards":[)";
  for (size_t i = 0; i < input.shards.size(); ++i) {
    out += (i > 0 ? "," : "") + shard_json(input.shards[i], input.responding[i]);
  }
  out += R"(],"apps":[)";
  size_t shown = 0;
  size_t present = 0;
  for (size_t i = 0; i < input.apps.size(); ++i) {
    if (!input.apps[static_cast<hub::AppIndex>(i)].present) continue;
    if (++present > kAppsShown) continue;
    out += (shown++ > 0 ? "," : "") + app_json(input, i);
  }
  out += R"(],"apps_not_shown":)" + std::to_string(present - shown);
  // What differs from the defaults, as `kilat check --diff` shows it: secrets are masked there.
  config::Settings defaults;
  for (const hub::AppSettings& app : input.settings.apps | std::views::take(kAppsShown)) {
    hub::AppSettings& plain = defaults.apps.emplace_back();
    plain.id = app.id;
    plain.key = app.key;
    plain.secret = app.secret;
  }
  config::Settings shown_settings = input.settings;
  shown_settings.apps.resize(defaults.apps.size());
  out += R"(,"settings":{)";
  bool first = true;
  for (const config::Change& change : config::diff(defaults, shown_settings)) {
    out += (std::exchange(first, false) ? "" : ",") + json_string(change.path) + ":" + json_string(change.after);
  }
  return out + "}}";
}

}  // namespace kilat::app
