// HomeHub: the channels whose home is this shard. Applies joins, leaves, publishes and queries in the order in which
// they arrive, and answers through the same ordered path that carries the deliveries.
// Owner: one shard's thread. Bounds: cached events in bytes (kCacheBytesMax), histories in bytes (HomeLimits); members
// by the app's settings; watchers by the watchlist limit of the connections.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "base/timer_wheel.h"
#include "flow/counters.h"
#include "flow/event.h"
#include "hub/app_table.h"
#include "hub/channel_set.h"
#include "hub/command.h"
#include "hub/home_channel.h"
#include "hub/repeats.h"
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

/// What a home may hold, beside the settings of the apps.
struct HomeLimits {
  uint64_t history_bytes_max = 256ull * 1024 * 1024;  ///< all histories of the shard together
  uint64_t answer_bytes_max = 512 * 1024;             ///< of missed events for one joiner, of a page of history
  uint64_t past_bytes_per_turn = 512 * 1024;          ///< of missed events for the joiners of a shard, see PacedJoins
};

/// What a home does with an event of a channel beside telling it, as the rules are now; of several the last here.
enum class Care : uint8_t {
  kNone,
  kFolds,       ///< a flow rule is about it
  kKeepsLast,   ///< a cache channel
  kKeeps,       ///< it has a history
  kKeepsOnDisk  ///< a durable one
};

class DurableLog;
struct AppFlow;

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

  void set_now(uint64_t now_ms, uint64_t unix_ms) {
    now_ms_ = now_ms;
    unix_ms_ = unix_ms;
  }
  void set_limits(const HomeLimits& limits) { limits_ = limits; }

  // Without memory a join or a publish is refused with nothing changed; the others use the reserve. Only query()
  // throws.
  void join(ShardIndex from, JoinRequest& request);
  void leave(ShardIndex from, const LeaveRequest& request);
  /// Delivers to every interested shard, or refuses before anything was delivered. Nothing: an event of a durable
  /// channel is being written; MsgPublished follows.
  std::optional<PublishReply> publish(const PublicationPtr& publication, const Publisher& publisher);
  /// What DurableLog::append() was asked for is on disk, or will never be.
  void on_committed(uint64_t tag, bool committed);
  /// Null: durable channels refuse their events.
  void set_durable(DurableLog* durable) { durable_ = durable; }
  /// Durable events get orders from this one on, which is above all that any home has ever given. Before any event.
  void set_first_order(uint64_t order) { last_order_ = delivered_order_ = order - 1; }
  /// What flow rules hold is told before its time. As other homes may send more into a chain of rules, the end needs it
  /// once a turn.
  void flush_flows();
  /// Nothing has come to a rule since.
  bool flows_flushed() const;

  // --- at start, before anything else: durable histories as they were
  /// Null: the app has no such rule any more.
  HomeChannel* restore(AppIndex app, std::string_view name, Position position, uint64_t gone_order);
  void restore_event(HomeChannel& channel, const PublicationPtr& publication, uint64_t offset, uint64_t unix_ms);
  QueryReply query(const Query& query) const;
  /// What the home of `channel`, on whichever shard, would do with an event.
  Care care_of(AppIndex app, std::string_view channel) const;
  void watch(ShardIndex from, const WatchRequest& request);
  void tap(ShardIndex from, AppIndex app, bool on);

  size_t channel_count() const { return channels_.size(); }
  uint64_t cached_bytes() const { return cached_bytes_; }
  uint64_t history_bytes() const { return history_bytes_; }
  /// What the flow rules of an app have done here, in their order.
  std::vector<flow::FlowCounters> flow_counters(AppIndex app) const;
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
  /// A setting of an app has changed.
  void apps_changed();

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
  // home_publish.cc
  struct Committing {
    PublicationPtr publication;
    HomeChannel* channel;
    std::vector<Publisher> publishers;  ///< who hears of it; more than one have used the same idempotency key
  };
  PublishReply refuse(const Publication& publication, Reason reason);
  uint64_t interest_of(const HomeChannel* channel, const Publication& publication) const;
  static PublishReply counts_of(const HomeChannel* channel);
  std::optional<PublishReply> take(HomeChannel*& channel, const PublicationPtr& publication,
                                   const Publisher& publisher);
  std::optional<PublishReply> commit(HomeChannel& channel, const PublicationPtr& publication,
                                     const Publisher& publisher);
  bool has_room_for(uint64_t interest) const;
  uint64_t repeat_until_ms(const Publication& publication) const;
  void store(HomeChannel& channel, const PublicationPtr& publication);
  void drop_cached(HomeChannel& channel);
  // home_history.cc
  KeptHistory* history_of(HomeChannel& channel);
  void change_limits(HomeChannel& channel, const HistoryLimits& limits);
  HomeChannel* open_for_history(HomeChannel* channel, const Publication& publication);
  bool answers(const HomeChannel& channel, const HistoryAsk& ask) const;
  HistoryAnswer past_of(HomeChannel& channel, const HistoryAsk& ask);
  bool room_for_asked();
  void rank(const HomeChannel& channel);
  void keep(HomeChannel& channel, const PublicationPtr& publication);
  void trim(HomeChannel& channel);
  bool begin_log(HomeChannel& channel);
  void drop_history(HomeChannel& channel);
  void watch_history(HomeChannel& channel);
  void let_go_of_histories(const HomeChannel& newest);
  static uint64_t kept_cost(const HomeChannel& channel);
  static void on_history_due(Timer& timer);

  // home_flow.cc
  void set_flow(AppIndex app);
  bool fold(const Publication& publication, std::vector<flow::Emission>& results);
  void watch_flow(AppFlow& flow);
  void emit(AppIndex app, const std::vector<flow::Emission>& results);
  static void on_flow_due(Timer& timer);

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
  HomeLimits limits_;
  Random random_;
  uint64_t now_ms_ = 0;
  uint64_t unix_ms_ = 0;
  ChannelSet<HomeChannel> channels_;
  std::list<HomeChannel*> cached_;  ///< channels with a cached event, oldest first
  uint64_t cached_bytes_ = 0;
  std::list<HomeChannel*>
      histories_;  ///< channels with a history, those without any first, then the one with the oldest last event
  uint64_t history_bytes_ = 0;
  std::vector<HistoryRules> history_rules_;  ///< by app
  uint32_t rules_version_ = 0;
  Repeats repeats_;
  std::vector<std::unique_ptr<AppFlow>> flows_;  ///< by app; null: no rules
  DurableLog* durable_ = nullptr;
  std::unordered_map<uint64_t, Committing> committing_;  ///< by tag
  uint64_t last_tag_ = 0;
  uint64_t last_order_ = 0;                        ///< given to a durable event
  uint64_t delivered_order_ = 0;                   ///< of the last one that was told
  std::vector<HomeTally> tallies_;                 ///< by app
  std::vector<uint64_t> taps_;                     ///< by app: shards that tap it
  std::vector<std::vector<uint32_t>> tap_counts_;  ///< by app and shard
};

}  // namespace kilat::hub
