// User sign-in and watchlists (docs/protocol.md).
#include <algorithm>
#include <utility>

#include "pusher/encode.h"
#include "pusher/session.h"

namespace kilat::pusher {

void Session::sign_in(const ClientMessage& message) {
  if (!settings().user_authentication) return refuse(Reason::kSigninDisabled);
  if (!message.auth || !message.user_data) return close(Reason::kSigninInvalid);
  const size_t colon = message.auth->find(':');
  if (colon == std::string_view::npos || message.auth->substr(0, colon) != settings().key) {
    return close(Reason::kSigninInvalid);
  }
  const std::string signed_text = socket_id().text() + "::user::" + std::string(*message.user_data);
  if (!signed_by_app(signed_text, message.auth->substr(colon + 1))) return close(Reason::kSigninInvalid);

  const std::string user_data(*message.user_data);
  std::optional<MemberData> data = shard_.parser.parse_member(user_data, "id");
  if (!data || data->user_id.size() > settings().user_id_max || !hub::valid_channel_name(data->user_id, false)) {
    return close(Reason::kSigninInvalid);
  }
  if (user_) {
    if (user_->id != data->user_id) return close(Reason::kSigninOtherUser);
    if (user_->welcomed) send(signin_success(user_data));
    return;
  }
  user_ = std::make_unique<User>();
  user_->id = std::move(data->user_id);
  user_->info = std::move(data->user_info);
  user_->user_data = user_data;
  user_->watch = std::move(data->watchlist);
  authorized_ = true;
  shard_.hub.join(*this, std::string(hub::kUserChannelPrefix) + user_->id);
}

// Only now the client may rely on it: what a backend sends to the user, or a termination, reaches this connection.
void Session::welcome_user() {
  if (!user_ || user_->welcomed) return;
  user_->welcomed = true;
  send(signin_success(std::exchange(user_->user_data, {})));
  if (user_->channel_asked) send(subscription_succeeded(std::string(hub::kUserChannelPrefix) + user_->id));
  const std::vector<std::string> watch = std::exchange(user_->watch, {});
  if (!watch.empty()) start_watching(watch);
}

void Session::start_watching(const std::vector<std::string>& watchlist) {
  const size_t count = std::min<size_t>(watchlist.size(), settings().watchlist_max);
  if (count < watchlist.size()) refuse(Reason::kWatchlistTooLong);
  for (size_t i = 0; i < count; ++i) {
    if (hub::valid_channel_name(watchlist[i], false) && watchlist[i].size() <= settings().user_id_max) {
      user_->watchlist.emplace_back(watchlist[i], false);
    }
  }
  user_->statuses_awaited = user_->watchlist.size();
  // Answers may come while this loop runs: the list itself no longer changes.
  for (const auto& watched : user_->watchlist) shard_.hub.watch(*this, watched.first, true);
}

void Session::on_user_status(const hub::UserStatus& status) {
  if (closing_ || !user_) return;
  const auto watched = std::ranges::find(user_->watchlist, status.user_id, &std::pair<std::string, bool>::first);
  if (watched == user_->watchlist.end()) return;
  watched->second = status.online;
  if (status.initial) {
    // The client gets one frame with the whole state, when the last home has answered.
    if (--user_->statuses_awaited > 0) return;
    std::vector<std::string> online;
    std::vector<std::string> offline;
    for (const auto& [id, is_online] : user_->watchlist) (is_online ? online : offline).push_back(id);
    return send(watchlist_events(online, offline));
  }
  if (user_->statuses_awaited > 0) return;
  const std::vector<std::string> changed{status.user_id};
  send(status.online ? watchlist_events(changed, {}) : watchlist_events({}, changed));
}

}  // namespace kilat::pusher
