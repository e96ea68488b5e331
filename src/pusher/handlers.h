// Handlers: the program that has Kilat inside, as the Pusher side of a shard sees it. Shard::handlers is null when
// nobody is there, and then nothing here is asked.
// Owner: whoever made the shard; outlives its sessions. Every call comes on the shard's thread.
#pragma once

#include <string_view>

#include "hub/command.h"

namespace kilat::pusher {

class Session;

class Handlers {
 public:
  virtual void on_opened(Session& session) = 0;
  /// The session still has its subscriptions. Comes in the middle of other work, so the program itself is told later.
  virtual void on_closed(Session& session) noexcept = 0;
  /// Whether the client may have the channel; asked last, after signature and rules. `member`: of a presence channel.
  virtual bool allows_subscription(Session& session, std::string_view channel, const hub::Member& member) = 0;
  /// The client has left a channel by itself.
  virtual void on_unsubscribed(Session& session, std::string_view channel) = 0;
  /// Whether the event may go to the others; asked last. `data`: JSON text.
  virtual bool allows_client_event(Session& session, std::string_view channel, std::string_view event,
                                   std::string_view data) = 0;

 protected:
  ~Handlers() = default;
};

}  // namespace kilat::pusher
