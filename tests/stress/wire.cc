#include "stress/wire.h"

#include "auth/hmac.h"
#include "base/json_text.h"
#include "hub/channel_name.h"

namespace kilat::stress {

std::string signed_target(std::string_view method, std::string_view path, Parameters parameters, std::string_view body,
                          uint64_t unix_seconds) {
  const std::string target = "/apps/" + std::string(kAppId) + std::string(path);
  parameters["auth_key"] = kAppKey;
  parameters["auth_timestamp"] = std::to_string(unix_seconds);
  parameters["auth_version"] = "1.0";
  if (!body.empty()) parameters["body_md5"] = auth::md5_hex(body);
  std::string query;
  for (const auto& [name, value] : parameters) query.append(query.empty() ? "" : "&").append(name + "=" + value);
  const std::string text = std::string(method) + "\n" + target + "\n" + query;
  return target + "?" + query + "&auth_signature=" + auth::hmac_sha256_hex(kAppSecret, text);
}

std::string configuration(const ServerChoices& choices) {
  const auto number = [](std::string_view key, uint64_t value) {
    return std::string(key) + " = " + std::to_string(value) + "\n";
  };
  std::string out = "[server]\nlisten = \"127.0.0.1:0\"\ndrain_ms = 1000\n" + number("shards", choices.shards);
  out += "[log]\nlevel = \"info\"\nformat = \"json\"\n[http]\n";
  out += number("handshake_timeout_ms", 600'000) + number("request_timeout_ms", 600'000);
  out += number("keep_alive_timeout_ms", 600'000) + "[limits]\n" + number("mailbox_slots", choices.mailbox_slots);
  out += number("linger_ms_max", choices.linger_ms_max);
  out += "outbox_bytes_max = \"64MiB\"\noutbox_soft_bytes = \"64MiB\"\n[socketio]\ncompression = ";
  out += choices.socketio_compression ? "true\n" : "false\n";
  out += number("ping_interval_ms", uint64_t{choices.activity_timeout_s} * 1000) + number("ping_timeout_ms", 600'000);
  out += number("upgrade_timeout_ms", 600'000) + number("connect_timeout_ms", 600'000) + "[[app]]\n";
  out += "id = " + json_string(kAppId) + "\nkey = " + json_string(kAppKey) + "\nsecret = " + json_string(kAppSecret);
  out += "\nclient_events = true\nclient_events_per_second = 0\nclient_messages_per_second = 0\n";
  out += number("activity_timeout_s", choices.activity_timeout_s) + number("pong_timeout_ms", 600'000);
  out += number("presence_members_max", choices.members_max) + "subscription_count = ";
  out += choices.subscription_count ? "true\n" : "false\n";
  return out + "compression = " + json_string(choices.compression) + "\n";
}

std::string subscription(std::string_view channel, std::string_view socket_id, std::string_view channel_data) {
  std::string out = R"({"channel":)" + json_string(channel);
  if (hub::kind_of(channel).needs_signature()) {
    std::string text = std::string(socket_id) + ":" + std::string(channel);
    if (!channel_data.empty()) text.append(":").append(channel_data);
    out += R"(,"auth":)" + json_string(std::string(kAppKey) + ":" + auth::hmac_sha256_hex(kAppSecret, text));
    if (!channel_data.empty()) out += R"(,"channel_data":)" + json_string(channel_data);
  }
  return out + "}";
}

std::string subscribe_message(std::string_view channel, std::string_view socket_id, std::string_view channel_data) {
  return R"({"event":"pusher:subscribe","data":)" + subscription(channel, socket_id, channel_data) + "}";
}

std::string unsubscribe_message(std::string_view channel) {
  return R"({"event":"pusher:unsubscribe","data":{"channel":)" + json_string(channel) + "}}";
}

std::string client_event_message(std::string_view channel, std::string_view data) {
  return R"({"event":"client-e","channel":)" + json_string(channel) + R"(,"data":)" + json_string(data) + "}";
}

std::string event_body(std::span<const std::string> channels, std::string_view data, std::string_view socket_id) {
  std::string out = R"({"name":"e","data":)" + json_string(data);
  if (channels.size() == 1) {
    out += R"(,"channel":)" + json_string(channels.front());
  } else {
    out += R"(,"channels":[)";
    for (const std::string& channel : channels) {
      if (out.back() != '[') out += ',';
      out += json_string(channel);
    }
    out += ']';
  }
  if (!socket_id.empty()) out += R"(,"socket_id":)" + json_string(socket_id);
  return out + "}";
}

std::string emit_body(std::string_view room, std::string_view text) {
  return R"({"event":"e","args":[)" + json_string(text) + R"(],"rooms":[)" + json_string(room) + "]}";
}

}  // namespace kilat::stress
