// The texts that the stress program sends: configuration, Pusher messages, API bodies. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace kilat::stress {

inline constexpr std::string_view kAppId = "stress";
inline constexpr std::string_view kAppKey = "stress-key";
inline constexpr std::string_view kAppSecret = "stress-secret";
inline constexpr std::string_view kSocketPath = "/app/stress-key?protocol=7";
inline constexpr std::string_view kEnginePath = "/socket.io/?EIO=4&transport=";
inline constexpr std::string_view kPing = R"({"event":"pusher:ping","data":{}})";

struct ServerChoices {
  uint32_t shards = 3;
  uint32_t mailbox_slots = 65'536;
  uint32_t linger_ms_max = 5;
  uint32_t activity_timeout_s = 120;
  uint32_t members_max = 100;
  bool subscription_count = true;
  std::string compression = "off";
  bool socketio_compression = false;
};

/// Query parameters by name; of letters, digits and `-_`, so that nothing is to be escaped.
using Parameters = std::map<std::string, std::string>;

/// Path and signed query of an API request (docs/http-api.md). `path` stands below /apps/ID.
std::string signed_target(std::string_view method, std::string_view path, Parameters parameters, std::string_view body,
                          uint64_t unix_seconds);

/// kilat.toml. Time limits are generous: a stopped machine must not look like a lazy client.
std::string configuration(const ServerChoices& choices);

/// The channel with what a subscribe takes, as an object: what both protocols have in common.
std::string subscription(std::string_view channel, std::string_view socket_id, std::string_view channel_data);

/// `auth` of a channel is added where its kind needs one. `channel_data` empty: none.
std::string subscribe_message(std::string_view channel, std::string_view socket_id, std::string_view channel_data);
std::string unsubscribe_message(std::string_view channel);
std::string client_event_message(std::string_view channel, std::string_view data);

/// Body of POST /events, and the entries of POST /batch_events. `socket_id` empty: nobody is excluded.
std::string event_body(std::span<const std::string> channels, std::string_view data, std::string_view socket_id);

/// Body of POST /socketio/emit to one room, with one text.
std::string emit_body(std::string_view room, std::string_view text);

}  // namespace kilat::stress
