// What an application signs for its clients, the same for both protocols and for the server's own answers. Pure
// functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace kilat::auth {

/// For a channel: SOCKET:CHANNEL, and :DATA where `channel_data` (an optional text) has some.
std::string channel_text(std::string_view socket_id, std::string_view channel, const auto& channel_data) {
  std::string text = std::string(socket_id) + ':' + std::string(channel);
  if (channel_data) (text += ':') += *channel_data;
  return text;
}

/// For a sign-in.
inline std::string user_text(std::string_view socket_id, std::string_view user_data) {
  return std::string(socket_id) + "::user::" + std::string(user_data);
}

}  // namespace kilat::auth
