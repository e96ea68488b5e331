// Bookings and availability: sessions with a capacity, bookings that hold, pay, expire and cancel, and screens that see
// every free slot go and come back. systems.md of its authors: Laravel Reverb with Echo, in React and in Vue.
#pragma once

#include <memory>

#include "common/system.h"

namespace examples {

std::unique_ptr<System> make_booking(const Settings& settings);

}  // namespace examples
