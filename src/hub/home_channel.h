// HomeChannel: the one place that knows a channel: its order, counts, members, last event and watchers.
// Owner: the home shard, hash(app, name) mod shards. Exists while somebody subscribes or watches, or an event is
// cached or kept.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/command.h"
#include "hub/history.h"

namespace kilat::hub {

class HomeHub;
struct HomeChannel;

/// The members of a presence channel, keyed by user id: several connections of one user are one member.
class Presence {
 public:
  /// True when this is the user's first connection here. A later connection's info is not used: the member stays as it
  /// joined until the last connection leaves, so that all see the same.
  bool add(const Member& member);
  /// True when this was the user's last connection.
  bool remove(const std::string& user_id);
  bool contains(const std::string& user_id) const { return by_id_.contains(user_id); }
  size_t size() const { return by_id_.size(); }
  /// All members in the order they joined; built once and shared until the next change.
  std::shared_ptr<const MemberList> list();

 private:
  struct Entry {
    uint32_t connections;
    std::list<Member>::iterator member;
  };
  std::list<Member> members_;
  std::unordered_map<std::string, Entry> by_id_;
  std::shared_ptr<const MemberList> list_;
};

/// A timer that knows its channel.
struct ChannelTimer : Timer {
  ChannelTimer(Callback callback, HomeHub& hub_in, HomeChannel& channel_in)
      : Timer(callback), hub(hub_in), channel(channel_in) {}
  HomeHub& hub;
  HomeChannel& channel;
};

/// The last event a backend published to a cache channel.
struct CachedEvent {
  CachedEvent(Timer::Callback callback, HomeHub& hub, HomeChannel& channel) : expiry(callback, hub, channel) {}
  PublicationPtr publication;
  ChannelTimer expiry;
  std::list<HomeChannel*>::iterator place;  ///< in HomeHub::cached_, oldest first
};

/// Throttles `subscription_count` above the size where every change is told (docs/protocol.md).
struct CountThrottle {
  CountThrottle(Timer::Callback callback, HomeHub& hub, HomeChannel& channel) : timer(callback, hub, channel) {}
  ChannelTimer timer;
  uint32_t told = 0;
};

/// Who wants to know whether the user of a user channel is online.
struct Watchers {
  Watchers(Timer::Callback callback, HomeHub& hub, HomeChannel& channel) : offline_timer(callback, hub, channel) {}
  struct Watcher {
    ShardIndex shard;
    Handle who;
  };
  std::vector<Watcher> list;
  ChannelTimer offline_timer;  ///< going offline is told late, to ride out reconnects
  bool told_online = false;
};

/// The last events of a channel, for those who come back.
struct KeptHistory {
  KeptHistory(Timer::Callback callback, HomeHub& hub, HomeChannel& channel, uint32_t epoch)
      : history(epoch), expiry(callback, hub, channel) {}
  History history;
  HistoryLimits limits;
  // Durable: what is being written.
  uint64_t promised = 0;                    ///< offset of the last event that was handed to the log
  uint32_t in_flight = 0;                   ///< events that are not answered yet
  bool begun = false;                       ///< the log knows the channel
  bool failed = false;                      ///< one of them was not written
  uint64_t trimmed = 0;                     ///< the log was told to forget events up to this offset
  uint64_t quiet_ms = 0;                    ///< since when there was no event, and nobody has left
  ChannelTimer expiry;                      ///< of the oldest event, or of the history
  std::list<HomeChannel*>::iterator place;  ///< in HomeHub::histories_
};

struct HomeChannel {
  AppIndex app;
  ChannelKind kind;
  std::string name;
  uint64_t interest = 0;  ///< bit per shard that has a subscriber
  uint32_t subscribers = 0;
  std::vector<uint32_t> by_shard;  ///< subscribers of each shard
  uint32_t rules_seen = 0;         ///< for which HomeHub::rules_version_ it is known whether it keeps a history
  std::unique_ptr<Presence> presence;
  std::unique_ptr<CachedEvent> cached;
  std::unique_ptr<KeptHistory> kept;
  std::unique_ptr<CountThrottle> count;
  std::unique_ptr<Watchers> watchers;

  bool unused() const { return subscribers == 0 && !cached && !kept && !watchers; }
};

}  // namespace kilat::hub
