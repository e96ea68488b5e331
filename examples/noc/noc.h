// System 4: a network operations centre. It polls devices, raises alerts, measures this machine, and bills customers,
// and tells its pages by Socket.IO. See README.md for its routes, rooms and events.
#pragma once

#include <memory>

#include "common/system.h"

namespace examples {

std::unique_ptr<System> make_noc(const Settings& settings);

}  // namespace examples
