#include "embed/answers.h"

#include "base/reason.h"
#include "embed/shard_side.h"
#include "embed/text.h"

namespace kilat::io {

bool Ack::send(Message message) const {
  if (!state_ || state_->used.exchange(true)) return false;
  const std::shared_ptr<detail::SocketState> socket = state_->socket.lock();
  if (!socket || !socket->connected.load()) return false;
  const std::optional<std::string> list = embed::list_of(message);
  if (!list) return false;
  return socket->link->reach(socket->shard,
                             [socket, id = state_->id, list = *list, message = std::move(message)](embed::ShardSide&) {
                               if (socket->socket != nullptr)
                                 socket->socket->acknowledge(id, list, message.attachments);
                             });
}

void Next::decide(std::optional<Refusal> refusal) const {
  state_->decide(std::move(refusal));
}

void Next::State::decide(std::optional<Refusal> refusal) {
  if (decided.exchange(true)) return;
  link->reach(shard, [go = std::move(go), refusal = std::move(refusal)](embed::ShardSide& side) { go(side, refusal); });
}

Next::State::~State() {
  try {
    decide(Refusal{.message = std::string(reason_row(Reason::kHandlerRefused).text)});
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory; the client waits until it gives up
  }
}

}  // namespace kilat::io
