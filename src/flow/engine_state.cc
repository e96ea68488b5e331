#include "flow/engine_state.h"

#include <algorithm>
#include <new>
#include <utility>

namespace kilat::flow {
namespace {

void attach(Spot& spot, Lane& lane) {
  spot.recent = &lane;
  if (lane.spot != nullptr) return;
  lane.spot = &spot;
  ++spot.lanes;
}

// Nobody could decrypt an event made of several, or one that was never encrypted.
bool unreadable(const Spot& spot, const Event& event) {
  return spot.target.starts_with(kEncryptedPrefix) ||
         (spot.state->rule->combines() && event.channel.starts_with(kEncryptedPrefix));
}

}  // namespace

EngineState::EngineState(EventData* shared)
    : own_data(shared == nullptr ? std::make_unique<EventData>() : nullptr),
      stage(shared == nullptr ? *own_data : *shared) {}

Route& EngineState::route_of(const Event& event) {
  const auto found = routes.find(event.channel);
  return found != routes.end() ? *found->second : add_route(event);
}

Route& EngineState::add_route(const Event& event) {
  if (routes.size() >= routes_max_) drop_idle_routes();
  auto route = std::make_unique<Route>();
  route->channel = event.channel;
  std::vector<auth::Captured> captures;
  for (const std::unique_ptr<RuleState>& state : rules) {
    const FlowRule& rule = *state->rule;
    if (!rule.pattern.match(event.channel, event.bare, captures)) continue;
    route->spots.push_back({state.get(), rule.to ? rule.to->fill_in(captures) : std::string()});
  }
  const std::string_view name = route->channel;
  return *routes.emplace(name, std::move(route)).first->second;
}

// The next time only when there are twice as many as are in use, so that its cost is spread over the channels that
// came.
void EngineState::drop_idle_routes() {
  boost::unordered::erase_if(routes, [](const auto& entry) { return entry.second->idle(); });
  routes_max_ = std::max(kRoutesMax, 2 * routes.size());
}

void EngineState::forget_routes() {
  for (const std::unique_ptr<RuleState>& state : rules) {
    for (const auto& [id, lane] : state->lanes) lane->spot = nullptr;
  }
  routes.clear();
}

Lane* EngineState::find_lane(Spot& spot, std::string_view id) {
  const auto found = spot.state->lanes.find(id);
  if (found == spot.state->lanes.end()) return nullptr;
  attach(spot, *found->second);
  return found->second.get();
}

// Null, and counted, when the rule has no room for a new one.
Lane* EngineState::lane_of(Spot& spot, const Event& event) {
  const bool parted = spot.state->rule->parted_by_name();
  if (spot.recent != nullptr) {
    const std::string_view id = spot.recent->id();
    if (!parted || id.substr(event.channel.size() + 1) == event.event) return spot.recent;
  }
  // No name of a channel has a zero byte.
  std::string& id = stage.scratch;
  id = event.channel;
  if (parted) {
    id += '\0';
    id += event.event;
  }
  if (Lane* lane = find_lane(spot, id)) return lane;
  std::unique_ptr<Lane> lane = make_lane(stage, *spot.state, {id, event.channel, spot.target});
  if (!lane) return nullptr;
  Lane& made = *lane;
  spot.state->lanes.emplace(made.id(), std::move(lane));
  attach(spot, made);
  return &made;
}

Lane::Outcome EngineState::take(Spot& spot, const Event& event, uint8_t depth) {
  Lane* lane = nullptr;
  FlowCounters& counters = spot.state->counters;
  if (unreadable(spot, event)) {
    ++counters.in;
    ++counters.encrypted;
    return Lane::Outcome::kUnfit;
  }
  try {
    lane = lane_of(spot, event);
    const Lane::Outcome outcome = lane == nullptr ? Lane::Outcome::kUnfit : lane->take(event, depth);
    if (outcome == Lane::Outcome::kAsIs) {
      if (spot.target.empty() && spot.state->rule->as.empty()) {
        ++counters.out;
      } else {
        lane->emit(event.event, std::string(event.data), depth, event.origin);
      }
    }
    ++counters.in;
    if (outcome == Lane::Outcome::kUnfit && lane != nullptr && lane->idle()) destroy(*lane);
    return outcome;
  } catch (...) {
    if (lane != nullptr && lane->idle()) destroy(*lane);
    throw;
  }
}

void EngineState::fire(DueNode& node) {
  try {
    Lane& lane = node.on_due();
    if (lane.idle()) destroy(lane);
  } catch (const std::bad_alloc&) {
    node.wait_until(stage.now_ms + kRetryMs);
  }
}

void EngineState::destroy(Lane& lane) {
  auto& lanes = lane.state().lanes;
  lanes.erase(lanes.find(std::string_view(lane.id())));
}

}  // namespace kilat::flow
