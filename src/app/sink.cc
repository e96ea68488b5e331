#include "app/sink.h"

#include "pusher/formats.h"
#include "pusher/session.h"

namespace kilat::app {
namespace {

// Pusher sessions are the only subscribers there are.
pusher::Session& session(hub::Subscriber& subscriber) {
  return static_cast<pusher::Session&>(subscriber);
}

}  // namespace

net::FramePtr ShardSink::encode(const hub::Publication& publication, hub::Format format) {
  return encoder_.frame(publication, format == pusher::kDeflatedFormat ? &deflater_ : nullptr);
}

bool ShardSink::shared(hub::Format format) const {
  return format != pusher::kOwnFormat;
}

void ShardSink::deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) {
  session(subscriber).deliver_own(publication);
}

void ShardSink::on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) {
  session(subscriber).on_joined(reply);
}

void ShardSink::on_user_status(hub::Subscriber& subscriber, const hub::UserStatus& status) {
  session(subscriber).on_user_status(status);
}

void ShardSink::on_kick(hub::Subscriber& subscriber, Reason reason) {
  session(subscriber).close(reason);
}

void ShardSink::on_published(hub::RequestId request, const hub::PublishReply& reply) {
  service_->on_published(request, reply);
}

void ShardSink::on_answer(hub::RequestId request, hub::QueryReply reply) {
  service_->on_answer(request, std::move(reply));
}

void ShardSink::on_tap(const hub::Publication& publication) {
  taps_.deliver(publication);
}

}  // namespace kilat::app
