// A publication as flow rules see it, and what they send as a publication again. Pure functions; any thread.
#pragma once

#include <cstdint>

#include "flow/event.h"
#include "hub/publication.h"

namespace kilat::hub {

/// Views of `publication`. `now_ms`: monotonic.
flow::Event flow_event(const Publication& publication, uint64_t now_ms, uint64_t unix_ms);

/// Views of `emission`. One event that is left of many is what it was, for those it was for.
PublicationDraft draft_of(const flow::Emission& emission, AppIndex app);

}  // namespace kilat::hub
