// The events that the server itself answers (docs/socketio.md): what a client may do without anybody writing a server.
#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "hub/client_event.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

constexpr std::string_view kOk = R"({"ok":true})";
constexpr std::string_view kClientEventPrefix = "client-";

void append_member(std::string& json, const hub::Member& member) {
  json += R"({"user_id":)";
  append_json_string(json, member.user_id);
  if (!member.info.empty()) {
    json += R"(,"user_info":)";
    json += member.info;
  }
  json += '}';
}

std::string joined_answer(const hub::JoinReply& reply) {
  if (!reply.members) return std::string(kOk);
  std::string json = R"({"ok":true,"me":)";
  append_json_string(json, reply.user_id);
  json += R"(,"members":[)";
  for (const hub::Member& member : *reply.members) {
    if (json.back() != '[') json += ',';
    append_member(json, member);
  }
  json += "]}";
  return json;
}

}  // namespace

bool Socket::on_built_in(const EventContent& event, std::optional<uint64_t> ack,
                         std::span<const std::string> attachments) {
  const std::string_view argument = event.arguments.empty() ? std::string_view() : event.arguments.front();
  // Views into the packet stay valid: parsing copies.
  if (event.name == "subscribe") {
    subscribe(argument, ack);
  } else if (event.name == "unsubscribe") {
    unsubscribe(argument, ack);
  } else if (event.name == "signin") {
    sign_in(argument, ack);
  } else if (event.name == "publish") {
    publish(argument, ack, attachments);
  } else {
    return false;
  }
  return true;
}

void Socket::subscribe(std::string_view argument, std::optional<uint64_t> ack) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || request->channel.empty()) return refuse(ack, Reason::kSioArgumentsInvalid);
  const std::string channel = channel_of(request->channel, nsp_.scope);
  hub::Member member;
  if (const Reason refused = check_subscription(*request, channel, member); refused != Reason::kNone) {
    return refuse(ack, refused);
  }
  // The answer may come before join() returns.
  joining_.push_back({channel, ack});
  shard_.hub.join(*this, channel, std::move(member));
}

Reason Socket::check_subscription(const Request& request, std::string_view channel, hub::Member& member) {
  const hub::AppSettings& settings = app().settings;
  if (channel.size() > settings.channel_name_max) return Reason::kChannelNameTooLong;
  if (!hub::valid_channel_name(channel, shard_.options.strict_channel_names)) return Reason::kChannelNameInvalid;
  const hub::ChannelKind kind = hub::kind_of(channel);
  if (kind.user()) return Reason::kUserChannelRefused;
  if (subscription_count() >= settings.subscriptions_max && find(channel) == nullptr) {
    return Reason::kTooManySubscriptions;
  }
  if (!kind.needs_signature()) return Reason::kNone;
  std::string text = id() + ':' + request.channel;
  if (request.channel_data) text += ':' + *request.channel_data;
  if (!signature_fits(request.auth, text)) return Reason::kChannelAuthInvalid;
  if (!kind.presence()) return Reason::kNone;
  if (!request.channel_data) {
    if (user_id_.empty()) return Reason::kPresenceDataInvalid;
    member = {user_id_, user_info_};
  } else {
    std::optional<MemberContent> data = shard_.parser.parse_member(*request.channel_data, "user_id");
    if (!data || data->user_id.size() > settings.user_id_max) return Reason::kPresenceDataInvalid;
    member = {std::move(data->user_id), std::move(data->user_info)};
  }
  return member.info.size() <= settings.presence_member_bytes_max ? Reason::kNone : Reason::kPresenceMemberTooBig;
}

// KEY:HEX, as the SDKs of Pusher make it.
bool Socket::signature_fits(const std::optional<std::string>& auth, const std::string& text) {
  if (!auth) return false;
  const size_t colon = auth->find(':');
  if (colon == std::string::npos || std::string_view(*auth).substr(0, colon) != app().settings.key) return false;
  return shard_.keys[nsp_.app].verify(text, std::string_view(*auth).substr(colon + 1), shard_.now_unix_s);
}

void Socket::on_joined(const hub::JoinReply& reply) {
  const std::string channel = reply.channel;
  std::vector<Joining> waiting;
  std::erase_if(joining_, [&](Joining& joining) {
    if (joining.channel != channel) return false;
    waiting.push_back(joining);
    return true;
  });
  for (const Joining& joining : waiting) {
    if (reply.refused != Reason::kNone) {
      refuse(joining.ack, reply.refused);
    } else {
      answer(joining.ack, joined_answer(reply));
    }
  }
  if (reply.refused == Reason::kNone && reply.cached && !reply.again) deliver_own(*reply.cached);
}

void Socket::unsubscribe(std::string_view argument, std::optional<uint64_t> ack) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || request->channel.empty()) return refuse(ack, Reason::kSioArgumentsInvalid);
  const std::string channel = channel_of(request->channel, nsp_.scope);
  if (hub::kind_of(channel).user()) return refuse(ack, Reason::kUserChannelRefused);
  for (const Joining& joining : joining_) {
    if (joining.channel == channel) answer(joining.ack, kOk);
  }
  std::erase_if(joining_, [&](const Joining& joining) { return joining.channel == channel; });
  shard_.hub.leave(*this, channel);
  answer(ack, kOk);
}

void Socket::sign_in(std::string_view argument, std::optional<uint64_t> ack) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || !request->user_data) return refuse(ack, Reason::kSioArgumentsInvalid);
  const hub::AppSettings& settings = app().settings;
  if (!settings.user_authentication) return refuse(ack, Reason::kSigninDisabled);
  if (!signature_fits(request->auth, id() + "::user::" + *request->user_data)) {
    return refuse(ack, Reason::kSigninInvalid);
  }
  std::optional<MemberContent> data = shard_.parser.parse_member(*request->user_data, "id");
  if (!data || data->user_id.size() > settings.user_id_max || !hub::valid_channel_name(data->user_id, false)) {
    return refuse(ack, Reason::kSigninInvalid);
  }
  if (!user_id_.empty() && user_id_ != data->user_id) return refuse(ack, Reason::kSigninOtherUser);
  user_id_ = std::move(data->user_id);
  user_info_ = std::move(data->user_info);
  // Answered when the home knows this socket: what a backend does to the user after it, reaches it.
  const std::string channel = std::string(hub::kUserChannelPrefix) + user_id_;
  joining_.push_back({channel, ack});
  shard_.hub.join(*this, channel);
}

void Socket::publish(std::string_view argument, std::optional<uint64_t> ack, std::span<const std::string> attachments) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || request->channel.empty() || request->event.empty()) {
    return refuse(ack, Reason::kSioArgumentsInvalid);
  }
  const std::string channel = channel_of(request->channel, nsp_.scope);
  if (const Reason refused = check_publish(*request, channel); refused != Reason::kNone) return refuse(ack, refused);
  const std::string_view data = request->data.empty() ? std::string_view("null") : request->data;
  const hub::Subscription* subscription = find(channel);
  const std::string list = '[' + std::string(data) + ']';
  const std::vector<std::string_view> bytes(attachments.begin(), attachments.end());
  const std::string readable = bytes.empty() ? std::string() : shard_.parser.put_binary(data, bytes);
  const std::string packet = pack(list, bytes);
  const std::optional<hub::PublishReply> reply = shard_.hub.publish(hub::Publication::make({
      .from_client = true,
      .app = nsp_.app,
      .channel = channel,
      .event = request->event,
      .data = bytes.empty() ? data : std::string_view(readable),
      .user_id = subscription->user ? std::string_view(*subscription->user) : std::string_view(),
      .packet = packet,
      .exclude = socket_id(),
  }));
  if (reply && reply->refused != Reason::kNone) return refuse(ack, Reason::kClientEventOverCapacity);
  answer(ack, kOk);
}

Reason Socket::check_publish(const Request& request, std::string_view channel) {
  const hub::AppSettings& settings = app().settings;
  if (!settings.client_events) return Reason::kClientEventsDisabled;
  if (!request.event.starts_with(kClientEventPrefix)) return Reason::kSioEventNameRefused;
  const Reason refused = hub::client_event_refusal(settings, *this, channel, request.event.size(), request.data.size());
  if (refused != Reason::kNone) return refused;
  return published_.take(1, settings.client_events_per_second, shard_.now_ms) ? Reason::kNone
                                                                              : Reason::kClientEventRateLimited;
}

void Socket::join_channel(std::string_view channel) {
  if (find(channel) == nullptr && subscription_count() < app().settings.subscriptions_max) {
    shard_.hub.join(*this, channel);
  }
}

}  // namespace kilat::socketio
