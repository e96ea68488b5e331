// A whole server's hub in one thread: N shards, their mailboxes, and a sink that writes everything down. Messages move
// only when the test says so, so every interleaving of the shards can be played.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timer_wheel.h"
#include "hub/shard_hub.h"

namespace kilat::hub::testing {

inline constexpr Format kPlain = 0;
inline constexpr Format kOther = 1;
inline constexpr Format kPositions = 2;  ///< with the offset of each event
inline constexpr Format kOwn = 3;        ///< a format whose frames are not shared

/// What a publication looks like in a client's log.
inline std::string text_of(const Publication& publication) {
  const std::string channel(publication.channel());
  switch (publication.kind()) {
    case Publication::Kind::kEvent: return channel + ": " + std::string(publication.data());
    case Publication::Kind::kMemberAdded: return channel + " +" + std::string(publication.user_id());
    case Publication::Kind::kMemberRemoved: return channel + " -" + std::string(publication.user_id());
    case Publication::Kind::kSubscriptionCount: return channel + " #" + std::to_string(publication.number());
    case Publication::Kind::kKick: return channel + " kick";
  }
  return "?";
}

/// A connection. Its log is its outbox: deliveries and whatever the sink tells, in the order the client would see.
class Client final : public Subscriber {
 public:
  Client(SocketId socket_id, Format format, net::OutboxPool& pool)
      : Subscriber(0, socket_id, format, box_), box_(pool) {}

  void write(std::string_view text) { box_.push(net::FramePtr::make(text)); }

  /// What came since the last call.
  std::vector<std::string> log() {
    std::vector<net::Frame*> frames(box_.frames());
    box_.peek(frames);
    std::vector<std::string> result;
    for (net::Frame* frame : frames) result.emplace_back(frame->bytes());
    box_.consume(box_.bytes());
    return result;
  }
  /// The same, but at most so many frames: it reads slowly.
  std::vector<std::string> read(size_t count) {
    std::vector<net::Frame*> frames(std::min<size_t>(count, box_.frames()));
    box_.peek(frames);
    std::vector<std::string> result;
    size_t bytes = 0;
    for (net::Frame* frame : frames) {
      result.emplace_back(frame->bytes());
      bytes += frame->size();
    }
    box_.consume(bytes);
    return result;
  }

 private:
  net::Outbox box_;
};

class RecordingSink final : public Sink {
 public:
  net::FramePtr encode(const Publication& publication, Format format) override {
    ++encoded;
    const bool offset = format == kPositions && publication.kind() == Publication::Kind::kEvent;
    return net::FramePtr::make(text_of(publication) + (offset ? " @" + std::to_string(publication.number()) : ""));
  }
  bool shared(Format format) const override { return format != kOwn; }
  void deliver_own(Subscriber& subscriber, const Publication& publication) override {
    client(subscriber).write(text_of(publication));
  }
  void on_missed(Subscriber& subscriber, std::string_view channel, uint64_t count) override {
    client(subscriber).write(std::string(channel) + " missed " + std::to_string(count));
  }
  void on_joined(Subscriber& subscriber, const JoinReply& reply) override {
    std::string text = reply.channel + (reply.again ? " joined again" : " joined");
    if (reply.refused != Reason::kNone) text = reply.channel + " refused " + std::string(reason_row(reply.refused).id);
    if (reply.refused == Reason::kNone && !reads(subscriber, reply.channel)) text += " BUT DOES NOT READ";
    if (reply.members) {
      text += " [";
      for (const Member& member : *reply.members) text += member.user_id + member.info + " ";
      if (text.back() == ' ') text.pop_back();
      text += "]";
    }
    if (reply.cached) text += " cached " + std::string(reply.cached->data());
    if (reply.history) {
      positions[{&subscriber, reply.channel}] = reply.history->position;
      text += " at " + std::to_string(reply.history->position.offset);
      if (reply.history->asked && reply.history->refused == Reason::kNone) text += " recovered";
      if (reply.history->refused != Reason::kNone) text += " " + std::string(reason_row(reply.history->refused).id);
    }
    client(subscriber).write(text);
  }
  void on_user_status(Subscriber& subscriber, const UserStatus& status) override {
    client(subscriber)
        .write(std::string(status.initial ? "is " : "now ") + (status.online ? "online " : "offline ") +
               status.user_id);
  }
  void on_kick(Subscriber& subscriber, Reason reason) override {
    client(subscriber).write("kicked " + std::string(reason_row(reason).id));
  }
  void on_published(RequestId request, const PublishReply& reply) override { published.emplace_back(request, reply); }
  void on_answer(RequestId request, QueryReply reply) override { answers.emplace_back(request, std::move(reply)); }
  void on_letter(ShardIndex, std::unique_ptr<Letter>) override {}
  void on_tap(const Publication& publication) override { taps.push_back(text_of(publication)); }

  uint32_t encoded = 0;
  std::vector<std::pair<RequestId, PublishReply>> published;
  std::vector<std::pair<RequestId, QueryReply>> answers;
  std::vector<std::string> taps;
  std::map<std::pair<const Subscriber*, std::string>, Position> positions;  ///< as the last join said

 private:
  static Client& client(Subscriber& subscriber) { return static_cast<Client&>(subscriber); }
  static bool reads(const Subscriber& subscriber, std::string_view channel) {
    const Subscription* subscription = subscriber.find(channel);
    return subscription != nullptr && subscription->place != Subscription::kPending &&
           subscription->place != Subscription::kQueued;
  }
};

struct Shard {
  Shard(const AppTable& apps, net::MailGrid<Command>& grid, ShardIndex index)
      : mailbox(grid, index, nullptr), hub(apps, mailbox, sink, wheel) {}
  TimerWheel wheel{0};
  net::Mailbox<Command> mailbox;
  RecordingSink sink;
  ShardHub hub;
};

inline AppSettings settings() {
  AppSettings app;
  app.id = "1";
  app.key = "key";
  app.secret = "secret";
  return app;
}

class World {
 public:
  explicit World(ShardIndex shards, const AppSettings& app = settings(), size_t slots = 1'024,
                 const net::OutboxLimits& limits = {.hard_bytes = UINT32_MAX})
      : apps_({app}), grid_(shards, slots), pool_(limits) {
    for (ShardIndex i = 0; i < shards; ++i) shards_.push_back(std::make_unique<Shard>(apps_, grid_, i));
  }
  ~World() {
    while (!clients_.empty()) close(*clients_.back().second);
  }

  /// All shards have the app's new settings.
  void reload(const AppSettings& app) {
    apps_.apply({app});
    for (const auto& shard : shards_) shard->hub.apps_changed();
  }

  void set_limits(const HomeLimits& limits) {
    for (const auto& shard : shards_) shard->hub.set_limits(limits);
  }

  ShardIndex size() const { return static_cast<ShardIndex>(shards_.size()); }
  Shard& operator[](ShardIndex index) { return *shards_[index]; }

  Client& connect(ShardIndex shard, Format format = kPlain) {
    const SocketId id{shard + 1, ++last_id_};
    clients_.emplace_back(shard, std::make_unique<Client>(id, format, pool_));
    shards_[shard]->hub.add(*clients_.back().second);
    return *clients_.back().second;
  }
  void close(Client& client) {
    const auto at = std::ranges::find_if(clients_, [&](const auto& entry) { return entry.second.get() == &client; });
    shards_[at->first]->hub.remove(client);
    clients_.erase(at);
  }
  ShardHub& hub_of(const Client& client) { return shards_[client.socket_id().place - 1]->hub; }

  void join(Client& client, std::string_view channel, std::string_view user = {}, std::string_view info = {}) {
    hub_of(client).join(client, channel, Member{std::string(user), std::string(info)});
  }
  void join_with(Client& client, std::string_view channel, const HistoryAsk& ask) {
    hub_of(client).join(client, channel, {}, {.positions = true, .format = kPositions},
                        std::make_unique<HistoryAsk>(ask));
  }
  Position position(Client& client, const std::string& channel) {
    return shards_[client.socket_id().place - 1]->sink.positions[{&client, channel}];
  }
  bool leave(Client& client, std::string_view channel) { return hub_of(client).leave(client, channel); }
  void watch(Client& client, std::string_view user, bool on = true) { hub_of(client).watch(client, user, on); }

  std::optional<PublishReply> publish(ShardIndex from, const PublicationDraft& draft, RequestId request = 0,
                                      uint32_t index = 0) {
    return shards_[from]->hub.publish(Publication::make(draft), request, index);
  }
  std::optional<PublishReply> publish(ShardIndex from, std::string_view channel, std::string_view data) {
    return publish(from, PublicationDraft{.channel = channel, .event = "event", .data = data});
  }

  /// Moves one message from one shard to another. False when there is none.
  bool step(ShardIndex from, ShardIndex to) {
    shards_[from]->hub.let_join();
    shards_[from]->mailbox.deliver();
    return grid_.ring(from, to).consume([&](Command&& command) { shards_[to]->hub.receive(std::move(command)); }, 1) ==
           1;
  }
  bool has_mail(ShardIndex from, ShardIndex to) {
    shards_[from]->mailbox.deliver();
    return grid_.ring(from, to).size_approx() > 0;
  }
  /// Moves messages until there are none.
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& shard : shards_) shard->mailbox.deliver();
      for (const auto& shard : shards_) {
        moved |= shard->mailbox.drain(SIZE_MAX, [&](Command&& command) { shard->hub.receive(std::move(command)); }) > 0;
        moved |= shard->hub.joins_due();
        shard->hub.let_join();
      }
    }
    for (const auto& shard : shards_) {
      shard->hub.catch_up();
      shard->hub.finish_turn();
    }
  }
  /// Lets time go by after all messages have arrived.
  void pass(uint64_t ms) {
    pump();
    now_ms_ += ms;
    for (const auto& shard : shards_) {
      shard->hub.set_now(now_ms_, now_ms_);
      shard->wheel.advance(now_ms_);
    }
    pump();
  }

  QueryReply ask(ShardIndex from, const Query& query) {
    std::vector<std::pair<RequestId, QueryReply>>& answers = shards_[from]->sink.answers;
    answers.clear();
    const uint32_t expected = shards_[from]->hub.query(77, query);
    pump();
    EXPECT_EQ(answers.size(), expected);
    QueryReply all;
    for (auto& [request, reply] : answers) {
      EXPECT_EQ(request, 77U);
      for (ChannelCounts& counts : reply.channels) all.channels.push_back(std::move(counts));
      for (std::string& user : reply.users) all.users.push_back(std::move(user));
      if (reply.cached) all.cached = reply.cached, all.cache_ttl_ms = reply.cache_ttl_ms;
      all.history_off |= reply.history_off;
      if (reply.history.position.epoch != 0) all.history = std::move(reply.history);
    }
    return all;
  }
  uint32_t subscriptions(std::string_view channel) {
    const QueryReply reply = ask(0, {.kind = Query::Kind::kChannel, .name = std::string(channel)});
    return reply.channels.empty() ? 0 : reply.channels[0].subscriptions;
  }
  /// Channels that any shard still knows, in either role.
  size_t channels_left() const {
    size_t count = 0;
    for (const auto& shard : shards_) count += shard->hub.home().channel_count() + shard->hub.local().channel_count();
    return count;
  }

  /// A channel name with `prefix` whose home is `home`.
  std::string name_at(ShardIndex home, std::string_view prefix) const {
    for (int i = 0;; ++i) {
      std::string name = std::string(prefix) + std::to_string(i);
      if (shards_.size() == 1 || home_of(0, name, static_cast<ShardIndex>(shards_.size())) == home) return name;
    }
  }

 private:
  AppTable apps_;
  net::MailGrid<Command> grid_;
  net::OutboxPool pool_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::pair<ShardIndex, std::unique_ptr<Client>>> clients_;
  uint64_t now_ms_ = 0;
  uint64_t last_id_ = 0;
};

using Log = std::vector<std::string>;

/// A hub of as many shards as the parameter says; clients and homes are spread over them with at().
struct HubTest : ::testing::TestWithParam<ShardIndex> {
  ShardIndex shards() const { return GetParam(); }
  ShardIndex at(ShardIndex index) const { return index % shards(); }
};

}  // namespace kilat::hub::testing

/// Instantiates a HubTest for one, two and three shards.
#define KILAT_HUB_TEST(suite)                                            \
  INSTANTIATE_TEST_SUITE_P(Shards, suite, ::testing::Values(1u, 2u, 3u), \
                           [](const auto& shards) { return std::to_string(shards.param); })
