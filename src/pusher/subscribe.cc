// Subscribing and unsubscribing (docs/protocol.md).
#include "base/utf8_repair.h"
#include "pusher/encode.h"
#include "pusher/session.h"

namespace kilat::pusher {

void Session::subscribe(const ClientMessage& message) {
  const std::string_view channel = message.channel;
  if (channel.size() > settings().channel_name_max) return refuse_subscription(Reason::kChannelNameTooLong, channel);
  if (!hub::valid_channel_name(channel, shard_.limits.strict_channel_names)) {
    return refuse_subscription(Reason::kChannelNameInvalid, channel);
  }
  const hub::ChannelKind kind = hub::kind_of(channel);
  if (kind.user()) return subscribe_user_channel(message);

  hub::Member member;
  if (kind.needs_signature()) {
    if (const Reason reason = check_signature(message); reason != Reason::kNone) {
      return refuse_subscription(reason, channel);
    }
  }
  if (kind.presence()) {
    if (const Reason reason = read_member(message, member); reason != Reason::kNone) {
      return refuse_subscription(reason, channel);
    }
  }
  if (subscription_count() >= settings().subscriptions_max && find(channel) == nullptr) {
    return refuse_subscription(Reason::kTooManySubscriptions, channel);
  }
  shard_.hub.join(*this, channel, std::move(member));
}

void Session::unsubscribe(const ClientMessage& message) {
  // The user channel belongs to the sign-in, which lasts as long as the connection.
  if (hub::kind_of(message.channel).user()) return;
  shard_.hub.leave(*this, message.channel);
}

void Session::subscribe_user_channel(const ClientMessage& message) {
  if (!user_ || hub::user_of(message.channel) != user_->id) {
    return refuse_subscription(Reason::kUserChannelRefused, message.channel);
  }
  user_->channel_asked = true;
  if (user_->welcomed) send(subscription_succeeded(message.channel));
}

// `auth` is KEY:HEX with HEX = HMAC-SHA256(secret, socket_id:channel[:channel_data]), docs/protocol.md.
Reason Session::check_signature(const ClientMessage& message) {
  if (!message.auth) return Reason::kChannelAuthInvalid;
  const size_t colon = message.auth->find(':');
  if (colon == std::string_view::npos) return Reason::kChannelAuthInvalid;
  if (message.auth->substr(0, colon) != settings().key) return Reason::kChannelAuthKeyInvalid;
  std::string signed_text = socket_id().text();
  signed_text += ':';
  signed_text += message.channel;
  if (message.channel_data) {
    signed_text += ':';
    signed_text += *message.channel_data;
  }
  return signed_by_app(signed_text, message.auth->substr(colon + 1)) ? Reason::kNone : Reason::kChannelAuthInvalid;
}

Reason Session::read_member(const ClientMessage& message, hub::Member& member) {
  if (!message.channel_data) {
    // A signed-in user may leave it out: the sign-in has said who they are.
    if (!user_) return Reason::kPresenceDataInvalid;
    member = {user_->id, user_->info};
    return member.info.size() <= settings().presence_member_bytes_max ? Reason::kNone : Reason::kPresenceMemberTooBig;
  }
  std::optional<MemberData> data = shard_.parser.parse_member(*message.channel_data, "user_id");
  if (!data || data->user_id.size() > settings().user_id_max) return Reason::kPresenceDataInvalid;
  if (data->user_info.size() > settings().presence_member_bytes_max) return Reason::kPresenceMemberTooBig;
  member = {std::move(data->user_id), std::move(data->user_info)};
  return Reason::kNone;
}

void Session::refuse_subscription(Reason reason, std::string_view channel) {
  note_refusal(reason, channel);
  if (settings().strict_errors) return send(error_frame(reason));
  send(subscription_error(reason, cut_utf8(channel, 4 * size_t{settings().channel_name_max})));
}

}  // namespace kilat::pusher
