#include "socketio/options.h"

#include <array>

namespace kilat::socketio {
namespace {

// The longest first, because one begins with another.
constexpr std::array<std::string_view, 5> kKindPrefixes{"private-encrypted-cache-", "private-encrypted-",
                                                        "private-cache-", "private-", "presence-cache-"};

size_t kind_prefix(std::string_view name) {
  for (const std::string_view prefix : kKindPrefixes) {
    if (name.starts_with(prefix)) return prefix.size();
  }
  if (name.starts_with("presence-")) return std::string_view("presence-").size();
  if (name.starts_with("cache-")) return std::string_view("cache-").size();
  return 0;
}

}  // namespace

std::string channel_of(std::string_view room, std::string_view scope) {
  const size_t prefix = scope.empty() ? 0 : kind_prefix(room);
  std::string channel(room.substr(0, prefix));
  channel += scope;
  channel += room.substr(prefix);
  return channel;
}

std::string room_of(std::string_view channel, std::string_view scope) {
  const size_t prefix = scope.empty() ? 0 : kind_prefix(channel);
  if (!channel.substr(prefix).starts_with(scope)) return std::string(channel);
  std::string room(channel.substr(0, prefix));
  room += channel.substr(prefix + scope.size());
  return room;
}

}  // namespace kilat::socketio
