#include "socketio/link.h"

#include <utility>

#include "base/memory_reserve.h"
#include "socketio/session.h"
#include "ws/frame.h"

namespace kilat::socketio {
namespace {

// The client is told nothing but that it is over, except where the fault lies in the WebSocket itself.
uint16_t close_code(Reason reason) {
  if (reason >= Reason::kWsUnmasked && reason <= Reason::kWsInflatedTooBig) return reason_row(reason).close_code;
  return ws::kCloseNoStatus;
}

}  // namespace

net::FramePtr closing_frame(Reason reason) {
  return net::FramePtr::make(ws::encode_close(close_code(reason), {}));
}

Link::Link(Shard& shard, const LinkOptions& options, net::Outbox& outbox, LinkHost& host)
    : shard_(shard),
      outbox_(outbox),
      host_(host),
      reader_({.message_bytes_max = shard.options.message_bytes_max,
               .inflater = options.deflate ? &shard.inflater : nullptr,
               .from_server = false}),
      options_(options) {
  ++shard.tally.links;
}

Link::~Link() {
  --shard_.tally.links;
  retire(Reason::kClientGone);
}

void Link::retire(Reason reason) {
  closing_ = true;
  reader_.stop();
  if (Session* session = std::exchange(session_, nullptr)) session->on_link_gone(*this, reason);
}

void Link::on_bytes(std::span<char> bytes) {
  while (!closing_) {
    const ws::Event event = reader_.next(bytes);
    if (event.kind == ws::Event::Kind::kNeedMore) return;
    on_event(event);
    if (session_ != nullptr && session_->link() == this && session_->moving()) return move_session(bytes);
  }
}

// The session that this link carries wants to live on another shard.
void Link::move_session(std::span<char> rest) {
  Session& session = *session_;
  const hub::ShardIndex to = *session.moving();
  if (!host_.movable()) {
    session.stay();
    return on_bytes(rest);
  }
  auto state = std::make_unique<SessionState>(session.leave({}));
  const std::string sid = state->sid;
  move(to, std::move(state), sid, false, {rest.data(), rest.size()});
}

bool Link::move(hub::ShardIndex shard, std::unique_ptr<SessionState> state, std::string sid, bool probed,
                std::string_view rest) {
  if (closing_ || !host_.movable()) return false;
  closing_ = true;
  session_ = nullptr;
  host_.move({.shard = shard,
              .state = std::move(state),
              .sid = std::move(sid),
              .probed = probed,
              .deflate = options_.deflate,
              .rest = rest});
  return true;
}

void Link::on_event(const ws::Event& event) {
  const std::string_view payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case ws::Event::Kind::kText: return session_->on_message(*this, payload, false);
    case ws::Event::Kind::kBinary: return session_->on_message(*this, payload, true);
    case ws::Event::Kind::kPing: return send(net::FramePtr::make(ws::encode_frame(ws::Opcode::kPong, payload)));
    case ws::Event::Kind::kPong: return;
    case ws::Event::Kind::kClose: return on_close_frame(event);
    case ws::Event::Kind::kError: return close_session(event.reason);
    case ws::Event::Kind::kNeedMore: return;
  }
}

void Link::on_close_frame(const ws::Event& event) {
  send(net::FramePtr::make(event.close_code == ws::kCloseNoStatus
                               ? ws::encode_frame(ws::Opcode::kClose, {})
                               : ws::encode_close(event.close_code, {event.payload.data(), event.payload.size()})));
  retire(Reason::kClientClosed);
  host_.finish(Reason::kClientClosed);
}

void Link::close(Reason reason) {
  if (closing_) return;
  // Half closed it would leave a session behind that goes on with a link that is gone.
  const memory::MustSucceed closing;
  closing_ = true;
  session_ = nullptr;
  send(closing_frame(reason));
  host_.finish(reason);
}

void Link::close_session(Reason reason) {
  if (Session* session = session_) {
    if (session->link() == this) return session->close(reason);
    session->drop_probe(*this);
  }
  close(reason);
}

}  // namespace kilat::socketio
