#include "hub/home_hub.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/memory_reserve.h"
#include "hub/durable_log.h"
#include "hub/home_flow.h"

namespace kilat::hub {

HomeHub::HomeHub(const AppTable& apps, ShardIndex shards, Courier& courier, TimerWheel& wheel)
    : apps_(apps), shards_(shards), courier_(courier), wheel_(wheel) {
  KILAT_CHECK(shards >= 1 && shards <= kShardsMax);
  apps_added();
}

HomeHub::~HomeHub() = default;

void HomeHub::apps_added() {
  tallies_.resize(apps_.size());
  taps_.resize(apps_.size());
  tap_counts_.resize(apps_.size(), std::vector<uint32_t>(shards_));
  apps_changed();
}

HomeChannel& HomeHub::open(AppIndex app, std::string_view name) {
  if (HomeChannel* present = channels_.find(app, name)) return *present;
  auto channel = std::make_unique<HomeChannel>();
  channel->app = app;
  channel->kind = kind_of(name);
  channel->name = name;
  channel->by_shard.resize(shards_);
  if (channel->kind.presence()) channel->presence = std::make_unique<Presence>();
  HomeChannel& opened = channels_.insert(std::move(channel));
  ++tallies_[app].channels;
  return opened;
}

void HomeHub::close_if_unused(HomeChannel& channel) {
  if (!channel.unused()) return;
  --tallies_[channel.app].channels;
  channels_.erase(channel);
}

void HomeHub::add_reader(HomeChannel& channel, ShardIndex shard) {
  ++channel.subscribers;
  ++channel.by_shard[shard];
  channel.interest |= uint64_t{1} << shard;
}

void HomeHub::remove_reader(HomeChannel& channel, ShardIndex shard) {
  KILAT_CHECK(channel.subscribers > 0 && channel.by_shard[shard] > 0);
  --channel.subscribers;
  if (--channel.by_shard[shard] == 0) channel.interest &= ~(uint64_t{1} << shard);
}

// What an admitted joiner brings about. Whatever may need much memory is made before anything is told.
struct HomeHub::Admission {
  Reason refused = Reason::kNone;
  bool added = false;  ///< the user is new to the channel
  PublicationPtr added_event;
  std::shared_ptr<const MemberList> members;
  std::unique_ptr<HistoryAnswer> history;
};

void HomeHub::admit(HomeChannel& channel, const JoinRequest& request, Admission& admission) {
  if (request.history && !request.again && answers(channel, *request.history)) {
    try {
      admission.history = std::make_unique<HistoryAnswer>(past_of(channel, *request.history));
    } catch (const std::bad_alloc&) {
      // Refusing the join itself would leave a shard that has given it up in doubt whether there is a reader to take
      // out.
      const memory::MustSucceed answering;
      admission.history = std::make_unique<HistoryAnswer>();
      admission.history->asked = request.history->recover;
      admission.history->refused = Reason::kMemoryBudget;
    }
  }
  if (!channel.presence) return;
  Presence& presence = *channel.presence;
  const size_t members_max = apps_[request.app].settings.presence_members_max;
  if (!request.again && !presence.contains(request.member.user_id) && presence.size() >= members_max) {
    admission.refused = Reason::kPresenceChannelFull;
    return;
  }
  bool counted = false;
  try {
    if (!request.again) {
      admission.added = presence.add(request.member);
      counted = true;
    }
    if (admission.added && channel.interest != 0) {
      admission.added_event = member_event(channel, Publication::Kind::kMemberAdded, request.member);
    }
    admission.members = presence.list();
  } catch (const std::bad_alloc&) {
    if (counted) presence.remove(request.member.user_id);
    admission.refused = Reason::kMemoryBudget;
  }
}

void HomeHub::join(ShardIndex from, JoinRequest& request) {
  const memory::MustSucceed joining;
  HomeChannel& channel = open(request.app, request.channel);
  auto reply = std::make_unique<JoinReply>();
  reply->kind = channel.kind;
  reply->again = request.again;
  reply->paced = request.paced;
  reply->app = request.app;
  reply->who = request.who;
  reply->token = request.token;
  reply->channel = request.channel;
  reply->order = delivered_order_;
  Admission admission;
  {
    const memory::MayFail admitting;
    admit(channel, request, admission);
  }
  reply->refused = admission.refused;
  if (reply->refused != Reason::kNone) {
    courier_.send(from, MsgJoined{std::move(reply)});
    return close_if_unused(channel);
  }
  if (channel.presence) reply->user_id = request.member.user_id;
  reply->members = std::move(admission.members);
  reply->history = std::move(admission.history);
  if (admission.added) ++tallies_[request.app].members;
  if (admission.added_event) spread(channel.interest, admission.added_event);
  if (channel.cached) reply->cached = channel.cached->publication;
  if (!request.again) add_reader(channel, from);
  courier_.send(from, MsgJoined{std::move(reply)});
  if (request.again) return close_if_unused(channel);
  if (channel.kind.user()) return user_came(channel);
  count_changed(channel);
}

void HomeHub::leave(ShardIndex from, const LeaveRequest& request) {
  const memory::MustSucceed leaving;
  HomeChannel* channel = channels_.find(request.app, request.channel);
  KILAT_CHECK(channel != nullptr);
  remove_reader(*channel, from);
  if (channel->presence && channel->presence->remove(request.user_id)) {
    --tallies_[request.app].members;
    spread(channel->interest, member_event(*channel, Publication::Kind::kMemberRemoved, Member{request.user_id, {}}));
  }
  if (channel->kind.user()) {
    user_went(*channel);
  } else {
    count_changed(*channel);
  }
  if (channel->kept && channel->subscribers == 0) {
    channel->kept->quiet_ms = now_ms_;
    watch_history(*channel);
    if (channel->kept->history.position().offset == 0) rank(*channel);
  }
  close_if_unused(*channel);
}

PublicationPtr HomeHub::member_event(const HomeChannel& channel, Publication::Kind kind, const Member& member) {
  return Publication::make(
      {.kind = kind, .app = channel.app, .channel = channel.name, .data = member.info, .user_id = member.user_id});
}

void HomeHub::count_changed(HomeChannel& channel) {
  if (channel.presence || !apps_[channel.app].settings.subscription_count || channel.interest == 0) return;
  if (channel.subscribers <= kCountEveryChangeMax) return send_count(channel);
  if (!channel.count) channel.count = std::make_unique<CountThrottle>(&HomeHub::on_count_due, *this, channel);
  if (!channel.count->timer.armed()) wheel_.schedule(channel.count->timer, now_ms_ + kCountIntervalMs);
}

void HomeHub::send_count(HomeChannel& channel) {
  if (channel.count) channel.count->told = channel.subscribers;
  spread(channel.interest, Publication::make({.kind = Publication::Kind::kSubscriptionCount,
                                              .app = channel.app,
                                              .channel = channel.name,
                                              .number = channel.subscribers}));
}

void HomeHub::on_count_due(Timer& timer) {
  const memory::MustSucceed telling;
  auto& due = static_cast<ChannelTimer&>(timer);
  HomeChannel& channel = due.channel;
  if (channel.interest != 0 && channel.count->told != channel.subscribers) due.hub.send_count(channel);
}

/// What a cached event counts against kCacheBytesMax: also the channel that it keeps alive, so that empty events to
/// ever new channels are bounded as well.
uint64_t HomeHub::cached_cost(const Publication& publication) {
  return kCachedOverheadBytes + 2 * publication.channel().size() + publication.event().size() +
         publication.data().size();
}

void HomeHub::store(HomeChannel& channel, const PublicationPtr& publication) {
  auto event = std::make_unique<CachedEvent>(&HomeHub::on_cache_expired, *this, channel);
  event->publication = publication;
  event->place = cached_.insert(cached_.end(), &channel);
  drop_cached(channel);
  channel.cached = std::move(event);
  wheel_.schedule(channel.cached->expiry, now_ms_ + uint64_t{apps_[channel.app].settings.cache_ttl_s} * 1000);
  cached_bytes_ += cached_cost(*publication);
  while (cached_bytes_ > kCacheBytesMax && cached_.front() != &channel) {
    HomeChannel& oldest = *cached_.front();
    drop_cached(oldest);
    close_if_unused(oldest);
  }
}

void HomeHub::drop_cached(HomeChannel& channel) {
  if (!channel.cached) return;
  cached_bytes_ -= cached_cost(*channel.cached->publication);
  cached_.erase(channel.cached->place);
  channel.cached.reset();
}

void HomeHub::on_cache_expired(Timer& timer) {
  auto& due = static_cast<ChannelTimer&>(timer);
  HomeHub& hub = due.hub;
  HomeChannel& channel = due.channel;
  hub.drop_cached(channel);
  hub.close_if_unused(channel);
}

QueryReply HomeHub::query(const Query& query) const {
  QueryReply reply;
  const auto counts = [](const HomeChannel& channel) {
    return ChannelCounts{channel.name, channel.subscribers,
                         channel.presence ? static_cast<uint32_t>(channel.presence->size()) : 0};
  };
  if (query.kind == Query::Kind::kChannels) {
    for (const auto& channel : channels_) {
      if (channel->app == query.app && channel->subscribers > 0 && !channel->kind.user() &&
          channel->name.starts_with(query.name)) {
        reply.channels.push_back(counts(*channel));
      }
    }
    return reply;
  }
  const HomeChannel* channel = channels_.find(query.app, query.name);
  if (query.kind == Query::Kind::kHistory) {
    reply.history_off = history_rules_[query.app].find(query.name) == nullptr;
    if (channel != nullptr && channel->kept)
      reply.history = channel->kept->history.page(query.range, limits_.answer_bytes_max);
    return reply;
  }
  if (channel == nullptr) return reply;
  reply.channels.push_back(counts(*channel));
  if (query.kind == Query::Kind::kUsers && channel->presence) {
    for (const Member& member : *channel->presence->list()) reply.users.push_back(member.user_id);
  }
  if (channel->cached) {
    reply.cached = channel->cached->publication;
    const uint64_t deadline = channel->cached->expiry.deadline_ms();
    reply.cache_ttl_ms = deadline > now_ms_ ? deadline - now_ms_ : 0;
  }
  return reply;
}

void HomeHub::tap(ShardIndex from, AppIndex app, bool on) {
  uint32_t& count = tap_counts_[app][from];
  count += on ? 1 : -1;
  const uint64_t bit = uint64_t{1} << from;
  taps_[app] = count > 0 ? taps_[app] | bit : taps_[app] & ~bit;
}

}  // namespace kilat::hub
