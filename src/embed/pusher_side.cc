#include "embed/pusher_side.h"

#include <string>
#include <utility>

#include "base/memory_reserve.h"
#include "embed/link.h"
#include "embed/shard_side.h"
#include "pusher/session.h"

namespace kilat {

PusherHooks::PusherHooks() : table_(std::make_shared<embed::PusherTable>()) {}
PusherHooks::~PusherHooks() = default;

void PusherHooks::on_subscribe(std::function<bool(const Subscription&)> handler) {
  embed::require_open(table_->sealed);
  table_->subscribe = std::move(handler);
}

void PusherHooks::on_unsubscribe(std::function<void(const Subscription&)> handler) {
  embed::require_open(table_->sealed);
  table_->unsubscribe = std::move(handler);
}

void PusherHooks::on_client_event(std::function<bool(const ClientEvent&)> handler) {
  embed::require_open(table_->sealed);
  table_->client_event = std::move(handler);
}

void PusherHooks::on_connection(std::function<void(const PusherConnection&)> handler) {
  embed::require_open(table_->sealed);
  table_->connection = std::move(handler);
}

void PusherHooks::on_disconnect(std::function<void(const PusherConnection&)> handler) {
  embed::require_open(table_->sealed);
  table_->disconnect = std::move(handler);
}

}  // namespace kilat

namespace kilat::embed {
namespace {

/// Who a session is, with the memory for it.
struct Identity {
  Identity(ShardSide& side, const pusher::Session& session)
      : app(side.shard().apps()[session.app()].settings.id),
        socket_id(session.socket_id().text()),
        user_id(session.user_id()) {}
  PusherConnection view() const { return {.app_id = app, .socket_id = socket_id, .user_id = user_id}; }
  std::string app;
  std::string socket_id;
  std::string user_id;
};

}  // namespace

bool PusherSide::wanted() const {
  return table_->subscribe || table_->unsubscribe || table_->client_event || table_->connection || table_->disconnect;
}

void PusherSide::on_opened(pusher::Session& session) {
  if (!table_->connection) return;
  const Identity identity(side_, session);
  side_.guard("pusher on_connection", {}, [&] { table_->connection(identity.view()); });
}

void PusherSide::on_closed(pusher::Session& session) noexcept {
  if (!table_->disconnect) return;
  const memory::MustSucceed telling;
  side_.later([this, identity = Identity(side_, session)] {
    side_.guard("pusher on_disconnect", {}, [&] { table_->disconnect(identity.view()); });
  });
}

bool PusherSide::allows_subscription(pusher::Session& session, std::string_view channel, const hub::Member& member) {
  if (!table_->subscribe) return true;
  const Identity identity(side_, session);
  bool allowed = false;
  side_.guard("pusher on_subscribe", {}, [&] {
    allowed = table_->subscribe(
        {.connection = identity.view(), .channel = channel, .user_id = member.user_id, .user_info = member.info});
  });
  return allowed;
}

void PusherSide::on_unsubscribed(pusher::Session& session, std::string_view channel) {
  if (!table_->unsubscribe) return;
  const Identity identity(side_, session);
  side_.guard("pusher on_unsubscribe", {}, [&] {
    table_->unsubscribe({.connection = identity.view(), .channel = channel, .user_id = {}, .user_info = {}});
  });
}

bool PusherSide::allows_client_event(pusher::Session& session, std::string_view channel, std::string_view event,
                                     std::string_view data) {
  if (!table_->client_event) return true;
  const Identity identity(side_, session);
  bool allowed = false;
  side_.guard("pusher on_client_event", {}, [&] {
    allowed = table_->client_event({.connection = identity.view(), .channel = channel, .event = event, .data = data});
  });
  return allowed;
}

}  // namespace kilat::embed
