#include "app/sink.h"

#include <utility>

#include "app/ingest_desk.h"
#include "pusher/formats.h"
#include "pusher/session.h"
#include "socketio/socket.h"

namespace kilat::app {
namespace {

using socketio::is_socket;

socketio::Socket& socket(hub::Subscriber& subscriber) {
  return static_cast<socketio::Socket&>(subscriber);
}

pusher::Session& session(hub::Subscriber& subscriber) {
  return static_cast<pusher::Session&>(subscriber);
}

}  // namespace

net::FramePtr ShardSink::encode(const hub::Publication& publication, hub::Format format) {
  if (format == socketio::kSharedFormat) {
    return socketio_->encoder.frame(publication, socketio_->options.namespaces.front());
  }
  const bool deflated = format == pusher::kDeflatedFormat || format == pusher::kDeflatedOffsetFormat;
  const bool offset = format == pusher::kTextOffsetFormat || format == pusher::kDeflatedOffsetFormat;
  return encoder_.frame(publication, deflated ? &deflater_ : nullptr, offset);
}

bool ShardSink::shared(hub::Format format) const {
  return format != pusher::kOwnFormat && format != socketio::kOwnFormat;
}

void ShardSink::deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) {
  if (is_socket(subscriber)) return socket(subscriber).deliver_own(publication);
  session(subscriber).deliver_own(publication);
}

void ShardSink::deliver_folded(hub::Subscriber& subscriber, const hub::Publication& publication) {
  // Only Pusher's clients have channels folded for them.
  session(subscriber).send_event(publication);
}

void ShardSink::on_missed(hub::Subscriber& subscriber, std::string_view channel, uint64_t count) {
  if (is_socket(subscriber)) return socket(subscriber).on_missed(channel, count);
  session(subscriber).on_missed(channel, count);
}

void ShardSink::on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) {
  if (is_socket(subscriber)) return socket(subscriber).on_joined(reply);
  session(subscriber).on_joined(reply);
}

void ShardSink::on_user_status(hub::Subscriber& subscriber, const hub::UserStatus& status) {
  // Only Pusher's clients watch.
  session(subscriber).on_user_status(status);
}

void ShardSink::on_kick(hub::Subscriber& subscriber, Reason reason) {
  if (is_socket(subscriber)) return socket(subscriber).on_kick(reason);
  session(subscriber).close(reason);
}

void ShardSink::on_letter(hub::ShardIndex from, std::unique_ptr<hub::Letter> letter) {
  if (dynamic_cast<MovedConnection*>(letter.get()) != nullptr) {
    return adopter_->adopt(std::unique_ptr<MovedConnection>(static_cast<MovedConnection*>(letter.release())));
  }
  socketio_->on_letter(from, std::move(letter));
}

void ShardSink::on_published(hub::RequestId request, const hub::PublishReply& reply) {
  if (ingest_ != nullptr && IngestDesk::is_own(request)) return ingest_->on_published(request, reply);
  if (socketio::Publishes::is_own(request)) return socketio_->publishes.on_published(request, reply);
  service_->on_published(request, reply);
}

void ShardSink::on_answer(hub::RequestId request, hub::QueryReply reply) {
  service_->on_answer(request, std::move(reply));
}

void ShardSink::on_tap(const hub::Publication& publication) {
  taps_.deliver(publication);
}

}  // namespace kilat::app
