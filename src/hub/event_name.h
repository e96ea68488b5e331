// Names of events that some clients keep for themselves. Pure functions; any thread.
#pragma once

#include <string_view>

namespace kilat::hub {

/// The six names that no socket.io client may send or get: one that gets such an event closes with a parse error.
bool reserved_by_socketio(std::string_view event);

}  // namespace kilat::hub
