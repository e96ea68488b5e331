// AppFlow: the flow rules of one app at one home, and the time at which they have something to say. See HomeHub.
#pragma once

#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "flow/engine.h"
#include "hub/ids.h"

namespace kilat::hub {

class HomeHub;

struct AppFlow : Timer {
  AppFlow(Callback callback, HomeHub& hub_in, AppIndex app_in)
      : Timer(callback), hub(hub_in), app(app_in), engine(std::make_shared<const flow::RuleSet>()) {}
  HomeHub& hub;
  AppIndex app;
  std::vector<std::string> texts;
  flow::Engine engine;
  bool fresh = false;  ///< rules have seen an event since they were last flushed
};

}  // namespace kilat::hub
