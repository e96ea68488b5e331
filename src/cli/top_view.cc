#include "cli/top_view.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>

#include "cli/failure.h"

namespace kilat::cli {
namespace {

double per_second(double before, double now, double seconds) {
  return now < before ? 0 : (now - before) / seconds;  // a counter that went back: the server was restarted
}

std::string label(const MetricSample& sample, std::string_view name) {
  const auto found = sample.labels.find(name);
  return found == sample.labels.end() ? std::string() : found->second;
}

std::string count(double value) {
  constexpr std::array<const char*, 4> kUnits{"", "k", "M", "G"};
  size_t unit = 0;
  while (value >= 9'999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f%s" : "%.1f%s", value, kUnits[unit]);
  return out.data();
}

std::string bytes(double value) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return out.data();
}

std::string duration(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%lldd %02lld:%02lld:%02lld", whole / 86'400, whole / 3'600 % 24,
                whole / 60 % 60, whole % 60);
  return out.data();
}

std::string milliseconds(double value) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.2f ms", value);
  return out.data();
}

}  // namespace

TopFigures top_figures(const MetricsText& before, const MetricsText& now, double seconds) {
  const auto rate = [&](std::string_view name) { return per_second(before.sum(name), now.sum(name), seconds); };
  TopFigures out;
  if (const auto& build = now.samples("kilat_build_info"); !build.empty()) out.version = label(build[0], "version");
  out.uptime_s = now.sum("kilat_uptime_seconds");
  out.ready = now.sum("kilat_ready") > 0;
  out.draining = now.sum("kilat_draining") > 0;
  out.shards = now.sum("kilat_shards");
  out.connections = now.sum("kilat_connections", "protocol", "pusher");
  out.http_connections = now.sum("kilat_connections", "protocol", "http");
  out.opened_per_s = per_second(before.sum("kilat_connections_opened_total", "protocol", "pusher"),
                                now.sum("kilat_connections_opened_total", "protocol", "pusher"), seconds);
  out.closed_per_s = per_second(before.sum("kilat_connections_closed_total", "protocol", "pusher"),
                                now.sum("kilat_connections_closed_total", "protocol", "pusher"), seconds);
  out.received_per_s = rate("kilat_messages_received_total");
  out.published_per_s = rate("kilat_published_total");
  out.deliveries_per_s = rate("kilat_deliveries_total");
  out.sent_bytes_per_s = rate("kilat_network_sent_bytes_total");
  out.refusals_per_s = rate("kilat_refusals_total");
  out.fanout_p50_ms = 1e3 * quantile_between(before, now, "kilat_fanout_seconds", 0.5);
  out.fanout_p99_ms = 1e3 * quantile_between(before, now, "kilat_fanout_seconds", 0.99);
  out.turn_p99_ms = 1e3 * quantile_between(before, now, "kilat_turn_seconds", 0.99);
  out.outbox_bytes = now.sum("kilat_outbox_bytes");
  out.slow_closes = now.sum("kilat_slow_closes_total");
  out.memory_bytes = now.sum("process_resident_memory_bytes");
  out.cpu_percent = 100 * rate("process_cpu_seconds_total");
  out.open_files = now.sum("process_open_fds");
  for (const MetricSample& sample : now.samples("kilat_subscriptions")) {
    const std::string id = label(sample, "app");
    const auto of = [&](std::string_view name) { return now.sum(name, "app", id); };
    const auto app_rate = [&](std::string_view name) {
      return per_second(before.sum(name, "app", id), now.sum(name, "app", id), seconds);
    };
    out.apps.push_back({id, of("kilat_connections"), of("kilat_channels"), sample.value,
                        app_rate("kilat_messages_received_total"), app_rate("kilat_published_total"),
                        app_rate("kilat_deliveries_total")});
  }
  std::ranges::sort(out.apps, [](const TopApp& a, const TopApp& b) {
    if (a.deliveries_per_s != b.deliveries_per_s) return a.deliveries_per_s > b.deliveries_per_s;
    return a.connections != b.connections ? a.connections > b.connections : a.id < b.id;
  });
  return out;
}

std::string top_page(const TopFigures& f, size_t rows) {
  std::string out = "kilat " + fit_for_terminal(f.version) + "   up " + duration(f.uptime_s) + "   " + count(f.shards) +
                    (f.shards == 1 ? " shard" : " shards") + "   " +
                    (f.draining ? "DRAINING"
                     : f.ready  ? "ready"
                                : "NOT READY") +
                    "\n\n";
  out += "  connections  " + count(f.connections) + " + " + count(f.http_connections) + " http   opened " +
         count(f.opened_per_s) + "/s   closed " + count(f.closed_per_s) + "/s\n";
  out += "  messages     in " + count(f.received_per_s) + "/s   published " + count(f.published_per_s) +
         "/s   delivered " + count(f.deliveries_per_s) + "/s   " + bytes(f.sent_bytes_per_s) + "/s\n";
  out += "  fan-out      p50 " + milliseconds(f.fanout_p50_ms) + "   p99 " + milliseconds(f.fanout_p99_ms) +
         "   loop turn p99 " + milliseconds(f.turn_p99_ms) + "\n";
  out += "  queues       outboxes " + bytes(f.outbox_bytes) + "   slow readers closed " + count(f.slow_closes) +
         "   refused " + count(f.refusals_per_s) + "/s\n";
  out += "  process      memory " + bytes(f.memory_bytes) + "   processor " + count(std::round(f.cpu_percent)) +
         " %   files " + count(f.open_files) + "\n\n";
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), "  %-24s %11s %9s %13s %9s %11s %11s\n", "app", "connections", "channels",
                "subscriptions", "in/s", "published/s", "delivered/s");
  out += line.data();
  constexpr size_t kLinesAbove = 9;
  const size_t room = rows > kLinesAbove + 1 ? rows - kLinesAbove : 1;
  for (size_t i = 0; i < f.apps.size() && i < room; ++i) {
    const TopApp& app = f.apps[i];
    std::snprintf(line.data(), line.size(), "  %-24.24s %11s %9s %13s %9s %11s %11s\n",
                  fit_for_terminal(app.id).c_str(), count(app.connections).c_str(), count(app.channels).c_str(),
                  count(app.subscriptions).c_str(), count(app.received_per_s).c_str(),
                  count(app.published_per_s).c_str(), count(app.deliveries_per_s).c_str());
    out += line.data();
  }
  return out;
}

std::string top_json(const TopFigures& f) {
  boost::json::array apps;
  for (const TopApp& app : f.apps) {
    apps.push_back({{"id", app.id},
                    {"connections", app.connections},
                    {"channels", app.channels},
                    {"subscriptions", app.subscriptions},
                    {"received_per_s", app.received_per_s},
                    {"published_per_s", app.published_per_s},
                    {"deliveries_per_s", app.deliveries_per_s}});
  }
  const boost::json::object out{{"version", f.version},
                                {"uptime_s", f.uptime_s},
                                {"ready", f.ready},
                                {"draining", f.draining},
                                {"shards", f.shards},
                                {"connections", f.connections},
                                {"http_connections", f.http_connections},
                                {"opened_per_s", f.opened_per_s},
                                {"closed_per_s", f.closed_per_s},
                                {"received_per_s", f.received_per_s},
                                {"published_per_s", f.published_per_s},
                                {"deliveries_per_s", f.deliveries_per_s},
                                {"sent_bytes_per_s", f.sent_bytes_per_s},
                                {"refusals_per_s", f.refusals_per_s},
                                {"fanout_p50_ms", f.fanout_p50_ms},
                                {"fanout_p99_ms", f.fanout_p99_ms},
                                {"turn_p99_ms", f.turn_p99_ms},
                                {"outbox_bytes", f.outbox_bytes},
                                {"slow_closes", f.slow_closes},
                                {"memory_bytes", f.memory_bytes},
                                {"cpu_percent", f.cpu_percent},
                                {"open_files", f.open_files},
                                {"apps", std::move(apps)}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace kilat::cli
