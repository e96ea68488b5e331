#include "socketio/publishes.h"

#include <utility>

#include "base/memory_reserve.h"

namespace kilat::socketio {

std::optional<Reason> Publishes::publish(std::span<const hub::PublicationPtr> publications, Done done) {
  const hub::RequestId request = done ? ++last_request_ : 0;
  size_t unknown = 0;
  for (const hub::PublicationPtr& publication : publications) {
    const std::optional<hub::PublishReply> reply = hub_.publish(publication, request);
    if (!reply) {
      ++unknown;
    } else if (reply->refused != Reason::kNone) {
      return reply->refused;
    }
  }
  if (unknown == 0 || !done) return Reason::kNone;
  // They are on their way.
  const memory::MustSucceed noting;
  waiting_.emplace(request, Waiting{.homes = unknown, .done = std::move(done)});
  return std::nullopt;
}

void Publishes::on_published(hub::RequestId request, const hub::PublishReply& reply) {
  const memory::MustSucceed telling;
  const auto found = waiting_.find(request);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  if (reply.refused != Reason::kNone) waiting.refused = reply.refused;
  if (--waiting.homes > 0) return;
  Waiting whole = std::move(waiting);
  waiting_.erase(found);
  whole.done(whole.refused);
}

}  // namespace kilat::socketio
