#include "hub/client_event.h"

#include "hub/access.h"
#include "hub/channel_name.h"

namespace kilat::hub {

Reason client_event_refusal(const AppSettings& settings, auth::Verdict rule, const Subscriber& sender,
                            std::string_view channel, size_t event_bytes, size_t data_bytes) {
  if (const Reason refused = reason_of(rule); refused != Reason::kNone) return refused;
  const bool by_rule = rule == auth::Verdict::kAllow;
  if (!by_rule && !settings.client_events) return Reason::kClientEventsDisabled;
  if (event_bytes > settings.event_name_max) return Reason::kClientEventNameTooLong;
  if (data_bytes > settings.event_bytes_max) return Reason::kClientEventTooBig;
  const ChannelKind kind = kind_of(channel);
  const bool allowed = kind.user()              ? false
                       : by_rule                ? true
                       : kind.encrypted()       ? settings.client_events_on_encrypted
                       : kind.needs_signature() ? true
                                                : settings.client_events_on_public;
  if (!allowed) return Reason::kClientEventChannelRefused;
  const Subscription* subscription = sender.find(channel);
  // A pending join reaches the home before the event does, so it counts; but a presence channel may still refuse it.
  const bool undecided = subscription != nullptr && !subscription->reads() && subscription->user != nullptr;
  return subscription == nullptr || undecided ? Reason::kClientEventNotSubscribed : Reason::kNone;
}

}  // namespace kilat::hub
