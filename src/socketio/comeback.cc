#include "socketio/comeback.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/memory_reserve.h"
#include "socketio/registry.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {

// --- one of them

Comeback::Comeback(Comebacks& owner, std::string sid, const Namespace& nsp, std::string auth, auth::IdentityPtr who)
    : Timer(&Comeback::on_timer),
      owner_(owner),
      sid_(std::move(sid)),
      nsp_(nsp),
      auth_(std::move(auth)),
      who_(std::move(who)) {}

Comeback::~Comeback() = default;

void Comeback::set(State state) {
  if (state_ == State::kFailed) return;
  state_ = state;
  owner_.due_ = true;
}

void Comeback::fail() {
  set(State::kFailed);
}

void Comeback::on_timer(Timer& timer) {
  static_cast<Comeback&>(timer).fail();
}

void Comeback::join_rooms(const Remembered& record, const std::optional<Offset>& offset) {
  const bool counts = offset && offset->run == record.run.id;
  for (const RememberedRoom& room : record.rooms) {
    std::unique_ptr<HistoryAsk> ask;
    if (room.known.epoch != 0) {
      const uint64_t seen = counts ? offset->order_of(room.home, record.run) : 0;
      ask = std::make_unique<HistoryAsk>(HistoryAsk{.recover = true, .since = room.known, .seen = seen});
    }
    ++awaited_;
    socket_->enter_again(room, std::move(ask));
  }
  if (!socket_->user_id().empty()) {
    ++awaited_;
    socket_->enter_user_channel();
  }
  if (--awaited_ == 0) set(State::kJoined);
}

void Comeback::on_joined(Socket& socket, const hub::JoinReply& reply) {
  if (state_ != State::kJoining) return;
  --awaited_;
  if (reply.refused != Reason::kNone) return fail();
  if (reply.history && reply.history->asked) {
    if (reply.history->refused != Reason::kNone) return fail();
    // Taken out of the answer, so that it is not delivered now, before what belongs between.
    const std::vector<hub::PublicationPtr> missed = std::exchange(reply.history->missed, {});
    Position known = reply.history->position;
    if (!missed.empty()) known.offset = missed.front()->number() - 1;
    socket.note_known(reply.channel, known);
    for (const hub::PublicationPtr& publication : missed) add(publication, publication->order());
  } else if (reply.history && reply.history->durable) {
    socket.note_known(reply.channel, reply.history->position);
  }
  if (awaited_ == 0 && state_ == State::kJoining) set(State::kJoined);
}

void Comeback::on_live(const hub::Publication& publication) {
  if (publication.kind() != hub::Publication::Kind::kEvent) return;
  live_order_ = std::max(live_order_, publication.order());
  add(hub::PublicationPtr(publication), publication.order() != 0 ? publication.order() : live_order_);
}

void Comeback::add(const hub::PublicationPtr& publication, uint64_t order) {
  bytes_ += publication->text_bytes();
  if (bytes_ > owner_.shard_.options.recovery_bytes_max) return fail();
  events_.push_back({order, events_.size(), publication});
}

bool Comeback::settle() {
  std::ranges::sort(events_, [](const Event& a, const Event& b) {
    return a.order != b.order ? a.order < b.order : a.index < b.index;
  });
  // Before the first of them nothing is known beyond what the rooms say.
  std::vector<uint64_t> orders(owner_.shard_.hub.shards());
  for (const Event& event : events_) {
    const hub::Publication& publication = *event.publication;
    if (publication.order() != 0) {
      orders[owner_.shard_.hub.home_of_channel(publication.app(), publication.channel())] = publication.order();
    }
    // Of several rooms with the event one is enough: not all of them were joined when it came.
    if (publication.is_for(*socket_)) socket_->add_missed(publication, orders);
  }
  events_.clear();
  return socket_->replay()->holds_after(socket_->replay()->first());
}

// --- all of them

Comebacks::Comebacks(Shard& shard) : shard_(shard), expiry_(*this) {}

Comebacks::~Comebacks() {
  clear();
}

void Comebacks::clear() {
  for (const auto& comeback : under_way_) comeback->fail();
  for (const auto& comeback : std::exchange(under_way_, {})) {
    if (comeback->socket_) comeback->socket_->end_comeback();
  }
}

bool Comebacks::remember(std::string key, std::string_view record) {
  if (records_.size() >= Recovery::kKeptMax) return false;
  std::optional<Remembered> parsed = parse_record(record);
  return parsed && records_.emplace(std::move(key), std::move(*parsed)).second;
}

void Comebacks::start() {
  if (!records_.empty()) shard_.wheel.schedule(expiry_, shard_.now_ms + shard_.options.recovery_ms);
}

void Comebacks::on_expired(Timer& timer) {
  Comebacks& self = static_cast<Expiry&>(timer).owner;
  const memory::MustSucceed forgetting;
  for (const auto& [key, record] : std::exchange(self.records_, {})) {
    if (self.shard_.registry != nullptr) self.shard_.registry->erase(key);
  }
}

// Who the socket is for: as the client shows, else who it was before; null: nobody.
auth::IdentityPtr Comebacks::user_of(const Remembered& record, const auth::IdentityPtr& shown) {
  if (shown || record.user_id.empty()) return shown;
  auto before = std::make_shared<auth::Identity>();
  before->user_id = record.user_id;
  before->info = record.user_info;
  return before;
}

// As Socket::still_allowed has it. `shown`: the client has shown who it is.
bool Comebacks::may_have(const Remembered& record, const Namespace& nsp, const auth::Identity* who, bool shown) const {
  if (!shown && record.by_token) return false;
  if (shown && !record.user_id.empty() && who->user_id != record.user_id) return false;
  return std::ranges::all_of(record.rooms, [&](const RememberedRoom& room) {
    return !room.by_rule ||
           shard_.access.decide(nsp.app, auth::Action::kSubscribe, room.channel, who) == auth::Verdict::kAllow;
  });
}

// An offset of an earlier run than the record says nothing that the record does not know.
bool Comebacks::offset_fits(const Remembered& record, const std::optional<Offset>& offset, const ServerRun& now) {
  if (offset && (offset->run == 0 || offset->run > record.run.id || offset->run >= now.id)) return false;
  return std::ranges::all_of(record.rooms, [&](const RememberedRoom& room) {
    if (room.settled == 0) return true;
    return offset && offset->run == record.run.id && offset->number >= room.settled;
  });
}

bool Comebacks::begin(Session& session, const Namespace& nsp, std::string_view auth, const Recovery::Asked& asked,
                      const auth::IdentityPtr& who) {
  if (records_.empty() || asked.shard != shard_.hub.shard()) return false;
  const std::optional<Offset> offset = asked.offset ? parse_offset(*asked.offset) : std::nullopt;
  if (asked.offset && !offset) return false;
  const auto found = records_.find(registry_key(asked.pid));
  if (found == records_.end()) return false;
  if (found->second.nsp != nsp.name || found->second.app != shard_.app_of(nsp).settings.id) return false;
  const std::string key = found->first;
  const Remembered record = std::move(found->second);
  records_.erase(found);
  const auth::IdentityPtr user = user_of(record, who);
  if (!may_have(record, nsp, user.get(), who != nullptr) || !offset_fits(record, offset, shard_.run())) {
    shard_.registry->erase(key);
    return false;
  }
  Comeback& comeback =
      *under_way_.emplace_back(std::make_unique<Comeback>(*this, session.sid(), nsp, std::string(auth), who));
  try {
    session.await_comeback(nsp);
    comeback.socket_ = std::make_unique<Socket>(shard_, session, nsp, asked.pid);
    comeback.socket_->begin_comeback(comeback, record);
    if (user) comeback.socket_->become(user, who != nullptr);
    shard_.wheel.schedule(comeback, shard_.now_ms + Comeback::kWaitMs);
    comeback.join_rooms(record, offset);
  } catch (const std::bad_alloc&) {
    comeback.fail();
  }
  return true;
}

void Comebacks::on_written(uint64_t ticket) {
  for (const auto& comeback : under_way_) {
    if (comeback->state_ == Comeback::State::kWriting && comeback->ticket_ <= ticket) {
      comeback->set(Comeback::State::kReady);
    }
  }
}

void Comebacks::finish_turn() {
  if (!std::exchange(due_, false)) return;
  // New ones may come while these end.
  for (size_t i = 0; i < under_way_.size();) {
    Comeback& comeback = *under_way_[i];
    if (comeback.state_ == Comeback::State::kJoined) go_on(comeback);
    if (comeback.state_ != Comeback::State::kReady && comeback.state_ != Comeback::State::kFailed) {
      ++i;
      continue;
    }
    const std::unique_ptr<Comeback> ended = std::exchange(under_way_[i], nullptr);
    under_way_[i] = std::move(under_way_.back());
    under_way_.pop_back();
    finish(*ended);
  }
}

// All rooms are joined: from now on the socket is like any that waits to be recovered. Its offsets have another meaning
// than those of the run before, which its record must say before its client sees one.
void Comebacks::go_on(Comeback& comeback) {
  try {
    Socket& socket = *comeback.socket_;
    if (!comeback.settle()) return comeback.fail();
    comeback.set(Comeback::State::kWriting);
    comeback.ticket_ = socket.save();
    if (comeback.ticket_ == 0) comeback.set(Comeback::State::kReady);
  } catch (const std::bad_alloc&) {
    comeback.fail();
  }
}

void Comebacks::finish(Comeback& comeback) {
  shard_.wheel.cancel(comeback);
  std::unique_ptr<Socket> socket = std::move(comeback.socket_);
  const bool failed =
      comeback.state_ == Comeback::State::kFailed || !socket->replay()->holds_after(socket->replay()->first());
  if (socket) socket->end_comeback();
  if (failed && socket) {
    socket->retire();
    socket.reset();
  }
  if (socket) ++shard_.tally.recovered;
  Session* session = shard_.find_session(comeback.sid_);
  if (session == nullptr || session->ended()) {
    if (socket) shard_.recovery->keep(std::move(socket));
    return;
  }
  try {
    session->on_comeback(comeback.nsp_, std::move(socket), std::move(comeback.auth_), comeback.who_);
  } catch (const std::bad_alloc&) {
    session->outbox().starve();
  }
}

}  // namespace kilat::socketio
