#include "socketio/socket.h"

#include <utility>

#include "base/json_text.h"
#include "base/memory_reserve.h"
#include "hub/event_name.h"
#include "socketio/comeback.h"
#include "socketio/emitter.h"
#include "socketio/link.h"
#include "socketio/recovery.h"
#include "socketio/session.h"
#include "ws/frame.h"

namespace kilat::socketio {

Socket::Socket(Shard& shard, Session& session, const Namespace& nsp, std::string pid)
    : Subscriber(nsp.app, {}, kSharedFormat, session.outbox()),
      shard_(shard),
      session_(&session),
      nsp_(nsp),
      published_(app().settings.client_events_per_second, 0, shard.now_ms),
      opened_ms_(shard.now_ms) {
  if (shard.options.recovery_ms > 0) {
    if (pid.empty()) pid = shard.new_secret_id();
    replay_ = std::make_unique<Replay>(std::move(pid), shard.options.recovery_bytes_max, shard.last_number());
  }
  if (replay_ && shard.registry != nullptr) {
    notes_ = std::make_unique<Notes>();
    notes_->key = registry_key(replay_->pid());
  }
  choose_format();
  shard.hub.add(*this);
  name(shard.new_socket_id(handle().slot));
  ++shard.tally.sockets_opened;
}

Socket::~Socket() {
  retire();
}

// Readers with anything of their own are served one by one; all others share frames.
void Socket::choose_format() {
  const bool plain = nsp_.name == "/" && nsp_.scope.empty() && !session_->text_only() && !shard_.options.compression;
  read_as(plain && !replay_ ? kSharedFormat : kOwnFormat);
}

void Socket::transport_changed() {
  move_to(session_->outbox());
}

void Socket::list() {
  if (listed_) return;
  std::vector<Socket*>& all = shard_.sockets(nsp_);
  place_ = all.size();
  all.push_back(this);
  listed_ = true;
}

void Socket::open(std::string_view auth) {
  list();
  send_connected();
  if (who_) enter_user_channel();
  if (!shard_.options.protocol_suite) return;
  std::string json = R"(["auth",)";
  json += auth.empty() ? "{}" : auth;
  json += ']';
  send(packet_message(Packet::Type::kEvent, nsp_.name, {}, json));
}

void Socket::send_connected() {
  std::string json = R"({"sid":")" + id() + '"';
  if (replay_) json += R"(,"pid":")" + replay_->pid() + '"';
  json += '}';
  send(packet_message(Packet::Type::kConnect, nsp_.name, {}, json));
}

const std::string& Socket::user_id() const {
  static const std::string kNobody;
  return who_ ? who_->user_id : kNobody;
}

void Socket::retire() {
  if (std::exchange(retired_, true)) return;
  const memory::MustSucceed retiring;
  if (shard_.handlers != nullptr) shard_.handlers->on_gone(*this, Reason::kClientGone);
  shard_.emitter->forget(*this);
  shard_.hub.remove(*this);
  if (listed_) {
    std::vector<Socket*>& all = shard_.sockets(nsp_);
    all[place_] = all.back();
    all[place_]->place_ = place_;
    all.pop_back();
  }
  erase_record();
  ++shard_.tally.sockets_closed;
}

void Socket::detach() {
  session_ = nullptr;
  joining_.clear();
  if (notes_) notes_->drop_waiting();
  // What waits goes to the replay, in the order in which a client that was there would have got it.
  shard_.hub.local().release(*this, true);
  move_to(shard_.nowhere);
}

void Socket::resume(Session& session, uint64_t after) {
  session_ = &session;
  move_to(session.outbox());
  list();
  // The reference server sends what was missed first, too: its client keeps it until it hears that it is connected.
  replay_->for_each_after(after, [this](const net::FramePtr& frame) { send(session_->link_frame(frame)); });
  send_connected();
}

void Socket::send(net::FramePtr frame) {
  if (session_ != nullptr) session_->send(std::move(frame));
}

void Socket::answer(std::optional<uint64_t> ack, std::string_view json) {
  if (!ack) return;
  std::string list = "[";
  list += json;
  list += ']';
  send(packet_message(Packet::Type::kAck, nsp_.name, ack, list));
}

void Socket::refuse(std::optional<uint64_t> ack, Reason reason) {
  const ReasonRow& row = reason_row(reason);
  std::string json = R"({"ok":false,"error":")";
  json += row.id;
  json += R"(","message":)";
  append_json_string(json, row.text);
  json += '}';
  answer(ack, json);
}

// --- from the client

void Socket::on_event(const Packet& packet, std::span<const std::string> attachments) {
  if (packet.payload.empty()) return;  // as the reference server has it
  const std::optional<EventContent> event = shard_.parser.parse_event(packet.payload);
  if (!event || (!event->numeric && hub::reserved_by_socketio(event->name)))
    return session_->close(Reason::kSioPacketInvalid);
  if (packet.binary() && !shard_.parser.placeholders_valid(packet.payload, attachments.size())) {
    return session_->close(Reason::kSioPacketInvalid);
  }
  if (shard_.handlers != nullptr && !event->numeric &&
      shard_.handlers->on_event(*this, *event, packet.id, attachments)) {
    return;
  }
  if (shard_.options.protocol_suite) return echo(*event, packet, attachments);
  if (on_built_in(*event, packet.id, attachments)) return;
  ++shard_.tally.unhandled;
}

void Socket::on_ack(const Packet& packet, std::span<const std::string> attachments) {
  if (packet.payload.empty() || !packet.id) return;
  if (!shard_.parser.is_array(packet.payload)) return session_->close(Reason::kSioPacketInvalid);
  if (packet.binary() && !shard_.parser.placeholders_valid(packet.payload, attachments.size())) {
    return session_->close(Reason::kSioPacketInvalid);
  }
  if (shard_.handlers != nullptr && shard_.handlers->on_ack(*this, *packet.id, packet.payload, attachments)) return;
  shard_.emitter->on_ack(*this, *packet.id, packet.payload, attachments);
}

void Socket::acknowledge(uint64_t id, std::string_view list, std::span<const std::string> attachments) {
  if (session_ == nullptr) return;
  send(session_->link_frame(packet_message(Packet::Type::kAck, nsp_.name, id, list, attachments)));
}

// --- from the hub and the emit API

bool Socket::position_wanted(const hub::Publication& publication) const {
  if (publication.kind() != hub::Publication::Kind::kEvent || publication.number() == 0) return false;
  const hub::Subscription* subscription = find(publication.channel());
  return subscription != nullptr && subscription->options.positions;
}

void Socket::deliver_own(const hub::Publication& publication) {
  if (collects()) return comeback_->on_live(publication);
  const bool deflate = session_ != nullptr && session_->link() != nullptr && session_->link()->options().deflate;
  const FrameKind kind{.deflated = deflate, .position = position_wanted(publication)};
  uint64_t number = 0;
  net::FramePtr frame = shard_.frame_for(publication, nsp_, kind, &number);
  if (replay_ && number != 0) {
    // Deflated frames can't be sent again over long-polling.
    replay_->add(number, deflate ? shard_.frame_for(publication, nsp_, {.position = kind.position}, nullptr) : frame);
  }
  if (session_ != nullptr) push_event(session_->link_frame(std::move(frame)));
}

void Socket::deliver(const hub::Publication& publication, bool is_volatile) {
  if (is_volatile) {
    if (session_ == nullptr || !session_->writable()) return;
    if (!replay_) return shard_.hub.local().deliver_to_one(*this, publication);
    // It has an offset like every event, or its last argument would be taken for one; but it is not kept.
    push_event(session_->link_frame(shard_.frame_for(publication, nsp_, {}, nullptr)));
    return;
  }
  shard_.hub.local().deliver_to_one(*this, publication);
}

void Socket::ask(const hub::Publication& publication, uint64_t ack_id) {
  if (session_ == nullptr) return;
  push_event(session_->link_frame(shard_.encoder.asking_frame(publication, nsp_, ack_id)));
}

// An event like any other, so that a client that is recovered hears of it as well.
void Socket::on_missed(std::string_view channel, uint64_t count) {
  std::string data = R"({"channel":)";
  append_json_string(data, room_of(channel, nsp_.scope));
  data += R"(,"missed":)";
  append_json_number(data, count);
  data += '}';
  deliver_own(*hub::Publication::make({.app = nsp_.app, .channel = channel, .event = "kilat:missed", .data = data}));
}

void Socket::on_kick(Reason reason) {
  // A client that is told nothing on the level of Socket.IO comes back by itself.
  if (reason == Reason::kForcedReconnect && session_ != nullptr) return session_->close(reason);
  disconnect(true);
}

void Socket::disconnect(bool close) {
  if (comeback_ != nullptr) return comeback_->fail();
  if (session_ == nullptr) return shard_.recovery->drop(*this);
  Session& session = *session_;
  if (!close) {
    send(packet_message(Packet::Type::kDisconnect, nsp_.name, {}, {}));
    return session.remove(*this, Reason::kTerminatedByApi);
  }
  session.disconnect_all();
}

}  // namespace kilat::socketio
