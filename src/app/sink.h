// ShardSink: where the hub of one shard meets the protocols: encodes for each wire format, and hands answers on.
// Owner: one shard.
#pragma once

#include "api/service.h"
#include "app/moved_connection.h"
#include "app/tap.h"
#include "hub/sink.h"
#include "pusher/encode.h"
#include "socketio/shard.h"
#include "ws/deflate.h"

namespace kilat::app {

class IngestDesk;

class ShardSink final : public hub::Sink {
 public:
  /// These do not exist yet when the hub is built around this sink.
  void connect(api::Service& service, socketio::Shard& socketio, Adopter& adopter) {
    service_ = &service;
    socketio_ = &socketio;
    adopter_ = &adopter;
  }
  /// Null until then: nobody publishes readings.
  void set_ingest(IngestDesk& desk) { ingest_ = &desk; }
  Taps& taps() { return taps_; }

  net::FramePtr encode(const hub::Publication& publication, hub::Format format) override;
  bool shared(hub::Format format) const override;
  void deliver_own(hub::Subscriber& subscriber, const hub::Publication& publication) override;
  void deliver_folded(hub::Subscriber& subscriber, const hub::Publication& publication) override;
  void on_missed(hub::Subscriber& subscriber, std::string_view channel, uint64_t count) override;
  void on_joined(hub::Subscriber& subscriber, const hub::JoinReply& reply) override;
  void on_user_status(hub::Subscriber& subscriber, const hub::UserStatus& status) override;
  void on_kick(hub::Subscriber& subscriber, Reason reason) override;
  void on_published(hub::RequestId request, const hub::PublishReply& reply) override;
  void on_answer(hub::RequestId request, hub::QueryReply reply) override;
  void on_letter(hub::ShardIndex from, std::unique_ptr<hub::Letter> letter) override;
  void on_tap(const hub::Publication& publication) override;

 private:
  api::Service* service_ = nullptr;
  socketio::Shard* socketio_ = nullptr;
  Adopter* adopter_ = nullptr;
  IngestDesk* ingest_ = nullptr;
  Taps taps_;
  pusher::PublicationEncoder encoder_;
  ws::Deflater deflater_;  ///< without context, so its frames suit every reader
};

}  // namespace kilat::app
