// The events that the server itself answers (docs/socketio.md): what a client may do without anybody writing a server.
#include <algorithm>
#include <span>
#include <utility>

#include "auth/signed_text.h"
#include "base/json_text.h"
#include "base/member_data.h"
#include "hub/client_event.h"
#include "socketio/comeback.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

constexpr std::string_view kOk = R"({"ok":true})";
constexpr std::string_view kClientEventPrefix = "client-";

// `alone`: only the joiner is shown.
// `past`: the client wanted to know where it is in the history.
std::string joined_answer(const hub::JoinReply& reply, bool alone, bool past) {
  std::string json = R"({"ok":true)";
  if (reply.history && past) append_history(json, reply.history->position, reply.history->asked, reply.history->why());
  if (!reply.members) return json += '}';
  json += R"(,"me":)";
  append_json_string(json, reply.user_id);
  json += R"(,"members":[)";
  for (const hub::Member& member : *reply.members) {
    if (alone && member.user_id != reply.user_id) continue;
    if (json.back() != '[') json += ',';
    append_member(json, MemberKind::kPresence, member.user_id, member.info);
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
  std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || request->channel.empty()) return refuse(ack, Reason::kSioArgumentsInvalid);
  const std::string channel = channel_of(request->channel, nsp_.scope);
  if (const Reason refused = check_channel(channel); refused != Reason::kNone) return refuse(ack, refused);
  const bool is_signed = hub::kind_of(channel).needs_signature() && request->auth && !request->auth->empty();
  hub::Entry entry = is_signed ? enter_signed(*request, channel) : shard_.access.enter(nsp_.app, channel, who_.get());
  if (entry.ask_backend) return ask_backend(*request, channel, ack);
  join(channel, std::move(entry), ack, request->history);
}

Reason Socket::check_channel(std::string_view channel) const {
  const hub::AppSettings& settings = shard_.app_of(nsp_).settings;
  if (channel.size() > settings.channel_name_max) return Reason::kChannelNameTooLong;
  if (!hub::valid_channel_name(channel, shard_.options.strict_channel_names)) return Reason::kChannelNameInvalid;
  if (hub::kind_of(channel).user()) return Reason::kUserChannelRefused;
  if (subscription_count() + asking_.size() >= settings.subscriptions_max && find(channel) == nullptr) {
    return Reason::kTooManySubscriptions;
  }
  return Reason::kNone;
}

// The signature is over the name of the channel, or over that of the room.
hub::Entry Socket::enter_signed(const Request& request, std::string_view channel) {
  hub::Entry entry{.by_signature = true};
  if (!signature_fits(request, channel)) {
    if (channel == request.channel || !signature_fits(request, request.channel)) {
      entry.refused = Reason::kChannelAuthInvalid;
      return entry;
    }
    entry = shard_.access.enter_room(nsp_.app, channel, request.channel, who_.get());
  }
  if (entry.refused == Reason::kNone && hub::kind_of(channel).presence()) {
    entry.refused = read_member(request, entry.member);
  }
  return entry;
}

Reason Socket::read_member(const Request& request, hub::Member& member) {
  if (!request.channel_data) {
    if (!who_) return Reason::kPresenceDataInvalid;
    member = {who_->user_id, who_->info};
    return Reason::kNone;
  }
  std::optional<MemberData> data = shard_.parser.parse_member(*request.channel_data, MemberKind::kPresence);
  if (!data) return Reason::kPresenceDataInvalid;
  member = {std::move(data->user_id), std::move(data->user_info)};
  return Reason::kNone;
}

bool Socket::signature_fits(const Request& request, std::string_view name) {
  return signature_fits(request.auth, auth::channel_text(id(), name, request.channel_data));
}

void Socket::join(const std::string& channel, hub::Entry entry, std::optional<uint64_t> ack,
                  const std::optional<HistoryAsk>& history) {
  if (entry.refused == Reason::kNone) entry.refused = hub::member_refusal(app().settings, entry.member);
  if (entry.refused != Reason::kNone) return refuse(ack, entry.refused);
  hub::JoinOptions options = shard_.access.options(nsp_.app, channel, entry, who_.get());
  std::unique_ptr<HistoryAsk> ask;
  if (history) {
    ask = std::make_unique<HistoryAsk>(*history);
    options.positions = true;
    options.format = kOwnFormat;
  }
  // The answer may come before join() returns.
  joining_.push_back({channel, ack, history});
  enter(channel, std::move(entry.member), options, std::move(ask));
}

// KEY:HEX, as the SDKs of Pusher make it.
bool Socket::signature_fits(const std::optional<std::string>& auth, const std::string& text) {
  if (!auth) return false;
  const size_t colon = auth->find(':');
  if (colon == std::string::npos || std::string_view(*auth).substr(0, colon) != app().settings.key) return false;
  return shard_.access.key(nsp_.app).verify(text, std::string_view(*auth).substr(colon + 1), shard_.now_unix_s);
}

void Socket::on_joined(const hub::JoinReply& reply) {
  if (collects()) return comeback_->on_joined(*this, reply);
  const std::string channel = reply.channel;
  if (notes_ && !reply.again) note_joined(reply);
  const uint64_t ticket = reply.refused == Reason::kNone ? save() : 0;
  const std::vector<Joining> waiting = take_waiting(joining_, channel);
  const hub::Subscription* subscription = find(channel);
  const bool alone = subscription != nullptr && subscription->options.hide_members;
  for (const Joining& joining : waiting) {
    if (reply.refused != Reason::kNone) {
      refuse(joining.ack, reply.refused);
    } else {
      answer_when_saved(joining.ack, joined_answer(reply, alone, joining.history.has_value()), ticket);
    }
  }
  if (reply.refused == Reason::kNone && reply.cached && !reply.again && !reply.has_last()) deliver_own(*reply.cached);
}

void Socket::unsubscribe(std::string_view argument, std::optional<uint64_t> ack) {
  const std::optional<Request> request = shard_.parser.parse_request(argument);
  if (!request || request->channel.empty()) return refuse(ack, Reason::kSioArgumentsInvalid);
  const std::string channel = channel_of(request->channel, nsp_.scope);
  if (hub::kind_of(channel).user()) return refuse(ack, Reason::kUserChannelRefused);
  for (std::vector<Joining>* waiting : {&joining_, &asking_}) {
    for (const Joining& given_up : take_waiting(*waiting, channel)) answer(given_up.ack, kOk);
  }
  answer_when_saved(ack, std::string(kOk), leave(channel));
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
  const hub::PublicationPtr publication = hub::Publication::make({
      .from_client = true,
      .app = nsp_.app,
      .channel = channel,
      .event = request->event,
      .data = bytes.empty() ? data : std::string_view(readable),
      .user_id = subscription->user ? std::string_view(*subscription->user) : std::string_view(),
      .packet = packet,
      .exclude = socket_id(),
  });
  if (ack && shard_.publishes.full()) return refuse(ack, Reason::kClientEventOverCapacity);
  Publishes::Done done;
  if (ack) {
    done = [&shard = shard_, self = handle(), ack](Reason refused) {
      if (Socket* socket = resolve(shard, self)) socket->on_published(refused, ack);
    };
  }
  const std::optional<Reason> known = shard_.publishes.publish(std::span(&publication, 1), std::move(done));
  if (known) on_published(*known, ack);
}

void Socket::on_published(Reason refused, std::optional<uint64_t> ack) {
  if (refused == Reason::kNone) return answer(ack, kOk);
  refuse(ack, refused == Reason::kApiOverCapacity ? Reason::kClientEventOverCapacity : refused);
}

Reason Socket::check_publish(const Request& request, std::string_view channel) {
  const hub::AppSettings& settings = app().settings;
  const auth::Verdict rule = shard_.access.decide(nsp_.app, auth::Action::kPublish, channel, who_.get());
  if (rule == auth::Verdict::kNoRule && !settings.client_events) return Reason::kClientEventsDisabled;
  if (!request.event.starts_with(kClientEventPrefix)) return Reason::kSioEventNameRefused;
  const Reason refused =
      hub::client_event_refusal(settings, rule, *this, channel, request.event.size(), request.data.size());
  if (refused != Reason::kNone) return refused;
  return published_.take(1, settings.client_events_per_second, shard_.now_ms) ? Reason::kNone
                                                                              : Reason::kClientEventRateLimited;
}

void Socket::join_channel(std::string_view channel) {
  if (find(channel) == nullptr && subscription_count() < app().settings.subscriptions_max) {
    enter(std::string(channel), {}, {}, nullptr);
  }
}

}  // namespace kilat::socketio
