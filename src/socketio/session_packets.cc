// What the packets of a session say: Engine.IO's own, and Socket.IO's up to the socket they are for.
#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/json_text.h"
#include "socketio/comeback.h"
#include "socketio/link.h"
#include "socketio/payload.h"
#include "socketio/recovery.h"
#include "socketio/session.h"
#include "socketio/socket.h"
#include "ws/frame.h"

namespace kilat::socketio {
namespace {

constexpr uint64_t kBinaryMs = 30'000;  ///< for all attachments of one packet

}  // namespace

void Session::on_packet(std::string_view packet) {
  if (packet.empty()) return engine_sin();
  if (!messages_.take(1, app_.settings.client_messages_per_second, shard_.now_ms)) {
    return close(Reason::kClientMessagesLimited);
  }
  ++shard_.tally.packets;
  const char type = packet.front();
  heard(type == '3');
  packet.remove_prefix(1);
  switch (type) {
    case 'b': {
      std::string bytes;
      if (!base64_decode(packet, bytes)) return engine_sin();
      return on_attachment(std::move(bytes));
    }
    case '0':
    case '3':
    case '5':
    case '6': return;  // nothing to be done
    case '1': return client_closed();
    case '4': return on_text(packet);
    default: return engine_sin();
  }
}

// Not a packet of Engine.IO: over long-polling such a session is gone at once.
void Session::engine_sin() {
  if (polls()) return end(Reason::kEioPacketInvalid);
  close(Reason::kEioPacketInvalid);
}

// The client says goodbye on the level of Engine.IO: a poll that waits is let go.
void Session::client_closed() {
  if (poll_ && poll_->waiting) {
    answer(*std::exchange(poll_->waiting, std::nullopt), "6", false);
  } else if (poll_) {
    shard_.expect_last_poll(sid_);
  }
  end(Reason::kClientClosed);
}

void Session::on_attachment(std::string bytes) {
  if (echo_) return send(link_frame(net::FramePtr::make(ws::encode_frame(ws::Opcode::kBinary, bytes))));
  if (!unfinished_) return close(Reason::kSioPacketInvalid);
  unfinished_->bytes += bytes.size();
  if (unfinished_->bytes > shard_.options.binary_bytes_max) return close(Reason::kSioBinaryTooBig);
  unfinished_->attachments.push_back(std::move(bytes));
  if (unfinished_->attachments.size() < unfinished_->awaited) return;
  const std::unique_ptr<Unfinished> whole = std::move(unfinished_);
  Packet packet;
  parse_packet(whole->text, shard_.options.attachments_max, packet);  // it was a packet when it came
  handle(packet, std::move(whole->attachments));
}

void Session::on_text(std::string_view text) {
  if (echo_) return send(text_message("4" + std::string(text)));
  if (unfinished_) return close(Reason::kSioPacketInvalid);
  Packet packet;
  if (const Reason sin = parse_packet(text, shard_.options.attachments_max, packet); sin != Reason::kNone) {
    return close(sin);
  }
  if (!packet.binary()) return handle(packet, {});
  unfinished_ = std::make_unique<Unfinished>();
  unfinished_->text = text;
  unfinished_->bytes = text.size();
  unfinished_->awaited = packet.attachments;
  unfinished_->until_ms = shard_.now_ms + kBinaryMs;
  schedule();
}

void Session::handle(const Packet& packet, std::vector<std::string> attachments) {
  if (packet.type == Packet::Type::kConnect) return connect(packet);
  Socket* socket = find(packet.nsp);
  if (socket == nullptr) return close(Reason::kSioNotConnected);
  switch (packet.type) {
    case Packet::Type::kDisconnect:
      if (!packet.payload.empty()) return close(Reason::kSioPacketInvalid);
      return remove(*socket, Reason::kClientClosed);
    case Packet::Type::kEvent:
    case Packet::Type::kBinaryEvent: return socket->on_event(packet, attachments);
    case Packet::Type::kAck:
    case Packet::Type::kBinaryAck: return socket->on_ack(packet, attachments);
    default: return close(Reason::kSioPacketInvalid);
  }
}

Session::Undecided& Session::undecided() {
  if (!undecided_) undecided_ = std::make_unique<Undecided>();
  return *undecided_;
}

size_t Session::undecided_count() const {
  return undecided_ ? undecided_->candidates.size() + undecided_->identifying.size() : 0;
}

void Session::await_comeback(const Namespace& nsp) {
  undecided().identifying.push_back(&nsp);
}

bool Session::is_undecided(std::string_view nsp) const {
  if (!undecided_) return false;
  return std::ranges::any_of(undecided_->candidates,
                             [&](const Candidate& candidate) { return candidate.socket->nsp().name == nsp; }) ||
         std::ranges::any_of(undecided_->identifying, [&](const Namespace* waits) { return waits->name == nsp; });
}

void Session::identified(const Namespace& nsp) {
  if (!undecided_) return;
  std::erase(undecided_->identifying, &nsp);
  if (undecided_count() == 0) undecided_.reset();
}

void Session::connect(const Packet& packet) {
  if (!packet.payload.empty() && !shard_.parser.is_object(packet.payload)) {
    return close(Reason::kSioPacketInvalid);
  }
  if (is_undecided(packet.nsp) || find(packet.nsp) != nullptr) return close(Reason::kSioPacketInvalid);
  const Namespace* nsp = shard_.find_namespace(packet.nsp);
  if (nsp == nullptr) return refuse(packet.nsp, Reason::kSioNamespaceInvalid);
  if (sockets_.size() + undecided_count() >= shard_.options.namespaces_max)
    return refuse(packet.nsp, Reason::kSioTooManyNamespaces);
  const hub::App& app = shard_.app_of(*nsp);
  if (!app.present || !app.settings.enabled) return refuse(packet.nsp, Reason::kAppDisabled);
  connect_by_ms_ = 0;
  std::optional<Recovery::Asked> asked = shard_.recovery->read(packet.payload);
  const bool alone = sockets_.empty() && undecided_count() == 0;
  if (asked && asked->shard != shard_.hub.shard() && alone && !arrived_) {
    move_ = std::make_unique<Move>(Move{asked->shard, packet_head(Packet::Type::kConnect, packet.nsp)});
    move_->connect += packet.payload;
    return;
  }
  authenticate(*nsp, packet.payload, std::move(asked));
}

// Who shows a token is its user, or nobody at all; who shows none is anonymous.
void Session::authenticate(const Namespace& nsp, std::string_view payload, std::optional<Recovery::Asked> asked) {
  if (!shard_.access.authenticator().enabled(nsp.app)) return finish_connect(nsp, payload, asked, nullptr);
  std::string token = shard_.parser.parse_token(payload);
  if (token.empty() && client_.credentials) token = client_.credentials->token;
  if (token.empty()) return finish_connect(nsp, payload, asked, nullptr);
  undecided().identifying.push_back(&nsp);
  shard_.access.authenticator().identify(nsp.app, token,
                                         [&shard = shard_, sid = sid_, &nsp, payload = std::string(payload),
                                          asked = std::move(asked)](const auth::Authenticator::Outcome& who) {
                                           Session* session = shard.find_session(sid);
                                           if (session == nullptr) return;
                                           session->identified(nsp);
                                           if (session->ended_ || (session->poll_ && session->poll_->closing)) return;
                                           if (!who) return session->refuse(nsp.name, who.error());
                                           if (!hub::valid_user_id(shard.app_of(nsp).settings, (*who)->user_id)) {
                                             return session->refuse(nsp.name, Reason::kSigninInvalid);
                                           }
                                           session->finish_connect(nsp, payload, asked, *who);
                                         });
}

void Session::finish_connect(const Namespace& nsp, std::string_view payload,
                             const std::optional<Recovery::Asked>& asked, auth::IdentityPtr who) {
  if (std::optional<Recovery::Taken> taken = asked ? shard_.recovery->take(*this, nsp, *asked) : std::nullopt) {
    if (taken->socket->still_allowed(who.get())) {
      if (who) taken->socket->become(std::move(who), true);
      return vet({.socket = std::move(taken->socket), .auth = std::string(payload), .after = taken->after});
    }
    // Somebody else, or with fewer rights: a new socket, which asks for its rooms again.
    taken->socket->retire();
  } else if (asked && shard_.comebacks->begin(*this, nsp, payload, *asked, who)) {
    return;
  }
  auto socket = std::make_unique<Socket>(shard_, *this, nsp);
  if (who) socket->become(std::move(who), true);
  vet({.socket = std::move(socket), .auth = std::string(payload), .after = {}});
}

void Session::on_comeback(const Namespace& nsp, std::unique_ptr<Socket> socket, std::string auth,
                          auth::IdentityPtr who) {
  identified(nsp);
  if (poll_ && poll_->closing) {
    if (socket) shard_.recovery->keep(std::move(socket));
    return;
  }
  std::optional<uint64_t> after;
  if (socket) {
    after = socket->replay()->first();
  } else {
    socket = std::make_unique<Socket>(shard_, *this, nsp);
    if (who) socket->become(std::move(who), true);
  }
  vet({.socket = std::move(socket), .auth = std::move(auth), .after = after});
}

// The program that has Kilat inside, if there is one, decides before the client hears anything.
void Session::vet(Candidate candidate) {
  if (shard_.handlers == nullptr) return let_in(std::move(candidate));
  const std::string auth = candidate.auth;
  Socket& socket = *undecided().candidates.emplace_back(std::move(candidate)).socket;
  shard_.handlers->on_connecting(*this, socket, auth);
}

void Session::let_in(Candidate candidate) {
  Socket& socket = *sockets_.emplace_back(std::move(candidate.socket));
  if (candidate.after) {
    socket.resume(*this, *candidate.after);
  } else {
    socket.open(candidate.auth);
  }
  if (socket.clock().runs()) schedule();
  if (shard_.handlers != nullptr) shard_.handlers->on_connected(socket, candidate.after.has_value());
}

std::optional<Session::Candidate> Session::take_candidate(const Socket& socket) {
  if (!undecided_) return std::nullopt;
  std::vector<Candidate>& candidates = undecided_->candidates;
  const auto found = std::ranges::find_if(
      candidates, [&socket](const Candidate& candidate) { return candidate.socket.get() == &socket; });
  if (found == candidates.end()) return std::nullopt;
  Candidate taken = std::move(*found);
  candidates.erase(found);
  if (undecided_count() == 0) undecided_.reset();
  return taken;
}

void Session::admit(Socket& socket) {
  if (auto candidate = take_candidate(socket)) let_in(std::move(*candidate));
}

void Session::turn_away(Socket& socket, std::string_view json) {
  const std::optional<Candidate> candidate = take_candidate(socket);
  if (!candidate) return;
  send(packet_message(Packet::Type::kConnectError, socket.nsp().name, {}, json));
  candidate->socket->retire();
}

// --- moving to another shard

SessionState Session::leave(std::string_view rest) {
  SessionState state{.sid = sid_,
                     .address = client_.address,
                     .app = app_.index,
                     .secure = client_.secure,
                     .credentials = client_.credentials,
                     .request = client_.request,
                     .text_only = text_only_,
                     .pinged = pinged_,
                     .beat_ms = beat_ms_,
                     .waiting = {},
                     .gzip = false,
                     .queued = {},
                     .packets = move_ ? std::move(move_->connect) : std::string()};
  if (!rest.empty()) (state.packets += kPacketSeparator) += rest;
  if (poll_) {
    state.waiting = std::exchange(poll_->waiting, std::nullopt);
    state.gzip = poll_->gzip;
    std::vector<net::Frame*> frames(poll_->outbox.frames());
    poll_->outbox.peek(frames);
    for (net::Frame* frame : frames) {
      frame->retain();
      state.queued.push_back(net::FramePtr::adopt(frame));
    }
  }
  // The place in the quota goes with it.
  ++shard_.tally.sessions_closed;
  ended_ = true;
  shard_.wheel.cancel(*this);
  shard_.bury(*this);
  return state;
}

void Session::stay() {
  const std::unique_ptr<Move> move = std::move(move_);
  arrived_ = true;
  Packet packet;
  const std::string text = move->connect.substr(1);
  parse_packet(text, shard_.options.attachments_max, packet);
  if (const Namespace* nsp = shard_.find_namespace(packet.nsp))
    authenticate(*nsp, packet.payload, shard_.recovery->read(packet.payload));
}

void Session::arrive(SessionState&& state) {
  arrived_ = true;
  beat_ms_ = state.beat_ms;
  pinged_ = state.pinged;
  text_only_ = state.text_only;
  if (poll_) {
    poll_->waiting = state.waiting;
    poll_->gzip = state.gzip;
    for (net::FramePtr& frame : state.queued) poll_->outbox.push(std::move(frame));
  }
  schedule();
  feed(state.packets);
}

void Session::feed(std::string_view text) {
  if (poll_ && poll_->closing) return;
  PayloadReader packets(text);
  while (const std::optional<std::string_view> packet = packets.next()) {
    on_packet(*packet);
    if (ended_ || (poll_ && poll_->closing)) return;
    if (!move_) continue;
    if (polls()) shard_.send_away(*this, packets.left());
    return;
  }
}

void Session::refuse(std::string_view nsp, Reason reason) {
  std::string json = R"({"message":)";
  append_json_string(json, reason_row(reason).text);
  if (reason_row(reason).http_status == 401 || reason_row(reason).http_status == 503) {
    // A client tells by it whether a fresh token would help.
    json += R"(,"data":{"reason":")";
    json += reason_row(reason).id;
    json += R"("})";
  }
  json += '}';
  send(packet_message(Packet::Type::kConnectError, nsp, {}, json));
}

Socket* Session::find(std::string_view nsp) const {
  for (const auto& socket : sockets_) {
    if (socket->nsp().name == nsp) return socket.get();
  }
  return nullptr;
}

std::unique_ptr<Socket> Session::give(Socket& socket) {
  const auto held = std::ranges::find(sockets_, &socket, &std::unique_ptr<Socket>::get);
  std::unique_ptr<Socket> given = std::move(*held);
  sockets_.erase(held);
  return given;
}

void Session::remove(Socket& socket, Reason reason) {
  if (shard_.handlers != nullptr) shard_.handlers->on_gone(socket, reason);
  if (const std::optional<Candidate> candidate = take_candidate(socket)) return candidate->socket->retire();
  give(socket)->retire();
}

void Session::disconnect_all() {
  release_all();
  for (const auto& socket : sockets_) {
    send(packet_message(Packet::Type::kDisconnect, socket->nsp().name, {}, {}));
  }
  close(Reason::kTerminatedByApi);
}

net::FramePtr Session::link_frame(net::FramePtr frame) const {
  if (link_ == nullptr || !text_only_) return frame;
  return net::FramePtr::make(without_binary(frame->bytes()));
}

}  // namespace kilat::socketio
