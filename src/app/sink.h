// ShardSink: where the hub of one shard meets the protocols: encodes for each wire format, and hands answers on.
// Owner: one shard.
#pragma once

#include "api/service.h"
#include "app/tap.h"
#include "hub/sink.h"
#include "pusher/encode.h"
#include "ws/deflate.h"

namespace kilat::app {

class ShardSink final : public hub::Sink {
 public:
  /// The service does not exist yet when the hub is built around this sink.
  void connect(api::Service& service) { service_ = &service; }
  Taps& taps() { return taps_; }

  net::FramePtr encode(const hub::Publication& publication, hub::Format format) override;
  bool shared(hub::Format format) const override;
  void deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) override;
  void on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) override;
  void on_user_status(hub::Subscriber& subscriber, const hub::UserStatus& status) override;
  void on_kick(hub::Subscriber& subscriber, Reason reason) override;
  void on_published(hub::RequestId request, const hub::PublishReply& reply) override;
  void on_answer(hub::RequestId request, hub::QueryReply reply) override;
  void on_tap(const hub::Publication& publication) override;

 private:
  api::Service* service_ = nullptr;
  Taps taps_;
  pusher::PublicationEncoder encoder_;
  ws::Deflater deflater_;  ///< without context, so its frames suit every reader
};

}  // namespace kilat::app
