#include "app/shard.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "api/answer.h"
#include "app/shard_limits.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "pusher/encode.h"
#include "socketio/session.h"

namespace kilat::app {
namespace {

/// All mailboxes together; their number grows with the square of the shards.
constexpr size_t kMailBytesMax = size_t{256} * 1024 * 1024;
constexpr size_t kMailboxSlotsMin = 1024;

size_t mailbox_slots(size_t wanted, size_t shards) {
  const size_t fit = std::bit_floor(kMailBytesMax / (sizeof(hub::Command) * shards * shards));
  return std::min(wanted, std::max(kMailboxSlotsMin, fit));
}

}  // namespace

Common::Common(config::Settings settings_in, uint32_t shards_in, Program* program_in)
    : settings(std::move(settings_in)),
      shards(shards_in),
      apps(settings.apps),
      health(shards_in),
      program(program_in),
      mail(shards_in, mailbox_slots(settings.limits.mailbox_slots, shards_in)),
      node(static_cast<uint32_t>(Random().below(1u << 24))) {
  for (const std::string& entry : settings.server.trusted_proxies) trusted_proxies.add(entry);
}

Shard::Shard(Common& common, uint32_t index)
    : common_(common),
      settings_(std::make_shared<const config::Settings>(common.settings)),
      apps_(common.apps),
      index_(index),
      now_us_(monotonic_us()),
      now_ms_(now_us_ / 1'000),
      turned_us_(now_us_),
      linger_(common.settings.limits.linger_ms_max * 1'000),
      reactor_(outbox_limits(common.settings.limits), *this),
      wakeup_(reactor_.loop()),
      mailbox_(common.mail, index, &wakeup_),
      wheel_(now_ms_),
      hub_(apps_, mailbox_, sink_, wheel_),
      authenticator_(*this),
      backend_(*this),
      access_(apps_, authenticator_, backend_),
      pusher_(apps_, hub_, wheel_, access_, pusher_limits(common.settings)),
      socketio_(apps_, hub_, wheel_, access_, *this, outbox_limits(common.settings.limits),
                socketio_options(common.settings, apps_)),
      service_(apps_, hub_, access_, *this,
               {.path_prefix = common.settings.server.path_prefix,
                .strict_channel_names = common.settings.server.strict_channel_names}),
      channel_auth_(apps_, access_, *this),
      tickets_(common.ticket_secret, common.ticket_origin_ms) {
  sink_.connect(service_, socketio_, *this);
  hub_.set_limits(home_limits(common.settings.limits));
  set_readers();
  read_clocks();
  if (common.program != nullptr) {
    program_ = common.program->join(*this);
    socketio_.handlers = program_->sockets();
    pusher_.handlers = program_->pusher();
  }
}

Shard::~Shard() {
  // Connections leave their channels when they go, so they go before the hub.
  listeners_.clear();
  admin_listener_.reset();
  graves_.clear();
  connections_.clear();
}

void Shard::listen(int fd, const net::ListenerTraits& traits) {
  auto listener = std::make_unique<net::Listener>(reactor_.loop(), fd, traits, static_cast<net::AcceptHandler&>(*this));
  if (traits.admin) {
    admin_listener_ = std::move(listener);
  } else {
    listeners_.push_back(std::move(listener));
  }
}

bool Shard::listener_resting() const {
  return std::ranges::any_of(listeners_, [](const auto& listener) { return listener->resting(); });
}

void Shard::ask(Request request) {
  Request seen = request_.load(std::memory_order_relaxed);
  while (seen < request && !request_.compare_exchange_weak(seen, request, std::memory_order_release)) {
  }
  wakeup_.notify();
}

void Shard::run() {
  memory::keep_reserve();
  while (step()) {
  }
  end();
}

bool Shard::step() {
  if (finished()) return false;
  reactor_.loop().wait(wait_us());
  mailbox_.woken();
  read_clocks();
  const uint64_t woken_us = now_us_;
  turn();
  const uint64_t done_us = monotonic_us();
  traffic_.turns.observe(done_us - woken_us);
  linger_.account(done_us - woken_us, woken_us - turned_us_, reactor_.take_gathered());
  reactor_.set_linger(linger_.linger_us());
  turned_us_ = done_us;
  return true;
}

void Shard::end() {
  // Whoever sees first that all have drained ends the others too, should one of them get a late connection.
  common_.drained.fetch_add(common_.shards, std::memory_order_acq_rel);
  tasks_.close();
  common_.cut_off.fetch_add(connections_.size(), std::memory_order_relaxed);
  // What is left is cut off; its sessions tell the other shards, which may still be draining.
  for (size_t i = connections_.size(); i-- > 0;) connections_[i]->stream().abort(Reason::kServerDraining);
  graves_.clear();
  if (program_) program_->on_end();
  listeners_.clear();
  admin_listener_.reset();
  mailbox_.deliver();
}

bool Shard::finished() {
  if (stopped_) return true;
  if (draining_ && connections_.empty() && hub_.home().flows_flushed() && mailbox_.all_taken()) note_drained(true);
  return common_.drained.load(std::memory_order_acquire) >= common_.shards;
}

// A shard counts as drained only between its turns. As it has seen all it has sent taken, and who takes something is
// not drained any more, nothing is under way when all are.
void Shard::note_drained(bool drained) {
  if (drained_ == drained) return;
  drained_ = drained;
  common_.drained.fetch_add(drained ? 1u : -1u, std::memory_order_acq_rel);
}

void Shard::turn() {
  note_drained(false);
  reactor_.loop().dispatch();
  // After dispatch(), which takes the wake-up: what is asked later wakes the shard again.
  const Request request = request_.load(std::memory_order_acquire);
  if (request == Request::kStop) stopped_ = true;
  if (request == Request::kDrain && !draining_) start_drain();
  tasks_.run();
  mailbox_.drain(kMailPerTurn, [this](hub::Command&& command) { hub_.receive(std::move(command)); });
  hub_.let_join();
  wheel_.advance(now_ms_);
  if (draining_) {
    hub_.home().flush_flows();
    drain_some();
  }
  if (room_noted()) {
    reactor_.take_room();
    socketio_.pool.take_room();
    hub_.catch_up();
  }
  hub_.finish_turn();
  socketio_.finish_turn();
  reactor_.flush();
  if (!hub_.timed().empty()) observe_fanout();
  if (now_ms_ - swept_ms_ >= kSweepMs) {
    swept_ms_ = now_ms_;
    for (const auto& listener : listeners_) listener->resume();
    if (admin_listener_) admin_listener_->resume();
    reactor_.sweep(now_ms_);
    reactor_.flush();
  }
  mailbox_.deliver();
  if (mailbox_.spilled() <= kSpillMax / 2) reactor_.hold_input(false);
  graves_.clear();
  memory::keep_reserve();
}

// A shard with nothing to do sleeps until something happens: -1.
int64_t Shard::wait_us() {
  constexpr uint64_t kForEver = INT64_MAX;
  if (authenticator_.busy() || hub_.joins_due() || room_noted()) return 0;
  if (!mailbox_.prepare_to_sleep()) return 0;
  const uint64_t now_us = monotonic_us();
  uint64_t wait = kForEver;
  const auto until = [&wait, now_us](uint64_t deadline_us) {
    wait = std::min(wait, deadline_us > now_us ? deadline_us - now_us : 0);
  };
  if (reactor_.has_slow()) wait = kSweepMs * 1'000;
  if (draining_) wait = std::min<uint64_t>(wait, 10'000);
  if (listener_resting() || (admin_listener_ && admin_listener_->resting()))
    wait = std::min<uint64_t>(wait, kSweepMs * 1'000);
  if (mailbox_.has_spill()) wait = std::min<uint64_t>(wait, 1'000);
  if (const uint64_t lingering = reactor_.linger_until_us(); lingering != 0) until(lingering);
  if (const std::optional<uint64_t> next = wheel_.next_deadline_ms()) until(*next * 1'000);
  return wait == kForEver ? -1 : static_cast<int64_t>(wait);
}

// Readers who were behind can be sent what waits for them.
bool Shard::room_noted() const {
  return reactor_.has_room() || socketio_.pool.has_room();
}

void Shard::read_clocks() {
  now_us_ = monotonic_us();
  now_ms_ = now_us_ / 1'000;
  unix_now_ms_ = unix_ms();
  reactor_.set_now(now_us_);
  hub_.set_now(now_ms_, unix_now_ms_);
  hub_.set_now_us(now_us_);
  pusher_.now_ms = now_ms_;
  pusher_.now_unix_s = unix_now_ms_ / 1'000;
  socketio_.now_ms = now_ms_;
  socketio_.now_unix_s = pusher_.now_unix_s;
  socketio_.pool.set_now_us(now_us_);
  authenticator_.tick(now_ms_, pusher_.now_unix_s);
  backend_.set_now(now_ms_);
}

std::string_view Shard::http_date() {
  const uint64_t second = unix_now_ms_ / 1000;
  if (second != http_date_s_) {
    http_date_ = http::http_date(static_cast<int64_t>(second));
    http_date_s_ = second;
  }
  return http_date_;
}

hub::SocketId Shard::new_socket_id() {
  // Ten decimal digits at most in each half (docs/protocol.md).
  constexpr uint64_t kTenDigits = 10'000'000'000;
  return {place(), 1 + pusher_.random.below(kTenDigits - 1)};
}

// --- connections

void Shard::on_accepted(int fd, const Peer& peer, const net::ListenerTraits& traits) {
  net::Descriptor owned(fd);
  ++traffic_.accepted;
  try {
    if (traits.proxy_protocol && !common_.trusted_proxies.contains(peer)) {
      return note_refusal(Reason::kProxyUntrusted, peer.address.text());
    }
    Lease lease(common_.admission);
    // Whoever watches the server must get through in a flood.
    const Reason refused = traits.admin ? Reason::kNone : take_place(lease, peer);
    if (refused != Reason::kNone) return note_refusal(refused, peer.address.text());
    admit(std::move(owned), peer, traits, std::move(lease));
  } catch (const std::bad_alloc&) {
    const memory::MustSucceed refusing;
    note_refusal(Reason::kMemoryBudget, {});
  }
}

// What stands between a connection and its socket; null for a plain one.
std::unique_ptr<net::Transport> Shard::transport_for(int fd, const net::ListenerTraits& traits) {
  if (!traits.tls && !traits.proxy_protocol) return nullptr;
  // Never plain where TLS was asked for, whatever went wrong before.
  KILAT_CHECK(!traits.tls || certificates_);
  tickets_.advance(now_ms_);
  return std::make_unique<net::Transport>(fd, traits.proxy_protocol, traits.tls ? certificates_.get() : nullptr,
                                          &tickets_);
}

// Refused connections are closed without an answer: that is what a flood costs least.
Reason Shard::take_place(Lease& lease, const Peer& peer) {
  const Reason refused = lease.take_http(settings_->limits.http_connections_max);
  return refused != Reason::kNone ? refused : take_address(lease, peer);
}

Reason Shard::take_address(Lease& lease, const Peer& client) {
  if (common_.trusted_proxies.contains(client)) return Reason::kNone;
  return lease.take_address(client.address, address_limits(settings_->limits), now_ms_);
}

void Shard::admit(net::Descriptor fd, const Peer& peer, const net::ListenerTraits& traits, Lease lease) {
  std::unique_ptr<net::Transport> transport = transport_for(fd.get(), traits);
  Connection* connection = install(std::move(fd), peer, std::move(lease), traits.tls, std::move(transport));
  if (connection != nullptr) connection->admin = traits.admin;
}

// Null when the loop can't watch it.
Connection* Shard::install(net::Descriptor fd, const Peer& peer, Lease lease, bool tls,
                           std::unique_ptr<net::Transport> transport) {
  // So that no list has to grow on the way to a close.
  const size_t count = connections_.size() + graves_.size() + 1;
  const size_t room = std::max(count, 2 * connections_.capacity());
  if (connections_.capacity() < count) connections_.reserve(room);
  if (graves_.capacity() < count) graves_.reserve(room);
  reactor_.make_room(count);

  auto connection = std::make_unique<Connection>(*this, std::move(fd), peer, std::move(lease), tls);
  if (connection->stream().closed()) {
    note_refusal(connection->stream().reason(), {});
    return nullptr;
  }
  if (transport) connection->stream().wrap(std::move(transport));
  connection->place = static_cast<uint32_t>(connections_.size());
  return connections_.emplace_back(std::move(connection)).get();
}

void Shard::adopt(std::unique_ptr<MovedConnection> moved) {
  if (const auto other = socketio_.moved_to(moved->sid); other && !moved->state) {
    return hand_to(*other, std::move(moved));  // its session has gone on
  }
  try {
    Connection* connection = install(std::move(moved->stream.socket), moved->peer, std::move(moved->lease), moved->tls,
                                     std::move(moved->stream.transport));
    if (connection == nullptr) return;
    connection->guarded([&] { connection->finish_move(*moved); });
    connection->stream().read_pending();
  } catch (const std::bad_alloc&) {
    const memory::MustSucceed refusing;
    note_refusal(Reason::kMemoryBudget, {});
  }
}

Reason Shard::admit(hub::App& app) {
  if (!app.shared->connects.take(1, app.settings.connects_per_second, now_ms_).allowed) {
    return Reason::kAppConnectsLimited;
  }
  const uint32_t app_max = app.settings.max_connections;
  const uint32_t server_max = settings_->server.max_connections;
  const uint32_t in_app = app.connections.fetch_add(1, std::memory_order_relaxed) + 1;
  const uint32_t in_all = apps_.connections().fetch_add(1, std::memory_order_relaxed) + 1;
  if (server_max != 0 && in_all > server_max) {
    release(app);
    return Reason::kServerOverCapacity;
  }
  if (app_max != 0 && in_app > app_max) {
    release(app);
    return app.settings.over_quota_code == 4100 ? Reason::kAppOverQuotaRetry : Reason::kAppOverQuota;
  }
  return Reason::kNone;
}

void Shard::release(hub::App& app) {
  app.connections.fetch_sub(1, std::memory_order_relaxed);
  apps_.connections().fetch_sub(1, std::memory_order_relaxed);
}

void Shard::note_end(const socketio::ClientInfo& client, const hub::App& app, Reason reason) {
  traffic_.close(Traffic::kProtocols - 1, reason);
  if (!log::enabled(log::Level::kDebug)) return;
  log::event(log::Level::kDebug, "session_closed",
             {{"reason", reason_row(reason).id},
              {"protocol", "socketio"},
              {"transport", "polling"},
              {"client", client.address},
              {"app", app.settings.id}});
}

void Shard::set_readers() {
  for (size_t i = 0; i < apps_.size(); ++i) {
    const auto index = static_cast<hub::AppIndex>(i);
    apps_[index].settings.socketio = socketio_.serves(index);
  }
}

void Shard::bury(Connection& connection) {
  const uint32_t place = connection.place;
  graves_.push_back(std::move(connections_[place]));
  if (place + 1 != connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place = place;
  }
  connections_.pop_back();
}

void Shard::on_slow_reader(net::StreamHandler& handler, Reason reason) {
  Connection::of(handler).close_slow(reason);
}

void Shard::answer(api::Ticket ticket, const http::Response& response) {
  HttpSession* session = waiting(ticket);
  if (session == nullptr) return;
  session->answer(static_cast<uint32_t>(ticket & HttpSession::kSequenceMask), response);
}

void Shard::refuse(uint64_t ticket, Reason reason) {
  answer(ticket, api::refusal(reason));
}

void Shard::give_up(api::Ticket ticket) {
  if (HttpSession* session = waiting(ticket)) session->give_up();
}

HttpSession* Shard::waiting(api::Ticket ticket) const {
  const auto found = waiting_.find(ticket >> HttpSession::kSequenceBits);
  return found == waiting_.end() ? nullptr : found->second;
}

void Shard::start_tail(Taps::Tap tap) {
  const memory::MustSucceed starting;
  hub_.tap(tap.app, true);
  tails_.emplace(tap.outbox, tap.app);
  sink_.taps().add(std::move(tap));
}

void Shard::end_tail(const net::Outbox& outbox) {
  const auto found = tails_.find(&outbox);
  if (found == tails_.end()) return;
  sink_.taps().remove(outbox);
  hub_.tap(found->second, false);
  tails_.erase(found);
}

// Frames that linger are not sent yet: they are looked at again after the flush that sends them.
void Shard::observe_fanout() {
  if (reactor_.linger_until_us() != 0) return;
  const uint64_t now_us = monotonic_us();
  for (const uint64_t taken_us : hub_.timed()) traffic_.fanout.observe(now_us - std::min(now_us, taken_us));
  hub_.timed().clear();
}

void Shard::note_refusal(Reason reason, std::string_view path) {
  traffic_.refuse(reason);
  if (!log::enabled(log::Level::kDebug)) return;
  log::event(log::Level::kDebug, "refused", {{"reason", reason_row(reason).id}, {"path", path}});
}

// --- drain

void Shard::start_drain() {
  draining_ = true;
  if (common_.hand_over.load(std::memory_order_acquire)) hand_over_listeners();
  drain_from_us_ = now_us_;
  drain_until_ms_ = now_ms_ + settings_->server.drain_ms;
  // The first three quarters are for the closes, the rest for the goodbyes.
  drain_schedule_ = DrainSchedule(connections_.size(), uint64_t{settings_->server.drain_ms} * 750);
  // In random order, so that neighbours in the list (often one office behind one proxy) do not come back together.
  for (size_t i = connections_.size(); i > 1; --i) {
    const size_t other = pusher_.random.below(i);
    std::swap(connections_[i - 1], connections_[other]);
    connections_[i - 1]->place = static_cast<uint32_t>(i - 1);
    connections_[other]->place = static_cast<uint32_t>(other);
  }
}

// Closes are spread over time, so that clients do not all come back at once.
void Shard::drain_some() {
  const size_t due = drain_schedule_.due(now_us_ - drain_from_us_, pusher_.random);
  for (size_t i = connections_.size(); i-- > 0 && drain_closed_ < due;) {
    Connection& connection = *connections_[i];
    if (connection.asked_to_go || connection.stream().finishing()) continue;
    connection.asked_to_go = true;
    connection.close(Reason::kServerDraining);
    ++drain_closed_;
  }
  if (now_us_ - drain_from_us_ >= drain_schedule_.spread_us()) {
    // Those that came meanwhile.
    for (size_t i = connections_.size(); i-- > 0;) {
      if (!connections_[i]->stream().finishing()) connections_[i]->close(Reason::kServerDraining);
    }
  }
  if (now_ms_ >= drain_until_ms_) stopped_ = true;
}

}  // namespace kilat::app
