#include "socketio/recovery.h"

#include <algorithm>
#include <utility>

#include "socketio/offset.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {
Recovery::Kept::Kept() : Timer(&Kept::on_timer) {}
Recovery::Kept::~Kept() = default;

Recovery::~Recovery() {
  clear();
}

bool Recovery::keeps(Reason reason) const {
  // A client that means it says so on the level of Socket.IO, and has no socket then.
  return shard_.options.recovery_ms > 0 && reason != Reason::kTerminatedByApi && reason != Reason::kSioTakenOver;
}

void Recovery::keep(std::unique_ptr<Socket> socket) {
  if (kept_.size() >= kKeptMax) return socket->retire();
  auto kept = std::make_unique<Kept>();
  kept->recovery = this;
  kept->socket = std::move(socket);
  kept->socket->detach();
  shard_.wheel.schedule(*kept, shard_.now_ms + shard_.options.recovery_ms);
  const std::string pid = kept->socket->replay()->pid();
  kept_[pid] = std::move(kept);
}

void Recovery::Kept::on_timer(Timer& timer) {
  auto& kept = static_cast<Kept&>(timer);
  kept.recovery->drop(*kept.socket);
}

void Recovery::drop(Socket& socket) {
  kept_.erase(std::string(socket.replay()->pid()));
}

void Recovery::clear() {
  kept_.clear();
}

std::optional<Recovery::Asked> Recovery::read(std::string_view payload) const {
  if (shard_.options.recovery_ms == 0 || payload.empty()) return std::nullopt;
  std::optional<ContentParser::Recovery> asked = shard_.parser.parse_recovery(payload);
  const std::optional<hub::ShardIndex> shard = asked ? shard_.shard_of(asked->pid) : std::nullopt;
  if (!shard) return std::nullopt;
  return Asked{.pid = std::move(asked->pid), .offset = std::move(asked->offset), .shard = *shard};
}

std::optional<Recovery::Taken> Recovery::take(const Session& session, const Namespace& nsp, const Asked& asked) {
  if (asked.shard != shard_.hub.shard()) return std::nullopt;
  std::optional<uint64_t> after;
  if (asked.offset) {
    const std::optional<Offset> offset = parse_offset(*asked.offset);
    if (!offset) return std::nullopt;
    // One of a run before: since then its client has seen nothing.
    if (offset->run == shard_.run().id) after = offset->number;
    if (after > shard_.last_number()) return std::nullopt;
  }
  auto found = kept_.find(asked.pid);
  std::unique_ptr<Socket> socket;
  if (found == kept_.end()) {
    socket = take_live(asked.pid, nsp, session);
    if (!socket) return std::nullopt;
    socket->detach();
  } else if (&found->second->socket->nsp() == &nsp) {
    socket = std::move(found->second->socket);
    kept_.erase(found);
  } else {
    return std::nullopt;
  }
  const Replay& replay = *socket->replay();
  // A client that has seen no event yet gets all since it connected.
  const uint64_t from = after ? *after : replay.first();
  if (!replay.holds_after(from)) {
    socket->retire();
    return std::nullopt;
  }
  ++shard_.tally.recovered;
  return Taken{.socket = std::move(socket), .after = from};
}

// The old connection may be half-open: its client is here, so whatever is there is not the client.
std::unique_ptr<Socket> Recovery::take_live(const std::string& pid, const Namespace& nsp, const Session& session) {
  for (Socket* socket : shard_.sockets(nsp)) {
    if (socket->session() == nullptr || socket->session() == &session || socket->replay()->pid() != pid) continue;
    Session& old = *socket->session();
    std::unique_ptr<Socket> taken = old.give(*socket);
    if (shard_.handlers != nullptr) shard_.handlers->on_gone(*taken, Reason::kSioTakenOver);
    if (old.socket_count() == 0) old.close(Reason::kSioTakenOver);
    return taken;
  }
  return nullptr;
}

}  // namespace kilat::socketio
