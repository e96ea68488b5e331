// LocalHub: the readers of one shard, and the fan-out to them. A join or leave is O(1); a delivery is one pointer on
// each reader's outbox. Owner: one shard's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/channel_set.h"
#include "hub/sink.h"
#include "hub/subscriber.h"
#include "hub/tally.h"

namespace kilat::hub {

class LocalHub {
 public:
  explicit LocalHub(Sink& sink) : sink_(sink) {}
  ~LocalHub();
  LocalHub(const LocalHub&) = delete;
  LocalHub& operator=(const LocalHub&) = delete;

  /// Gives a connection its handle; every subscriber must be removed again with remove(), which does nothing for one
  /// that was never added.
  void add(Subscriber& subscriber);
  void remove(Subscriber& subscriber);
  /// Null when the connection is gone.
  Subscriber* resolve(Handle handle) const;

  /// Whoever has the slot of a handle; null when nobody has.
  Subscriber* at_slot(uint32_t slot) const { return slot < slots_.size() ? slots_[slot].subscriber : nullptr; }

  /// A pending subscription: not yet a reader. Presence channels keep the member's id in `user`. When there is no
  /// memory (std::bad_alloc), nothing has changed.
  Subscription& begin(Subscriber& subscriber, std::string_view name, ShardIndex home, uint32_t token,
                      std::unique_ptr<std::string> user, JoinOptions options);
  /// The home said yes: from now on the subscriber reads the channel. std::bad_alloc: it is
  /// nowhere, and the subscriber has to go.
  void complete(Subscriber& subscriber, Subscription& subscription);
  /// Ends a subscription, pending or live.
  void end(Subscriber& subscriber, size_t index);

  LocalChannel* find(AppIndex app, std::string_view name) const { return channels_.find(app, name); }

  /// Fans a publication out to the readers here; those for whom there is no memory starve. A kick is only noted down:
  /// closing a connection changes the channels that the caller may be working on.
  void deliver(const Publication& publication);
  /// Hands an event to one subscriber, whatever it reads: for what is chosen by more than a channel. An event only.
  void deliver_to_one(Subscriber& subscriber, const Publication& publication);
  /// Hands an event to one reader of its channel, as its subscription wants it.
  void deliver_to_reader(const Reader& reader, const Publication& publication);
  /// Hands a subscriber what it missed, in the format in which it reads the channel.
  void deliver_past(Subscriber& subscriber, const Subscription& subscription, std::span<const PublicationPtr> past);

  // --- readers who are behind (docs/flow.md), in local_backlog.cc
  /// Whether an event of one of its channels has to wait, because the subscriber is behind: then it is kept, or has
  /// taken the place of one that was. Where there is no memory for it, the subscriber starves.
  bool hold(Subscriber& subscriber, const Publication& publication) {
    if (publication.subject().empty() && !subscriber.backlog_) return false;
    return hold_named(subscriber, publication);
  }
  /// Hands over what waits for the subscriber, as much as its outbox has room for, or `all`.
  void release(Subscriber& subscriber, bool all);
  /// The same for everybody who has caught up so far that there is room again. To be called in a turn in which a pool
  /// of outboxes has noted room, before the flush.
  void catch_up();
  /// Readers who are behind.
  size_t behind_count() const { return behind_.size(); }

  /// Carries out the kicks noted since the last call.
  void carry_out_kicks();

  size_t channel_count() const { return channels_.size(); }
  uint64_t deliveries() const { return deliveries_; }
  /// By app; shorter than the list of apps where the last ones had no reader yet.
  const std::vector<LocalTally>& tallies() const { return tallies_; }

 private:
  struct Slot {
    Subscriber* subscriber = nullptr;
    uint32_t generation = 1;
  };
  LocalChannel& channel(AppIndex app, std::string_view name, ShardIndex home);
  static bool meant(const Reader& reader, const Publication& publication);
  void deliver_own(const Reader& reader, const Publication& publication);
  void deliver_as(Subscriber& subscriber, Format format, const Publication& publication);
  uint32_t push(Subscriber& subscriber, Format format, const Publication& publication);
  void deliver_to(LocalChannel& channel, Format format, const Publication& publication);
  void deliver_to_seeing(std::vector<Reader>& readers, const Publication& publication);
  void drop_reference(LocalChannel& channel);
  bool hold_named(Subscriber& subscriber, const Publication& publication);
  bool hold_in(Subscriber& subscriber, const Subscription& subscription, const Publication& publication);
  bool waits(const Reader& reader, const Publication& publication);
  void put_aside(Subscriber& subscriber, Backlog::Held&& held);
  void hand_over(Subscriber& subscriber, const Backlog::Held& held);
  void end_backlog(Subscriber& subscriber);

  Sink& sink_;
  ChannelSet<LocalChannel> channels_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::pair<Handle, Reason>> kicks_;
  std::vector<Subscriber*> behind_;  ///< with a Backlog
  std::vector<LocalTally> tallies_;
  uint64_t deliveries_ = 0;
  uint64_t released_ = 0;  ///< of these, what had waited; counted in tallies_ when it went out
};

}  // namespace kilat::hub
