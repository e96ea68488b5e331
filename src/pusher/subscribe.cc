// Subscribing and unsubscribing (docs/protocol.md).
#include <algorithm>
#include <utility>

#include "auth/signed_text.h"
#include "base/utf8_repair.h"
#include "pusher/encode.h"
#include "pusher/formats.h"
#include "pusher/handlers.h"
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

  if (subscription_count() + (rare_ ? rare_->asking.size() : 0) >= settings().subscriptions_max &&
      find(channel) == nullptr) {
    return refuse_subscription(Reason::kTooManySubscriptions, channel);
  }
  if (!kind.needs_signature() || !message.auth || message.auth->empty()) {
    return join(channel, shard_.access.enter(app(), channel, who()), message.wishes);
  }
  if (const Reason reason = check_signature(message); reason != Reason::kNone) {
    return refuse_subscription(reason, channel);
  }
  hub::Entry entry{.by_signature = true};
  if (kind.presence()) {
    if (const Reason reason = read_member(message, entry.member); reason != Reason::kNone) {
      return refuse_subscription(reason, channel);
    }
  }
  join(channel, std::move(entry), message.wishes);
}

void Session::ask_backend(std::string_view channel, const Wishes& wishes) {
  Rare& rare = this->rare();
  if (std::ranges::find(rare.asking, channel, &Asking::channel) != rare.asking.end()) return;
  rare.asking.push_back({std::string(channel), wishes});
  auth::BackendQuestion question{.channel = std::string(channel),
                                 .socket_id = socket_id().text(),
                                 .user_id = rare.user ? rare.user->who->user_id : std::string(),
                                 .headers = {}};
  if (rare.credentials) question.headers = rare.credentials->headers;
  shard_.access.backend().ask(
      app(), question,
      [&shard = shard_, self = handle(), channel = question.channel](const auth::BackendAnswer& answer) {
        if (Session* session = resolve(shard, self)) session->on_backend_answer(channel, answer);
      });
}

void Session::on_backend_answer(const std::string& channel, const auth::BackendAnswer& answer) {
  // A client that has unsubscribed meanwhile is not asking any more.
  if (closing_) return;
  std::vector<Asking>& asking = rare().asking;
  const auto asked = std::ranges::find(asking, channel, &Asking::channel);
  if (asked == asking.end()) return;
  const Wishes wishes = std::move(asked->wishes);
  asking.erase(asked);
  join(channel, hub::Access::told(channel, answer, who()), wishes);
}

void Session::join(std::string_view channel, hub::Entry entry, const Wishes& wishes) {
  if (entry.ask_backend) return ask_backend(channel, wishes);
  if (entry.refused == Reason::kNone) entry.refused = hub::member_refusal(settings(), entry.member);
  if (entry.refused != Reason::kNone) return refuse_subscription(entry.refused, channel);
  if (shard_.handlers != nullptr && !shard_.handlers->allows_subscription(*this, channel, entry.member)) {
    return refuse_subscription(Reason::kHandlerRefused, channel);
  }
  if (hub::kind_of(channel).needs_signature()) authorized_ = true;
  hub::JoinOptions options = shard_.access.options(app(), channel, entry, who());
  std::unique_ptr<HistoryAsk> ask;
  // What a rule sends has no place in the history, so a client that folds has no position.
  bool folded = false;
  if (wishes.flow && find(channel) == nullptr) {
    folded = settings().client_flow && fold(channel, *wishes.flow);
    if (!folded) refuse_flow(channel);
  }
  if (wishes.history && !folded) {
    ask = std::make_unique<HistoryAsk>(*wishes.history);
    options.positions = true;
    options.format = with_offset(format());
  }
  if (folded) {
    options.format = kOwnFormat;
    options.folded = true;
  }
  shard_.hub.join(*this, channel, std::move(entry.member), options, std::move(ask));
}

// It reads the channel as it is.
void Session::refuse_flow(std::string_view channel) {
  const std::string off = std::string(reason_row(Reason::kFlowInvalid).text) + ": app.client_flow is off";
  refuse(Reason::kFlowInvalid, settings().client_flow ? std::string_view() : std::string_view(off), channel);
}

bool Session::fold(std::string_view channel, const std::string& rule) {
  std::unique_ptr<FoldedChannels>& folded = rare().folded;
  if (!folded) folded = std::make_unique<FoldedChannels>(*this);
  return folded->add(channel, rule);
}

// Also what the wish of the client holds.
void Session::drop_fold(std::string_view channel) {
  if (rare_ && rare_->folded) rare_->folded->remove(channel);
}

void Session::unsubscribe(const ClientMessage& message) {
  // The user channel belongs to the sign-in, which lasts as long as the connection.
  if (hub::kind_of(message.channel).user()) return;
  if (rare_) std::erase_if(rare_->asking, [&](const Asking& asking) { return asking.channel == message.channel; });
  drop_fold(message.channel);
  const bool had = shard_.hub.leave(*this, message.channel);
  if (had && shard_.handlers != nullptr) shard_.handlers->on_unsubscribed(*this, message.channel);
}

void Session::subscribe_user_channel(const ClientMessage& message) {
  User* user = this->user();
  if (user == nullptr || hub::user_of(message.channel) != user->who->user_id) {
    return refuse_subscription(Reason::kUserChannelRefused, message.channel);
  }
  user->channel_asked = true;
  if (user->welcomed) send(subscription_succeeded(message.channel));
}

// `auth` is KEY:HEX with HEX = HMAC-SHA256(secret, socket_id:channel[:channel_data]), docs/protocol.md.
Reason Session::check_signature(const ClientMessage& message) {
  if (!message.auth) return Reason::kChannelAuthInvalid;
  const size_t colon = message.auth->find(':');
  if (colon == std::string_view::npos) return Reason::kChannelAuthInvalid;
  if (message.auth->substr(0, colon) != settings().key) return Reason::kChannelAuthKeyInvalid;
  const std::string signed_text = auth::channel_text(socket_id().text(), message.channel, message.channel_data);
  return signed_by_app(signed_text, message.auth->substr(colon + 1)) ? Reason::kNone : Reason::kChannelAuthInvalid;
}

Reason Session::read_member(const ClientMessage& message, hub::Member& member) {
  if (!message.channel_data) {
    // A signed-in user may leave it out: the sign-in has said who they are.
    if (who() == nullptr) return Reason::kPresenceDataInvalid;
    member = {who()->user_id, who()->info};
    return Reason::kNone;
  }
  std::optional<MemberData> data = shard_.parser.parse_member(*message.channel_data, MemberKind::kPresence);
  if (!data) return Reason::kPresenceDataInvalid;
  member = {std::move(data->user_id), std::move(data->user_info)};
  return Reason::kNone;
}

void Session::refuse_subscription(Reason reason, std::string_view channel) {
  note_refusal(reason, channel);
  if (settings().strict_errors) return send(error_frame(reason));
  send(subscription_error(reason, cut_utf8(channel, 4 * size_t{settings().channel_name_max})));
}

}  // namespace kilat::pusher
