// Subscriber: the hub's view of one connection; protocol sessions derive from it.
// Owner: one shard, for the life of the connection. The hub links it to the channels it reads; a session removes itself
// with ShardHub::remove before it is destroyed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hub/backlog.h"
#include "hub/channel_name.h"
#include "hub/ids.h"
#include "net/outbox.h"

namespace kilat::hub {

class Subscriber;

/// One place in a channel's list of readers.
struct Reader {
  Subscriber* subscriber;
  uint32_t subscription;  ///< index in subscriber->subscriptions_
};

/// A channel as one shard sees it: who reads it here. Exists while a subscription, pending or live, refers to it.
struct LocalChannel {
  AppIndex app;
  ChannelKind kind;
  ShardIndex home;
  uint32_t references = 0;
  uint32_t backlogs = 0;  ///< readers for whom an event of it waits
  std::string name;
  std::array<std::vector<Reader>, kFormatsMax> readers;  ///< by wire format
};

/// How somebody may be in a channel.
struct JoinOptions {
  bool by_rule : 1 = false;         ///< a rule lets them in, so that it can also make them leave
  bool by_signature : 1 = false;    ///< the client has shown a signature for it
  bool hide_members : 1 = false;    ///< presence: they do not see who else is there
  bool positions : 1 = false;       ///< they want the offset of each event
  bool folded : 1 = false;          ///< the protocol folds the events for them, and asks LocalHub::hold() itself
  Format format : 3 = kFormatsMax;  ///< in which they read this channel; kFormatsMax: as all others
};
static_assert(kFormatsMax < 1 << 3 && sizeof(JoinOptions) == 1);

struct Subscription {
  static constexpr uint32_t kPending = UINT32_MAX;
  static constexpr uint32_t kQueued = UINT32_MAX - 2;  ///< the home has not been asked yet, see PacedJoins
  /// The home has admitted it, but there was no memory for its place: the connection starves, and leaves when it ends.
  static constexpr uint32_t kNowhere = UINT32_MAX - 1;
  bool reads() const { return place < kQueued; }

  LocalChannel* channel;
  std::unique_ptr<std::string> user;  ///< presence: the member's user id
  uint32_t place;                     ///< index in the channel's readers; kPending until the home has answered
  uint32_t token : 24;                ///< which try to join this is
  JoinOptions options;
};
static_assert(sizeof(Subscription) <= 24, "an idle connection has one for each channel");

class Subscriber {
 public:
  Subscriber(AppIndex app, SocketId socket_id, Format format, net::Outbox& outbox)
      : outbox_(&outbox), socket_id_(socket_id), app_(app), format_(format) {}
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  AppIndex app() const { return app_; }
  SocketId socket_id() const { return socket_id_; }
  Format format() const { return format_; }
  net::Outbox& outbox() { return *outbox_; }
  Handle handle() const { return handle_; }

  /// The live or pending subscription to `channel`, or null. Linear: connections have few channels, and the list lies
  /// side by side.
  const Subscription* find(std::string_view channel) const {
    for (const Subscription& subscription : subscriptions_) {
      if (subscription.channel->name == channel) return &subscription;
    }
    return nullptr;
  }
  size_t subscription_count() const { return subscriptions_.size(); }
  std::span<const Subscription> subscriptions() const { return subscriptions_; }
  /// How it is from now on in the channel at `index` of subscriptions(), because its client's rights have changed.
  void set_rights(size_t index, bool by_rule, bool hide_members) {
    subscriptions_[index].options.by_rule = by_rule;
    subscriptions_[index].options.hide_members = hide_members;
  }

 protected:
  ~Subscriber() = default;

  /// What is delivered from now on goes there: the connection has another transport.
  void move_to(net::Outbox& outbox) {
    outbox_ = &outbox;
    if (backlog_) backlog_->move_to(outbox);
  }
  /// What it is called and in which format it reads; before it joins anything.
  void name(SocketId socket_id) { socket_id_ = socket_id; }
  void read_as(Format format) { format_ = format; }

 private:
  friend class LocalHub;
  friend class ShardHub;

  net::Outbox* outbox_;
  std::unique_ptr<Backlog> backlog_;  ///< null: nothing waits
  std::vector<Subscription> subscriptions_;
  SocketId socket_id_;
  Handle handle_;
  uint32_t last_token_ : 24 = 0;
  AppIndex app_;
  Format format_;
};

}  // namespace kilat::hub
