// Watchlist: who is told when a user comes online or goes offline. A user is online while a signed-in connection reads
// its user channel, so the home of that channel knows.
#include <algorithm>

#include "base/memory_reserve.h"
#include "hub/home_hub.h"

namespace kilat::hub {

void HomeHub::watch(ShardIndex from, const WatchRequest& request) {
  const memory::MustSucceed watching;
  HomeChannel& channel = open(request.app, std::string(kUserChannelPrefix) + request.user_id);
  if (!request.watch) {
    if (channel.watchers) {
      std::erase_if(channel.watchers->list, [&](const Watchers::Watcher& watcher) {
        return watcher.shard == from && watcher.who == request.who;
      });
      if (channel.watchers->list.empty()) channel.watchers.reset();
    }
    return close_if_unused(channel);
  }
  if (!channel.watchers) {
    channel.watchers = std::make_unique<Watchers>(&HomeHub::on_offline_due, *this, channel);
    channel.watchers->told_online = channel.subscribers > 0;
  }
  channel.watchers->list.push_back({from, request.who});
  auto status = std::make_unique<UserStatus>();
  status->who = request.who;
  status->initial = true;
  status->online = channel.watchers->told_online;
  status->user_id = request.user_id;
  courier_.send(from, MsgUserStatus{std::move(status)});
}

void HomeHub::user_came(HomeChannel& channel) {
  if (!channel.watchers) return;
  wheel_.cancel(channel.watchers->offline_timer);
  if (!channel.watchers->told_online) tell_watchers(channel, true);
}

void HomeHub::user_went(HomeChannel& channel) {
  if (channel.watchers && channel.subscribers == 0) {
    wheel_.schedule(channel.watchers->offline_timer, now_ms_ + kOfflineDelayMs);
  }
}

void HomeHub::on_offline_due(Timer& timer) {
  const memory::MustSucceed telling;
  auto& due = static_cast<ChannelTimer&>(timer);
  due.hub.tell_watchers(due.channel, false);
}

void HomeHub::tell_watchers(HomeChannel& channel, bool online) {
  channel.watchers->told_online = online;
  for (const Watchers::Watcher& watcher : channel.watchers->list) {
    auto status = std::make_unique<UserStatus>();
    status->who = watcher.who;
    status->online = online;
    status->user_id = user_of(channel.name);
    courier_.send(watcher.shard, MsgUserStatus{std::move(status)});
  }
}

}  // namespace kilat::hub
