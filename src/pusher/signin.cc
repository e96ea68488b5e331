// User sign-in, by a signature or by a token, and watchlists (docs/protocol.md).
#include <algorithm>
#include <utility>

#include "auth/signed_text.h"
#include "base/member_data.h"
#include "pusher/encode.h"
#include "pusher/session.h"

namespace kilat::pusher {
void Session::sign_in(const ClientMessage& message) {
  if (!settings().user_authentication) return refuse(Reason::kSigninDisabled);
  if (message.token) return sign_in_with(*message.token, {});
  if (!message.auth || !message.user_data) return close(Reason::kSigninInvalid);
  const size_t colon = message.auth->find(':');
  if (colon == std::string_view::npos || message.auth->substr(0, colon) != settings().key) {
    return close(Reason::kSigninInvalid);
  }
  const std::string signed_text = auth::user_text(socket_id().text(), *message.user_data);
  if (!signed_by_app(signed_text, message.auth->substr(colon + 1))) return close(Reason::kSigninInvalid);

  SignIn sign_in{.user_data = std::string(*message.user_data), .watchlist = {}};
  std::optional<MemberData> data = shard_.parser.parse_member(sign_in.user_data, MemberKind::kSignin);
  if (!data) return close(Reason::kSigninInvalid);
  sign_in.watchlist = std::move(data->watchlist);
  // Made by this server from a token: that says more of the user than the signature does, and when it ends.
  if (!data->token.empty() && shard_.access.authenticator().enabled(app())) {
    return sign_in_with(data->token, std::move(sign_in));
  }
  auto who = std::make_shared<auth::Identity>();
  who->user_id = std::move(data->user_id);
  who->info = std::move(data->user_info);
  become(std::move(who), std::move(sign_in));
}

void Session::sign_in_with(std::string_view token, SignIn sign_in) {
  auth::Authenticator& authenticator = shard_.access.authenticator();
  if (!authenticator.enabled(app())) return refuse(Reason::kTokensNotTaken);
  // One at a time: a client can't fill the list of those who wait.
  if (identifying_) return refuse(Reason::kTokenKeysUnavailable);
  identifying_ = true;
  authenticator.identify(app(), token,
                         [&shard = shard_, self = handle(),
                          sign_in = std::move(sign_in)](const auth::Authenticator::Outcome& who) mutable {
                           if (Session* session = resolve(shard, self)) session->on_identified(who, std::move(sign_in));
                         });
}

Session* Session::resolve(Shard& shard, hub::Handle handle) {
  return static_cast<Session*>(shard.hub.local().resolve(handle));
}

void Session::on_identified(const auth::Authenticator::Outcome& who, SignIn sign_in) {
  identifying_ = false;
  if (closing_) return;
  if (!who) {
    // A failed refresh changes nothing: the token before is good until it expires.
    return user() != nullptr ? refuse(who.error()) : close(who.error());
  }
  if (sign_in.user_data.empty()) {
    append_member(sign_in.user_data, MemberKind::kSignin, (*who)->user_id, (*who)->info);
  }
  become(*who, std::move(sign_in));
}

void Session::become(auth::IdentityPtr who, SignIn sign_in) {
  if (!hub::valid_user_id(settings(), who->user_id)) return close(Reason::kSigninInvalid);
  if (User* user = this->user()) {
    if (user->who->user_id != who->user_id) return close(Reason::kSigninOtherUser);
    user->who = std::move(who);
    user->clock = {*user->who, settings().jwt};
    if (user->welcomed) send(signin_success(sign_in.user_data));
    review_rights();
    return schedule();
  }
  User& user = *(rare().user = std::make_unique<User>());
  user.who = std::move(who);
  user.clock = {*user.who, settings().jwt};
  user.user_data = std::move(sign_in.user_data);
  user.watch = std::move(sign_in.watchlist);
  authorized_ = true;
  if (user.clock.runs()) schedule();
  review_rights();
  shard_.hub.join(*this, std::string(hub::kUserChannelPrefix) + user.who->user_id);
}

// The new token may grant less than the one before.
void Session::review_rights() {
  for (const std::string& channel : shard_.access.review(*this, who())) {
    drop_fold(channel);
    shard_.hub.leave(*this, channel);
    refuse_subscription(Reason::kRuleRefused, channel);
  }
}

// Only now the client may rely on it: what a backend sends to the user, or a termination, reaches this connection.
void Session::welcome_user() {
  User* user = this->user();
  if (user == nullptr || user->welcomed) return;
  user->welcomed = true;
  send(signin_success(std::exchange(user->user_data, {})));
  if (user->channel_asked) {
    send(subscription_succeeded(std::string(hub::kUserChannelPrefix) + user->who->user_id));
  }
  const std::vector<std::string> watch = std::exchange(user->watch, {});
  if (!watch.empty()) start_watching(watch);
}

// True when the connection is over.
bool Session::check_token() {
  User* user = this->user();
  if (user == nullptr) return false;
  switch (user->clock.check(shard_.now_unix_s)) {
    case auth::TokenClock::Due::kNothing: return false;
    case auth::TokenClock::Due::kWarning: send(token_expiring(user->clock.left_s(shard_.now_unix_s))); return false;
    case auth::TokenClock::Due::kEnd: close(Reason::kTokenRanOut); return true;
  }
  return false;
}

void Session::start_watching(const std::vector<std::string>& watchlist) {
  User& user = *this->user();
  const size_t count = std::min<size_t>(watchlist.size(), settings().watchlist_max);
  if (count < watchlist.size()) refuse(Reason::kWatchlistTooLong);
  for (size_t i = 0; i < count; ++i) {
    if (hub::valid_user_id(settings(), watchlist[i])) user.watchlist.emplace_back(watchlist[i], false);
  }
  user.statuses_awaited = user.watchlist.size();
  // Answers may come while this loop runs: the list itself no longer changes.
  for (const auto& watched : user.watchlist) shard_.hub.watch(*this, watched.first, true);
}

void Session::on_user_status(const hub::UserStatus& status) {
  User* user = this->user();
  if (closing_ || user == nullptr) return;
  const auto watched = std::ranges::find(user->watchlist, status.user_id, &std::pair<std::string, bool>::first);
  if (watched == user->watchlist.end()) return;
  watched->second = status.online;
  if (status.initial) {
    // The client gets one frame with the whole state, when the last home has answered.
    if (--user->statuses_awaited > 0) return;
    std::vector<std::string> online;
    std::vector<std::string> offline;
    for (const auto& [id, is_online] : user->watchlist) (is_online ? online : offline).push_back(id);
    return send(watchlist_events(online, offline));
  }
  if (user->statuses_awaited > 0) return;
  const std::vector<std::string> changed{status.user_id};
  send(status.online ? watchlist_events(changed, {}) : watchlist_events({}, changed));
}

}  // namespace kilat::pusher
