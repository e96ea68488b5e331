#include "hub/flow_event.h"

#include "hub/channel_name.h"

namespace kilat::hub {

flow::Event flow_event(const Publication& publication, uint64_t now_ms, uint64_t unix_ms) {
  const SocketId exclude = publication.exclude();
  return {.channel = publication.channel(),
          .bare = bare_name(publication.channel()),
          .event = publication.event(),
          .data = publication.data(),
          .now_ms = now_ms,
          .unix_ms = unix_ms,
          .origin = {.from_client = publication.from_client(),
                     .exclude = {exclude.place, exclude.random},
                     .user_id = publication.user_id(),
                     .packet = publication.packet(),
                     .mark = publication.audience(),
                     .mark_bytes = publication.audience_bytes()}};
}

PublicationDraft draft_of(const flow::Emission& emission, AppIndex app) {
  const flow::KeptOrigin& origin = emission.origin;
  return {.from_client = origin.from_client,
          .depth = emission.depth,
          .app = app,
          .channel = emission.channel,
          .event = emission.event,
          .data = emission.data,
          .user_id = origin.user_id,
          .packet = origin.packet,
          .subject = emission.subject,
          .exclude = {static_cast<uint32_t>(origin.exclude[0]), origin.exclude[1]},
          .audience = std::static_pointer_cast<const Audience>(origin.mark)};
}

}  // namespace kilat::hub
