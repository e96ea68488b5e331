// EmitAudience: who gets an event that was emitted to several rooms, or to some without those of others, through the
// rooms whose channels keep or fold their events: such an event goes by way of their homes (docs/socketio.md, "Several
// rooms"). Immutable; any shard. Bounds: those of a Selection.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/audience.h"
#include "hub/subscriber.h"

namespace kilat::socketio {

/// Rooms and clients of either protocol that do not get an event.
struct LeftOut {
  std::vector<std::string> channels;
  std::vector<hub::SocketId> sockets;

  bool empty() const { return channels.empty() && sockets.empty(); }
  bool cover(const hub::Subscriber& reader) const;
};

class EmitAudience final : public hub::Audience {
 public:
  /// `carriers`: the channels whose homes are to tell the event, none of them twice. A socket gets it through the first
  /// of these that it reads; a Pusher client, which knows its channels, through each.
  EmitAudience(std::vector<std::string> carriers, LeftOut except)
      : carriers_(std::move(carriers)), except_(std::move(except)) {}

  const std::vector<std::string>& carriers() const { return carriers_; }
  /// Whether a home tells the socket.
  bool carries_to(const hub::Subscriber& socket) const;

  bool includes(const hub::Subscriber& reader, std::string_view channel) const override;
  size_t bytes() const override;

 private:
  std::vector<std::string> carriers_;
  LeftOut except_;
};

}  // namespace kilat::socketio
