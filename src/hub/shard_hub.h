// ShardHub: everything the hub does on one shard. To the protocol sessions and the HTTP API it is "the hub": they call
// it, and hear back through Sink. It sends commands to the channels' home shards, is the home of its own share of the
// channels, and delivers to its own readers.
// Owner: one shard's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hub/app_table.h"
#include "hub/home_hub.h"
#include "hub/local_hub.h"
#include "hub/paced_joins.h"
#include "hub/sink.h"
#include "net/mailbox.h"

namespace kilat::hub {

class ShardHub final : private Courier {
 public:
  ShardHub(const AppTable& apps, net::Mailbox<Command>& mailbox, Sink& sink, TimerWheel& wheel);

  /// The table of apps has grown; before anything of a new app comes.
  void apps_added();
  /// A setting of an app has changed.
  void apps_changed() { home_.apps_changed(); }
  void set_limits(const HomeLimits& limits) {
    home_.set_limits(limits);
    paced_.set_pace(limits.past_bytes_per_turn);
  }
  HomeHub& home() { return home_; }

  /// Microseconds, monotonic; once a turn. Only for what is timed.
  void set_now_us(uint64_t now_us) { now_us_ = now_us; }
  /// Of the timed publications (one in kTimedOneIn) delivered since the last call: when each was taken.
  std::vector<uint64_t>& timed() { return timed_; }
  static constexpr uint64_t kTimedOneIn = 64;
  static constexpr size_t kTimedMax = 64;

  /// Milliseconds, monotonic and since 1970; once a turn.
  void set_now(uint64_t now_ms, uint64_t unix_ms) { home_.set_now(now_ms, unix_ms); }

  /// Notes from now on how far each home's durable events have come to this shard; `first`: HomeHub::set_first_order.
  void track_orders(uint64_t first);
  /// 0: it notes nothing.
  uint64_t first_order() const { return first_order_; }
  /// By home: durable events of it up to this order were handed to those readers here that were to get them. Empty
  /// where nothing is noted.
  std::span<const uint64_t> handed() const { return handed_; }

  // --- connections
  void add(Subscriber& subscriber) { local_.add(subscriber); }
  /// Leaves all channels and forgets the connection.
  void remove(Subscriber& subscriber);

  /// Subscribes; Sink::on_joined follows, perhaps before this returns. Joining a channel again counts nothing and
  /// answers with its present state. `member` is used for presence channels only; `history`, if there is one, when it
  /// is the first time: where it asks for past events, the answer may take some turns (PacedJoins), and answers what
  /// is asked again meanwhile, too.
  void join(Subscriber& subscriber, std::string_view channel, Member member = {}, JoinOptions options = {},
            std::unique_ptr<HistoryAsk> history = nullptr);
  /// False when there was no subscription.
  bool leave(Subscriber& subscriber, std::string_view channel);
  void leave_all(Subscriber& subscriber);

  /// Tells the subscriber through Sink::on_user_status whether the user is online, now and on every change.
  void watch(Subscriber& subscriber, std::string_view user_id, bool on);

  // --- publishing
  /// Publishes; order is kept per channel and caller. Nothing when the answer will come through Sink::on_published
  /// (only when `request` is not 0). A refusal means that nothing was delivered.
  std::optional<PublishReply> publish(PublicationPtr publication, RequestId request = 0, uint32_t index = 0);

  /// Whether the homes of all these channels will take an event: so that a request for many channels is refused as a
  /// whole. The homes may still refuse one when a shard of its readers is full.
  bool has_room_for(AppIndex app, std::span<const std::string> channels) const;

  // --- questions: the answers come through Sink::on_answer, as many as the return value says
  uint32_t query(RequestId request, const Query& query);

  /// Starts or ends a tap: this shard gets every event of the app through Sink::on_tap.
  void tap(AppIndex app, bool on);

  /// Hands a letter to Sink::on_letter of a shard; on this shard before it returns. Letters between two shards keep
  /// their order. std::bad_alloc never: it may use the reserve.
  void post(ShardIndex to, std::unique_ptr<Letter> letter) { send(to, MsgLetter{shard(), std::move(letter)}); }
  /// Whether a shard can take more: what can be refused should ask first.
  bool has_room_at(ShardIndex to) const { return has_room(to); }

  // --- the shard's loop
  void receive(Command&& command);
  /// Once a turn: lets go of joins that want past events.
  void let_join();
  /// Whether let_join() has something to do in the next turn.
  bool joins_due() const { return paced_.due(); }
  /// Before the flush at the end of a turn.
  void finish_turn() { local_.carry_out_kicks(); }
  /// Before that, when a pool of outboxes has noted room (net::OutboxPool::take_room).
  void catch_up() { local_.catch_up(); }

  LocalHub& local() { return local_; }
  const LocalHub& local() const { return local_; }
  const HomeHub& home() const { return home_; }
  ShardIndex home_of_channel(AppIndex app, std::string_view channel) const;
  ShardIndex shard() const { return mailbox_.shard(); }
  ShardIndex shards() const { return mailbox_.shards(); }

 private:
  void send(ShardIndex to, Command&& command) override;
  bool has_room(ShardIndex to) const override;
  void send_paced();
  /// A try to join, if it has not been given up; else null.
  static Subscription* find_try(Subscriber* subscriber, uint32_t token, std::string_view channel);
  void end_subscription(Subscriber& subscriber, size_t index);
  void conclude_join(Subscriber& subscriber, Subscription& subscription, const JoinReply& reply);
  void note_handed(AppIndex app, std::string_view channel, uint64_t order);
  void send_leave(AppIndex app, std::string_view channel, std::string user_id);

  // None of these throws: what there is no memory for is refused, or the reader it was for starves.
  void on(CmdJoin&& command) { home_.join(command.from, *command.request); }
  void on(CmdLeave&& command) { home_.leave(command.from, *command.request); }
  void on(CmdPublish&& command);
  void on(CmdQuery&& command);
  void on(CmdWatch&& command) { home_.watch(command.from, *command.request); }
  void on(CmdTap&& command) { home_.tap(command.from, command.app, command.on); }
  void on(MsgDeliver&& message);
  void on(MsgJoined&& message);
  void on(MsgPublished&& message) { sink_.on_published(message.request, message.reply); }
  void on(MsgAnswer&& message) { sink_.on_answer(message.request, std::move(*message.reply)); }
  void on(MsgUserStatus&& message);
  void on(MsgLetter&& message) { sink_.on_letter(message.from, std::move(message.letter)); }

  const AppTable& apps_;
  net::Mailbox<Command>& mailbox_;
  Sink& sink_;
  LocalHub local_;
  HomeHub home_;
  PacedJoins paced_{HomeLimits{}.past_bytes_per_turn};
  std::vector<uint32_t> tapped_;  ///< by app: taps on this shard
  std::vector<uint64_t> timed_;
  std::vector<uint64_t> handed_;  ///< by home
  uint64_t first_order_ = 0;
  uint64_t publishes_ = 0;
  uint64_t now_us_ = 0;
};

}  // namespace kilat::hub
