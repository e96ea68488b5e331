// Events from client to client (docs/protocol.md).
#include "hub/client_event.h"

#include <algorithm>
#include <utility>

#include "base/utf8_repair.h"
#include "pusher/handlers.h"
#include "pusher/session.h"

namespace kilat::pusher {

void Session::client_event(const ClientMessage& message) {
  const Reason reason = check_client_event(message);
  if (reason != Reason::kNone) return refuse(reason, {}, cut_utf8(message.channel, settings().channel_name_max));
  // The sender's identity is what it joined with, never what the message claims.
  const hub::Subscription* subscription = find(message.channel);
  const std::optional<hub::PublishReply> reply = shard_.hub.publish(hub::Publication::make({
      .from_client = true,
      .app = app(),
      .channel = message.channel,
      .event = message.event,
      .data = message.data,
      .user_id = subscription->user ? std::string_view(*subscription->user) : std::string_view(),
      .exclude = socket_id(),
  }));
  if (reply && reply->refused != Reason::kNone) refuse(Reason::kClientEventOverCapacity, {}, message.channel);
}

Reason Session::check_client_event(const ClientMessage& message) {
  const Reason refused =
      hub::client_event_refusal(settings(), shard_.access.decide(app(), auth::Action::kPublish, message.channel, who()),
                                *this, message.channel, message.event.size(), message.data.size());
  if (refused != Reason::kNone) return refused;
  if (!take_event_token()) return Reason::kClientEventRateLimited;
  const bool allowed = shard_.handlers == nullptr ||
                       shard_.handlers->allows_client_event(*this, message.channel, message.event, message.data);
  return allowed ? Reason::kNone : Reason::kHandlerRefused;
}

// A token bucket: as many at once as are allowed in a second, refilled evenly.
bool Session::take_event_token() {
  const auto limit = static_cast<float>(settings().client_events_per_second);
  if (limit == 0) return true;
  Rare& rare = this->rare();
  const auto elapsed_s = static_cast<float>(shard_.now_ms - rare.tokens_at_ms) / 1000.0f;
  const bool full = std::exchange(rare.tokens_at_ms, shard_.now_ms) == 0;
  rare.event_tokens = full ? limit : std::min(limit, rare.event_tokens + elapsed_s * limit);
  if (rare.event_tokens < 1.0f) return false;
  rare.event_tokens -= 1.0f;
  return true;
}

}  // namespace kilat::pusher
