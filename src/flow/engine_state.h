// EngineState: the inside of an Engine: what the channels' events meet. Owner: one Engine.
// Bounds: kRoutesMax channels that hold nothing; the others are bounded by the rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flow/lane.h"
#include "flow/route.h"
#include "flow/rule_set.h"
#include "flow/stage.h"

namespace kilat::flow {

struct EngineState {
  static constexpr size_t kRoutesMax = 10'000;
  static constexpr uint64_t kRetryMs = 100;

  /// `shared`: see Engine.
  explicit EngineState(EventData* shared);

  // The order matters: a lane points at the stage, its rule and its route until it is destroyed.
  std::unique_ptr<EventData> own_data;
  Stage stage;
  KeyMap<std::unique_ptr<Route>> routes;  ///< by channel; those that no rule fits as well
  std::vector<std::unique_ptr<RuleState>> rules;

  /// The route of the event's channel, made when it is new.
  Route& route_of(const Event& event);
  /// Makes routes anew from now on.
  void forget_routes();
  /// An event for one rule, which is about it; sends it at once where that is what the rule says.
  Lane::Outcome take(Spot& spot, const Event& event, uint8_t depth);
  /// A node is due. Without memory it comes again later.
  void fire(DueNode& node);

 private:
  Route& add_route(const Event& event);
  void drop_idle_routes();
  Lane* lane_of(Spot& spot, const Event& event);
  static Lane* find_lane(Spot& spot, std::string_view id);
  static void destroy(Lane& lane);

  size_t routes_max_ = kRoutesMax;  ///< at so many the idle ones are dropped
};

}  // namespace kilat::flow
