// LocalHub: the readers of one shard, and the fan-out to them. A join or leave is O(1); a delivery is one pointer on
// each reader's outbox. Owner: one shard's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/channel_set.h"
#include "hub/sink.h"
#include "hub/subscriber.h"

namespace kilat::hub {

class LocalHub {
 public:
  explicit LocalHub(Sink& sink) : sink_(sink) {}
  ~LocalHub();
  LocalHub(const LocalHub&) = delete;
  LocalHub& operator=(const LocalHub&) = delete;

  /// Gives a connection its handle; every subscriber must be removed again with remove().
  void add(Subscriber& subscriber);
  void remove(Subscriber& subscriber);
  /// Null when the connection is gone.
  Subscriber* resolve(Handle handle) const;

  /// A pending subscription: not yet a reader.
  Subscription& begin(Subscriber& subscriber, LocalChannel& channel, uint32_t token);
  /// The home said yes: from now on the subscriber reads the channel.
  void complete(Subscriber& subscriber, Subscription& subscription);
  /// Ends a subscription, pending or live.
  void end(Subscriber& subscriber, size_t index);

  LocalChannel& channel(AppIndex app, std::string_view name, ShardIndex home);
  LocalChannel* find(AppIndex app, std::string_view name) const { return channels_.find(app, name); }

  /// Fans a publication out to the readers here. A kick is only noted down: closing a connection changes the channels
  /// that the caller may be working on.
  void deliver(const Publication& publication);
  /// Carries out the kicks noted since the last call.
  void carry_out_kicks();

  size_t channel_count() const { return channels_.size(); }
  uint64_t deliveries() const { return deliveries_; }

 private:
  struct Slot {
    Subscriber* subscriber = nullptr;
    uint32_t generation = 1;
  };
  void deliver_to(std::vector<Reader>& readers, Format format, const Publication& publication);
  void drop_reference(LocalChannel& channel);

  Sink& sink_;
  ChannelSet<LocalChannel> channels_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<std::pair<Handle, Reason>> kicks_;
  uint64_t deliveries_ = 0;
};

}  // namespace kilat::hub
