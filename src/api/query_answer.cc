#include "api/query_answer.h"

#include "base/json_text.h"
#include "hub/channel_name.h"

namespace kilat::api {
namespace {

void append_counts(std::string& out, const hub::ChannelCounts& counts, Info info) {
  const bool presence = hub::kind_of(counts.channel).presence();
  if (presence && info.user_count) {
    out += R"("user_count":)";
    append_json_number(out, counts.users);
  } else if (!presence && info.subscription_count) {
    out += R"("subscription_count":)";
    append_json_number(out, counts.subscriptions);
  }
}

}  // namespace

std::string counts_json(const hub::ChannelCounts& counts, Info info) {
  std::string out = "{";
  append_counts(out, counts, info);
  if (info.position) {
    if (out.back() != '{') out += ',';
    out += R"("position":)";
    append_position(out, counts.position);
  }
  out += '}';
  return out;
}

std::string channels_json(std::span<const hub::ChannelCounts> channels, Info info) {
  std::string out = R"({"channels":{)";
  for (const hub::ChannelCounts& counts : channels) {
    if (out.back() != '{') out += ',';
    append_json_string(out, counts.channel);
    out += ':';
    out += counts_json(counts, info);
  }
  out += "}}";
  return out;
}

std::string channel_json(const std::string& name, const hub::QueryReply& reply, Info info) {
  const hub::ChannelCounts counts =
      reply.channels.empty() ? hub::ChannelCounts{name, 0, 0, {}} : reply.channels.front();
  std::string out = R"({"occupied":)";
  out += counts.subscriptions > 0 ? "true" : "false";
  std::string numbers;
  append_counts(numbers, counts, info);
  if (!numbers.empty()) out += ',' + numbers;
  if (info.cache && hub::kind_of(name).cache) {
    out += R"(,"cache":)";
    if (reply.cached) {
      out += R"({"data":)";
      out += reply.cached->data();
      out += R"(,"ttl":)";
      append_json_number(out, (reply.cache_ttl_ms + 999) / 1000);
      out += '}';
    } else {
      out += "null";
    }
  }
  out += '}';
  return out;
}

std::string users_json(const hub::QueryReply& reply) {
  std::string out = R"({"users":[)";
  for (const std::string& user : reply.users) {
    if (out.back() != '[') out += ',';
    out += R"({"id":)";
    append_json_string(out, user);
    out += '}';
  }
  out += "]}";
  return out;
}

}  // namespace kilat::api
