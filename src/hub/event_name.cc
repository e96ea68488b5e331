#include "hub/event_name.h"

#include <algorithm>
#include <array>

namespace kilat::hub {
namespace {

constexpr std::array<std::string_view, 6> kReserved{"connect",       "connect_error", "disconnect",
                                                    "disconnecting", "newListener",   "removeListener"};

}  // namespace

bool reserved_by_socketio(std::string_view event) {
  return std::ranges::find(kReserved, event) != kReserved.end();
}

}  // namespace kilat::hub
