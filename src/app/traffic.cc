#include "app/traffic.h"

namespace kilat::app {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(HttpRoute::kCount)> kNames{
    "events",   "batch_events",          "channels",        "channel", "users",  "connections", "tail", "ingest",
    "readings", "terminate_connections", "force_reconnect", "upgrade", "health", "metrics",     "live", "preflight",
    "other"};

}  // namespace

std::string_view route_name(HttpRoute route) {
  return kNames[static_cast<size_t>(route)];
}

HttpRoute api_route_of(std::string_view path) {
  path.remove_prefix(std::string_view("/apps/").size());
  const size_t begin = path.find('/');
  if (begin == std::string_view::npos) return HttpRoute::kOther;
  path.remove_prefix(begin + 1);
  const size_t end = path.find('/');
  const std::string_view what = path.substr(0, end);
  const bool more = end != std::string_view::npos;
  if (what == "events") return more ? HttpRoute::kOther : HttpRoute::kEvents;
  if (what == "batch_events") return more ? HttpRoute::kOther : HttpRoute::kBatchEvents;
  if (what == "connections") return more ? HttpRoute::kOther : HttpRoute::kConnections;
  if (what == "tail") return more ? HttpRoute::kOther : HttpRoute::kTail;
  if (what == "ingest") return HttpRoute::kIngest;
  if (what == "readings" || what == "sensors") return more ? HttpRoute::kOther : HttpRoute::kReadings;
  if (what == "channels" && !more) return HttpRoute::kChannels;
  if (what == "channels") return path.ends_with("/users") ? HttpRoute::kUsers : HttpRoute::kChannel;
  if (what == "users" && path.ends_with("/terminate_connections")) return HttpRoute::kTerminate;
  if (what == "users" && path.ends_with("/force_reconnect")) return HttpRoute::kForceReconnect;
  return HttpRoute::kOther;
}

}  // namespace kilat::app
