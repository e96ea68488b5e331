#include "socketio/shard.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/base64.h"
#include "base/memory_reserve.h"
#include "socketio/comeback.h"
#include "socketio/emitter.h"
#include "socketio/letters.h"
#include "socketio/link.h"
#include "socketio/recovery.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

constexpr size_t kSecretBytes = 15;
constexpr size_t kSecretChars = kSecretBytes / 3 * 4;

}  // namespace

Shard::Shard(hub::AppTable& apps_in, hub::ShardHub& hub_in, TimerWheel& wheel_in, hub::Access& access_in, Host& host_in,
             const net::OutboxLimits& limits, Options options_in)
    : apps(apps_in),
      hub(hub_in),
      wheel(wheel_in),
      access(access_in),
      host(host_in),
      options(std::move(options_in)),
      encoder(parser),
      pool(limits),
      nowhere(pool, nullptr),
      emitter(std::make_unique<Emitter>(*this)),
      recovery(std::make_unique<Recovery>(*this)),
      comebacks(std::make_unique<Comebacks>(*this)),
      sockets_(options.namespaces.size()) {
  nowhere.seal();
}

Shard::~Shard() {
  registry = nullptr;  // what is in it is for the next run
  graves_.clear();
  // A session that ends looks for itself in the table, so that each leaves it before it goes.
  while (!sessions_.empty()) sessions_.extract(sessions_.begin());
  comebacks->clear();
  recovery->clear();
}

// --- sessions

Session* Shard::find_session(const std::string& sid) const {
  const auto found = sessions_.find(sid);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void Shard::take(std::unique_ptr<Session> session) {
  try {
    sessions_.try_emplace(session->sid(), nullptr).first->second = std::move(session);
  } catch (const std::bad_alloc&) {
    session->give_up();
    throw;
  }
}

Reason Shard::admit(hub::App*& app) {
  app = &app_of(options.namespaces.front());
  if (!app->present) return Reason::kAppUnknown;
  if (!app->settings.enabled) return Reason::kAppDisabled;
  return host.admit(*app);
}

void Shard::open(Link& link, Admitted& place, const ClientInfo& client, bool text_only, bool echo) {
  auto session = std::make_unique<Session>(*this, new_secret_id(), place.app(), client, &link);
  place.keep();
  Session& opened = *session;
  take(std::move(session));
  link.attach(opened);
  if (text_only) opened.set_text_only();
  if (echo) opened.set_echo();
  opened.send(text_message("0" + opened.handshake()));
}

bool Shard::knows(const std::string& sid) const {
  const Session* session = find_session(sid);
  return session != nullptr && !session->ended();
}

void Shard::probe(const std::string& sid, Link& link, bool probed) {
  Session& session = *find_session(sid);
  session.probe(link);
  if (probed && !link.closing()) session.set_probed();
}

void Shard::bury(Session& session) {
  const memory::MustSucceed burying;
  const auto found = sessions_.find(session.sid());
  if (found == sessions_.end() || found->second.get() != &session) return;
  graves_.push_back(std::move(found->second));
  sessions_.erase(found);
  // Requests for a session that moved here come by way of the shard that its id names.
  const std::optional<hub::ShardIndex> named = shard_of(session.sid());
  if (named && *named != hub.shard() && !session.moving()) {
    hub.post(*named, std::make_unique<Letter>(Ended{session.sid()}));
  }
}

// --- sessions that move

std::optional<hub::ShardIndex> Shard::moved_to(const std::string& sid) const {
  const auto found = moved_.find(sid);
  if (found == moved_.end()) return std::nullopt;
  return found->second;
}

void Shard::send_away(Session& session, std::string_view rest) {
  const hub::ShardIndex to = *session.moving();
  const bool probed = session.probed();
  Link* probe = session.take_probe();
  SessionState state = session.leave(rest);
  const std::string sid = state.sid;
  if (shard_of(sid) == hub.shard()) moved_[sid] = to;
  hub.post(to, std::make_unique<Letter>(MoveSession{std::move(state)}));
  // The WebSocket that wants to become its transport follows; where it can't, its client goes on polling.
  if (probe != nullptr && !probe->move(to, nullptr, sid, probed, {})) probe->close(Reason::kEioUpgradeRefused);
}

void Shard::adopt(SessionState&& state, Link* link) {
  Admitted place(host, apps[state.app]);
  const ClientInfo client{
      .address = state.address, .secure = state.secure, .credentials = state.credentials, .request = state.request};
  auto session = std::make_unique<Session>(*this, state.sid, place.app(), client, link);
  place.keep();
  Session& adopted = *session;
  moved_.erase(state.sid);
  take(std::move(session));
  if (link != nullptr) link->attach(adopted);
  adopted.arrive(std::move(state));
}

void Shard::finish_turn() {
  comebacks->finish_turn();
  pool.flush();
  graves_.clear();
  cached_ = {};
}

void Shard::close_app(hub::AppIndex app) {
  for (const Namespace& nsp : options.namespaces) {
    if (nsp.app != app) continue;
    // A session has one socket in a namespace, so that none of these goes with another.
    for (Socket* socket : std::vector<Socket*>(sockets(nsp))) socket->disconnect(nsp.name == "/");
  }
}

void Shard::expect_last_poll(const std::string& sid) {
  while (!last_polls_.empty() && (last_polls_.size() >= kLastPollsMax || last_polls_.front().second < now_ms)) {
    last_polls_.pop_front();
  }
  last_polls_.emplace_back(sid, now_ms + kLastPollMs);
}

bool Shard::take_last_poll(const std::string& sid) {
  const auto found = std::ranges::find(last_polls_, sid, &std::pair<std::string, uint64_t>::first);
  if (found == last_polls_.end()) return false;
  const bool in_time = found->second >= now_ms;
  last_polls_.erase(found);
  return in_time;
}

// --- names

const Namespace* Shard::find_namespace(std::string_view name) const {
  const auto found = std::ranges::find(options.namespaces, name, &Namespace::name);
  return found == options.namespaces.end() ? nullptr : &*found;
}

bool Shard::serves(hub::AppIndex app) const {
  return options.enabled && std::ranges::find(options.namespaces, app, &Namespace::app) != options.namespaces.end();
}

// 15 bytes, of which 14 are random; the first says on which shard, hidden by the second.
std::string Shard::new_secret_id() {
  std::string bytes;
  for (size_t i = 0; i < 2; ++i) {
    const uint64_t word = random.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  bytes.resize(kSecretBytes);
  bytes[0] = static_cast<char>(static_cast<uint8_t>(bytes[1]) ^ hub.shard());
  return base64url_encode(bytes);
}

std::optional<hub::ShardIndex> Shard::shard_of(std::string_view id) const {
  // This is asked for every request of a session; what else is in the id must be known there.
  if (id.size() != kSecretChars) return std::nullopt;
  const std::optional<std::string> bytes = base64url_decode(id.substr(0, 4));
  if (!bytes) return std::nullopt;
  const auto shard = static_cast<uint8_t>(static_cast<uint8_t>((*bytes)[0]) ^ static_cast<uint8_t>((*bytes)[1]));
  if (shard >= host.shards()) return std::nullopt;
  return shard;
}

hub::SocketId Shard::new_socket_id(uint32_t slot) {
  return {host.place(), uint64_t{slot} << 32 | random.below(uint64_t{1} << 32)};
}

// --- frames

net::FramePtr Shard::frame_for(const hub::Publication& publication, const Namespace& nsp, FrameKind kind,
                               uint64_t* number) {
  const bool fits =
      cached_.publication && &*cached_.publication == &publication && cached_.nsp == &nsp && cached_.kind == kind;
  if (!fits) {
    EncodeOptions encode;
    std::string offset;
    uint64_t next = 0;
    if (options.recovery_ms > 0 && publication.kind() == hub::Publication::Kind::kEvent) {
      // The same publication keeps its number for all readers of this shard.
      const bool same = cached_.publication && &*cached_.publication == &publication;
      next = same ? cached_.number : ++numbers_;
      offset = offset_text(next, run_, hub.handed());
      encode.offset = offset;
    }
    encode.position = kind.position;
    if (kind.deflated) encode.deflater = &deflater;
    net::FramePtr frame = encoder.frame(publication, nsp, encode);
    cached_ = {hub::PublicationPtr(publication), &nsp, kind, next, std::move(frame)};
  }
  if (number != nullptr) *number = cached_.number;
  return cached_.frame;
}

net::FramePtr Shard::past_frame(const hub::Publication& publication, const Namespace& nsp, bool position,
                                std::span<const uint64_t> orders, uint64_t* number) {
  *number = ++numbers_;
  const std::string offset = offset_text(*number, run_, orders);
  return encoder.frame(publication, nsp, {.offset = offset, .position = position});
}

// --- sockets that outlive the process

void Shard::set_registry(Registry& where, uint64_t run) {
  registry = &where;
  run_ = {run, hub.first_order()};
}

bool Shard::take_record(bool is_there) {
  if (!is_there && records_ >= Recovery::kKeptMax) return false;
  ++records_;
  return true;
}

void Shard::on_written(uint64_t ticket) {
  while (!unwritten_.empty() && unwritten_.front().first <= ticket) {
    auto* socket = static_cast<Socket*>(hub.local().resolve(unwritten_.front().second));
    unwritten_.pop_front();
    if (socket != nullptr) socket->on_written(ticket);
  }
  comebacks->on_written(ticket);
}

// --- letters

// std::bad_alloc ends at one letter: a request is refused, whatever else is left out.
void Shard::on_letter(hub::ShardIndex from, std::unique_ptr<hub::Letter> letter) {
  auto& opened = static_cast<Letter&>(*letter);
  const auto* request = std::get_if<PollRequest>(&opened.body);
  const ReplyTo to = request != nullptr ? request->to : ReplyTo{};
  try {
    handle_letter(from, opened);
  } catch (const std::bad_alloc&) {
    const memory::MustSucceed refusing;
    if (to.ticket != 0) reply(to, engine_refusal(Reason::kMemoryBudget));
  }
}

void Shard::handle_letter(hub::ShardIndex from, Letter& letter) {
  LetterBody& body = letter.body;
  if (auto* request = std::get_if<PollRequest>(&body)) return on_request(std::move(*request));
  if (const auto* gone = std::get_if<Gone>(&body)) return on_gone(*gone);
  if (auto* move = std::get_if<MoveSession>(&body)) return adopt(std::move(move->state), nullptr);
  if (const auto* ended = std::get_if<Ended>(&body)) return static_cast<void>(moved_.erase(ended->sid));
  if (auto* answer = std::get_if<Answer>(&body)) return host.answer(answer->ticket, answer->response);
  emitter->on_letter(from, body);
}

}  // namespace kilat::socketio
