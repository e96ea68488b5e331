// The fleet of reverse vending machines: the second of the four systems. See README.md.
#pragma once

#include <memory>

#include "common/system.h"

namespace examples {

/// Environment: REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET name the app. RVM_SIMULATION=off: nothing happens
/// by itself. RVM_SIMULATION_MS: how often it steps (1500). RVM_TOKEN_SECONDS: how long a login lasts (28800).
std::unique_ptr<System> make_rvm(const Settings& settings);

}  // namespace examples
