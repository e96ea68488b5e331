#include "socketio/emit_audience.h"

#include <algorithm>

#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

bool reads(const hub::Subscriber& reader, std::string_view channel) {
  const hub::Subscription* subscription = reader.find(channel);
  return subscription != nullptr && subscription->reads();
}

}  // namespace

bool LeftOut::cover(const hub::Subscriber& reader) const {
  return std::ranges::find(sockets, reader.socket_id()) != sockets.end() ||
         std::ranges::any_of(channels, [&](const std::string& channel) { return reads(reader, channel); });
}

bool EmitAudience::carries_to(const hub::Subscriber& socket) const {
  return std::ranges::any_of(carriers_, [&](const std::string& carrier) { return reads(socket, carrier); });
}

size_t EmitAudience::bytes() const {
  size_t sum = sizeof *this + except_.sockets.size() * sizeof(hub::SocketId);
  for (const auto* names : {&carriers_, &except_.channels}) {
    for (const std::string& name : *names) sum += sizeof(std::string) + name.size();
  }
  return sum;
}

bool EmitAudience::includes(const hub::Subscriber& reader, std::string_view channel) const {
  if (except_.cover(reader)) return false;
  if (!is_socket(reader)) return true;
  for (const std::string& carrier : carriers_) {
    if (carrier == channel) return true;
    if (reads(reader, carrier)) return false;
  }
  return true;
}

}  // namespace kilat::socketio
