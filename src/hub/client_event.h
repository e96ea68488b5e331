// Which events clients may send to each other, in both protocols. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "auth/channel_rules.h"
#include "base/reason.h"
#include "hub/app_settings.h"
#include "hub/subscriber.h"

namespace kilat::hub {

/// kNone, or why `sender` may not send an event with a name and data of so many bytes to `channel`. `rule` is what the
/// app's rules say; where they say nothing, its settings decide. How often it may is the sender's own account.
Reason client_event_refusal(const AppSettings& settings, auth::Verdict rule, const Subscriber& sender,
                            std::string_view channel, size_t event_bytes, size_t data_bytes);

}  // namespace kilat::hub
