// HomeHub: the channels whose home is this shard. Applies joins, leaves, publishes and queries in the order in which
// they arrive, and answers through the same ordered path that carries the deliveries.
// Owner: one shard's thread. Bounds: cached events in bytes (kCacheBytesMax); members by the app's settings;
// watchers by the watchlist limit of the connections.
#pragma once

#include <cstdint>
#include <list>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/app_table.h"
#include "hub/channel_set.h"
#include "hub/command.h"
#include "hub/home_channel.h"
#include "hub/tally.h"

namespace kilat::hub {

/// How the home reaches the shards, its own included.
class Courier {
 public:
  virtual void send(ShardIndex to, Command&& command) = 0;
  /// Whether a delivery to `to` will be taken.
  virtual bool has_room(ShardIndex to) const = 0;

 protected:
  ~Courier() = default;
};

class HomeHub {
 public:
  static constexpr uint64_t kCacheBytesMax = 64ull * 1024 * 1024;
  static constexpr uint64_t kCachedOverheadBytes = 512;  ///< of a cached event and its channel, besides the texts
  static constexpr uint32_t kCountEveryChangeMax = 100;  ///< docs/protocol.md
  static constexpr uint64_t kCountIntervalMs = 5'000;
  static constexpr uint64_t kOfflineDelayMs = 3'000;  ///< docs/protocol.md

  HomeHub(const AppTable& apps, ShardIndex shards, Courier& courier, TimerWheel& wheel);
  ~HomeHub();
  HomeHub(const HomeHub&) = delete;
  HomeHub& operator=(const HomeHub&) = delete;

  void set_now(uint64_t now_ms) { now_ms_ = now_ms; }

  // Without memory a join or a publish is refused with nothing changed; the others use the reserve. Only query()
  // throws.
  void join(ShardIndex from, JoinRequest& request);
  void leave(ShardIndex from, const LeaveRequest& request);
  /// Delivers to every interested shard, or refuses before anything was delivered.
  PublishReply publish(const PublicationPtr& publication);
  QueryReply query(const Query& query) const;
  void watch(ShardIndex from, const WatchRequest& request);
  void tap(ShardIndex from, AppIndex app, bool on);

  size_t channel_count() const { return channels_.size(); }
  uint64_t cached_bytes() const { return cached_bytes_; }
  /// By app.
  const std::vector<HomeTally>& tallies() const { return tallies_; }
  /// Counts an event that was refused before it came here.
  void count_refused(const Publication& publication) {
    if (publication.kind() == Publication::Kind::kEvent) {
      ++tallies_[publication.app()].refused[publication.from_client()];
    }
  }
  /// The table of apps has grown.
  void apps_added();

 private:
  HomeChannel& open(AppIndex app, std::string_view name);
  void close_if_unused(HomeChannel& channel);
  struct Admission;
  void admit(HomeChannel& channel, const JoinRequest& request, Admission& admission);
  void add_reader(HomeChannel& channel, ShardIndex shard);
  void remove_reader(HomeChannel& channel, ShardIndex shard);
  void spread(uint64_t interest, const PublicationPtr& publication);
  static PublicationPtr member_event(const HomeChannel& channel, Publication::Kind kind, const Member& member);
  void count_changed(HomeChannel& channel);
  void send_count(HomeChannel& channel);
  void store(HomeChannel& channel, const PublicationPtr& publication);
  void drop_cached(HomeChannel& channel);
  void user_came(HomeChannel& channel);
  void user_went(HomeChannel& channel);
  void tell_watchers(HomeChannel& channel, bool online);

  static uint64_t cached_cost(const Publication& publication);
  static void on_cache_expired(Timer& timer);
  static void on_count_due(Timer& timer);
  static void on_offline_due(Timer& timer);

  const AppTable& apps_;
  ShardIndex shards_;
  Courier& courier_;
  TimerWheel& wheel_;
  uint64_t now_ms_ = 0;
  ChannelSet<HomeChannel> channels_;
  std::list<HomeChannel*> cached_;  ///< channels with a cached event, oldest first
  uint64_t cached_bytes_ = 0;
  std::vector<HomeTally> tallies_;                 ///< by app
  std::vector<uint64_t> taps_;                     ///< by app: shards that tap it
  std::vector<std::vector<uint32_t>> tap_counts_;  ///< by app and shard
};

}  // namespace kilat::hub
