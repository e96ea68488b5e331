// Sink: how the hub hands things to the protocols of its shard. Implemented where everything meets (src/app).
// All calls come on the shard's thread. An implementation must not destroy a subscriber inside a call, nor, except in
// on_kick, join or leave channels: the hub is at work on them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "hub/command.h"
#include "hub/publication.h"
#include "hub/subscriber.h"

namespace kilat::hub {

class Sink : public Encoder {
 public:
  /// Whether frames of `format` are shared by all readers; if not, deliver_own is called for each.
  virtual bool shared(Format format) const = 0;
  virtual void deliver_own(Subscriber& subscriber, const Publication& publication) = 0;
  /// An event that was folded for this subscriber (JoinOptions::folded), and then had to wait, can go.
  virtual void deliver_folded(Subscriber&, const Publication&) {}
  /// The subscriber was behind: so many events of the channel gave way to newer ones. Those come next.
  virtual void on_missed(Subscriber&, std::string_view channel, uint64_t count) = 0;

  /// The home answered a join that has not been left in the meantime. The subscriber already reads the channel, unless
  /// the reply refuses.
  virtual void on_joined(Subscriber& subscriber, const JoinReply& reply) = 0;
  virtual void on_user_status(Subscriber& subscriber, const UserStatus& status) = 0;
  /// The subscriber's user is to be disconnected.
  virtual void on_kick(Subscriber& subscriber, Reason reason) = 0;

  virtual void on_published(RequestId request, const PublishReply& reply) = 0;
  virtual void on_answer(RequestId request, QueryReply reply) = 0;

  /// A letter from this protocol on another shard, or on this one.
  virtual void on_letter(ShardIndex from, std::unique_ptr<Letter> letter) = 0;

  /// An event of a tapped app passed this shard.
  virtual void on_tap(const Publication& publication) = 0;

 protected:
  ~Sink() = default;
};

}  // namespace kilat::hub
