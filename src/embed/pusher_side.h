// PusherSide: the Pusher hooks of a program, on one shard. Owner: ShardSide; the table is shared by all, and does not
// change after the start.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "kilat/pusher.h"
#include "pusher/handlers.h"

namespace kilat::embed {

class ShardSide;

struct PusherTable {
  std::function<bool(const Subscription&)> subscribe;
  std::function<void(const Subscription&)> unsubscribe;
  std::function<bool(const ClientEvent&)> client_event;
  std::function<void(const PusherConnection&)> connection;
  std::function<void(const PusherConnection&)> disconnect;
  bool sealed = false;
};

class PusherSide final : public pusher::Handlers {
 public:
  PusherSide(ShardSide& side, std::shared_ptr<PusherTable> table) : side_(side), table_(std::move(table)) {}

  /// Whether anything is registered.
  bool wanted() const;

  void on_opened(pusher::Session& session) override;
  void on_closed(pusher::Session& session) noexcept override;
  bool allows_subscription(pusher::Session& session, std::string_view channel, const hub::Member& member) override;
  void on_unsubscribed(pusher::Session& session, std::string_view channel) override;
  bool allows_client_event(pusher::Session& session, std::string_view channel, std::string_view event,
                           std::string_view data) override;

 private:
  ShardSide& side_;
  std::shared_ptr<PusherTable> table_;
};

}  // namespace kilat::embed
