#include "hub/shard_hub.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/memory_reserve.h"

namespace kilat::hub {

ShardHub::ShardHub(const AppTable& apps, net::Mailbox<Command>& mailbox, Sink& sink, TimerWheel& wheel)
    : apps_(apps),
      mailbox_(mailbox),
      sink_(sink),
      local_(sink),
      home_(apps, mailbox.shards(), *this, wheel),
      tapped_(apps.size()) {
  timed_.reserve(kTimedMax);
}

void ShardHub::apps_added() {
  home_.apps_added();
  tapped_.resize(apps_.size());
}

// Never fails: the command is what others need to know of a step that is done here.
void ShardHub::send(ShardIndex to, Command&& command) {
  if (to == shard()) {
    receive(std::move(command));
  } else {
    const memory::MustSucceed posting;
    mailbox_.post(to, std::move(command));
  }
}

bool ShardHub::has_room(ShardIndex to) const {
  return to == shard() || mailbox_.has_room(to);
}

ShardIndex ShardHub::home_of_channel(AppIndex app, std::string_view channel) const {
  return shards() == 1 ? 0 : home_of(app, channel, shards());
}

void ShardHub::track_orders(uint64_t first) {
  first_order_ = first;
  // What is older came to nobody here but as a history, and a reader gets that before anything else.
  handed_.assign(shards(), first - 1);
}

void ShardHub::note_handed(AppIndex app, std::string_view channel, uint64_t order) {
  if (handed_.empty()) return;
  uint64_t& last = handed_[home_of_channel(app, channel)];
  last = std::max(last, order);
}

void ShardHub::receive(Command&& command) {
  // Each handler is a border of its own: see on().
  const memory::MayFail handling;
  std::visit([this]<typename T>(T&& message) { on(std::forward<T>(message)); }, std::move(command));
}

void ShardHub::remove(Subscriber& subscriber) {
  leave_all(subscriber);
  local_.remove(subscriber);
}

void ShardHub::join(Subscriber& subscriber, std::string_view channel, Member member, JoinOptions options,
                    std::unique_ptr<HistoryAsk> history) {
  const ShardIndex home = home_of_channel(subscriber.app_, channel);
  auto request = std::make_unique<JoinRequest>();
  request->app = subscriber.app_;
  request->who = subscriber.handle_;
  request->channel = channel;
  if (const Subscription* found = subscriber.find(channel)) {
    Subscription* present = &subscriber.subscriptions_[static_cast<size_t>(found - subscriber.subscriptions_.data())];
    // It goes on reading in the format in which it is listed.
    options.format = present->options.format;
    options.folded = present->options.folded;
    options.positions = present->options.positions;
    present->options = options;
    request->again = true;
    request->token = present->token;
    if (present->place == Subscription::kQueued) return;
  } else {
    std::unique_ptr<std::string> user;
    if (kind_of(channel).presence()) user = std::make_unique<std::string>(member.user_id);
    request->token = ++subscriber.last_token_;
    request->member = std::move(member);
    request->paced = history && history->wants_past() && paced_.has_room();
    request->history = std::move(history);
    Subscription& begun = local_.begin(subscriber, channel, home, request->token, std::move(user), options);
    if (request->paced) begun.place = Subscription::kQueued;
  }
  if (!request->paced) return send(home, CmdJoin{shard(), std::move(request)});
  const memory::MustSucceed queueing;
  paced_.push({home, std::move(request)});
  send_paced();
}

void ShardHub::send_paced() {
  while (paced_.may_go()) {
    PacedJoins::Join join = paced_.take();
    const JoinRequest& request = *join.request;
    Subscription* subscription = find_try(local_.resolve(request.who), request.token, request.channel);
    if (subscription == nullptr || subscription->place != Subscription::kQueued) continue;  // left meanwhile
    subscription->place = Subscription::kPending;
    paced_.sent();
    send(join.home, CmdJoin{shard(), std::move(join.request)});
  }
}

Subscription* ShardHub::find_try(Subscriber* subscriber, uint32_t token, std::string_view channel) {
  if (subscriber == nullptr) return nullptr;
  for (Subscription& subscription : subscriber->subscriptions_) {
    if (subscription.token == token && subscription.channel->name == channel) return &subscription;
  }
  return nullptr;
}

void ShardHub::let_join() {
  paced_.begin_turn();
  send_paced();
}

bool ShardHub::leave(Subscriber& subscriber, std::string_view channel) {
  const Subscription* subscription = subscriber.find(channel);
  if (subscription == nullptr) return false;
  end_subscription(subscriber, static_cast<size_t>(subscription - subscriber.subscriptions_.data()));
  return true;
}

void ShardHub::leave_all(Subscriber& subscriber) {
  while (!subscriber.subscriptions_.empty()) end_subscription(subscriber, subscriber.subscriptions_.size() - 1);
}

void ShardHub::end_subscription(Subscriber& subscriber, size_t index) {
  const memory::MustSucceed leaving;
  Subscription& subscription = subscriber.subscriptions_[index];
  // A presence channel may still refuse the join (full): then there is nothing to leave. The reply decides.
  const bool undecided = subscription.place == Subscription::kPending && subscription.user != nullptr;
  const std::string name = subscription.channel->name;
  std::string user = subscription.user ? *subscription.user : std::string();
  const bool unasked = subscription.place == Subscription::kQueued;
  local_.end(subscriber, index);
  if (!undecided && !unasked) send_leave(subscriber.app_, name, std::move(user));
}

void ShardHub::send_leave(AppIndex app, std::string_view channel, std::string user_id) {
  const memory::MustSucceed leaving;
  auto request = std::make_unique<LeaveRequest>();
  request->app = app;
  request->channel = channel;
  request->user_id = std::move(user_id);
  send(home_of_channel(app, channel), CmdLeave{shard(), std::move(request)});
}

void ShardHub::watch(Subscriber& subscriber, std::string_view user_id, bool on) {
  const memory::MustSucceed watching;
  auto request = std::make_unique<WatchRequest>();
  request->app = subscriber.app_;
  request->watch = on;
  request->who = subscriber.handle_;
  request->user_id = user_id;
  const std::string channel = std::string(kUserChannelPrefix) + request->user_id;
  send(home_of_channel(subscriber.app_, channel), CmdWatch{shard(), std::move(request)});
}

std::optional<PublishReply> ShardHub::publish(PublicationPtr publication, RequestId request, uint32_t index) {
  const ShardIndex home = home_of_channel(publication->app(), publication->channel());
  if (publishes_++ % kTimedOneIn == 0) publication.time_from(now_us_);
  if (home == shard()) {
    std::optional<PublishReply> reply = home_.publish(publication, {shard(), request, index});
    if (reply) reply->index = index;
    return reply;
  }
  if (!mailbox_.has_room(home)) {
    home_.count_refused(*publication);
    return PublishReply{.refused = Reason::kApiOverCapacity, .index = index};
  }
  mailbox_.post(home, CmdPublish{shard(), index, request, std::move(publication)});
  return std::nullopt;
}

bool ShardHub::has_room_for(AppIndex app, std::span<const std::string> channels) const {
  std::vector<size_t> needed(shards());
  for (const std::string& channel : channels) ++needed[home_of_channel(app, channel)];
  for (ShardIndex to = 0; to < shards(); ++to) {
    if (to != shard() && needed[to] > mailbox_.room(to)) return false;
  }
  return true;
}

uint32_t ShardHub::query(RequestId request, const Query& query) {
  const memory::MustSucceed asking;
  if (query.kind != Query::Kind::kChannels) {
    send(home_of_channel(query.app, query.name), CmdQuery{shard(), request, std::make_unique<Query>(query)});
    return 1;
  }
  for (ShardIndex to = 0; to < shards(); ++to) send(to, CmdQuery{shard(), request, std::make_unique<Query>(query)});
  return shards();
}

void ShardHub::tap(AppIndex app, bool on) {
  tapped_[app] += on ? 1 : -1;
  for (ShardIndex to = 0; to < shards(); ++to) send(to, CmdTap{shard(), app, on});
}

void ShardHub::on(CmdPublish&& command) {
  std::optional<PublishReply> reply =
      home_.publish(command.publication, {command.from, command.request, command.index});
  if (!reply || command.request == 0) return;
  reply->index = command.index;
  send(command.from, MsgPublished{command.request, *reply});
}

void ShardHub::on(CmdQuery&& command) {
  std::unique_ptr<QueryReply> reply;
  try {
    reply = std::make_unique<QueryReply>(home_.query(*command.query));
  } catch (const std::bad_alloc&) {
    const memory::MustSucceed refusing;
    reply = std::make_unique<QueryReply>();
    reply->failed = true;
  }
  send(command.from, MsgAnswer{command.request, std::move(reply)});
}

void ShardHub::on(MsgDeliver&& message) {
  const Publication& publication = *message.publication;
  if (publication.order() != 0) note_handed(publication.app(), publication.channel(), publication.order());
  local_.deliver(publication);
  if (publication.timed_us() != 0 && timed_.size() < kTimedMax) timed_.push_back(publication.timed_us());
  if (tapped_[publication.app()] > 0 && publication.kind() == Publication::Kind::kEvent) sink_.on_tap(publication);
}

void ShardHub::on(MsgJoined&& message) {
  const JoinReply& reply = *message.reply;
  if (reply.paced) paced_.answered(reply.history ? reply.history->bytes : 0);
  // It came behind all that the home had delivered when it wrote this.
  note_handed(reply.app, reply.channel, reply.order);
  Subscriber* subscriber = local_.resolve(reply.who);
  Subscription* subscription = find_try(subscriber, reply.token, reply.channel);
  if (subscription == nullptr) {
    // Refused, left, or closed before the home had answered: see end_subscription.
    if (!reply.again && reply.refused == Reason::kNone && reply.kind.presence()) {
      send_leave(reply.app, reply.channel, reply.user_id);
    }
    return;
  }
  try {
    conclude_join(*subscriber, *subscription, reply);
  } catch (const std::bad_alloc&) {
    subscriber->outbox_->starve();
  }
}

void ShardHub::conclude_join(Subscriber& subscriber, Subscription& subscription, const JoinReply& reply) {
  if (reply.refused != Reason::kNone) {
    // One that was subscribed before stays so, and leaves like any other when it is closed.
    if (!reply.again) {
      local_.end(subscriber, static_cast<size_t>(&subscription - subscriber.subscriptions_.data()));
    }
    if (reply.refused == Reason::kMemoryBudget) return subscriber.outbox_->starve();
  } else if (!reply.again) {
    local_.complete(subscriber, subscription);
  }
  sink_.on_joined(subscriber, reply);
  if (reply.history && reply.refused == Reason::kNone)
    local_.deliver_past(subscriber, subscription, reply.history->missed);
}

void ShardHub::on(MsgUserStatus&& message) {
  Subscriber* subscriber = local_.resolve(message.status->who);
  if (subscriber == nullptr) return;
  try {
    sink_.on_user_status(*subscriber, *message.status);
  } catch (const std::bad_alloc&) {
    subscriber->outbox_->starve();
  }
}

}  // namespace kilat::hub
