#include "app/shard.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "pusher/encode.h"

namespace kilat::app {
namespace {

net::OutboxLimits outbox_limits(const config::LimitSettings& limits) {
  return {.hard_bytes = limits.outbox_bytes_max,
          .soft_bytes = limits.outbox_soft_bytes,
          .soft_ms = limits.outbox_soft_ms,
          .budget_bytes = limits.shard_budget_bytes};
}

pusher::ShardLimits pusher_limits(const config::Settings& settings) {
  return {.message_bytes_max = settings.limits.message_bytes_max,
          .malformed_per_minute = settings.limits.malformed_per_minute,
          .strict_channel_names = settings.server.strict_channel_names};
}

}  // namespace

Common::Common(config::Settings settings_in, uint32_t shards_in)
    : settings(std::move(settings_in)),
      shards(shards_in),
      apps(settings.apps),
      mail(shards_in, settings.limits.mailbox_slots),
      node(static_cast<uint32_t>(Random().below(1u << 24))) {}

Shard::Shard(Common& common, uint32_t index)
    : common_(common),
      index_(index),
      now_us_(monotonic_us()),
      now_ms_(now_us_ / 1'000),
      linger_(common.settings.limits.linger_ms_max * 1'000),
      reactor_(outbox_limits(common.settings.limits), *this),
      wakeup_(reactor_.loop()),
      mailbox_(common.mail, index, &wakeup_),
      wheel_(now_ms_),
      hub_(common.apps, mailbox_, sink_, wheel_),
      pusher_(common.apps, hub_, wheel_, pusher_limits(common.settings)),
      service_(common.apps, hub_, pusher_.keys, *this,
               {.path_prefix = common.settings.server.path_prefix,
                .strict_channel_names = common.settings.server.strict_channel_names}) {
  sink_.connect(service_);
  read_clocks();
}

Shard::~Shard() {
  // Connections leave their channels when they go, so they go before the hub.
  listener_.reset();
  graves_.clear();
  connections_.clear();
}

void Shard::listen(int fd) {
  listener_ = std::make_unique<net::Listener>(reactor_.loop(), fd, static_cast<net::AcceptHandler&>(*this));
}

void Shard::ask(Request request) {
  Request seen = request_.load(std::memory_order_relaxed);
  while (seen < request && !request_.compare_exchange_weak(seen, request, std::memory_order_release)) {
  }
  wakeup_.notify();
}

void Shard::run() {
  uint64_t turned_us = now_us_;  // when the last turn ended
  while (!finished()) {
    reactor_.loop().wait(wait_us());
    mailbox_.woken();
    read_clocks();
    const uint64_t woken_us = now_us_;
    turn();
    const uint64_t done_us = monotonic_us();
    linger_.account(done_us - woken_us, woken_us - turned_us);
    reactor_.set_linger(linger_.linger_us());
    turned_us = done_us;
  }
  // Whoever sees first that all have drained ends the others too, should one of them get a late connection.
  common_.drained.fetch_add(common_.shards, std::memory_order_acq_rel);
  // What is left is cut off; its sessions tell the other shards, which may still be draining.
  for (size_t i = connections_.size(); i-- > 0;) connections_[i]->stream().abort(Reason::kServerDraining);
  graves_.clear();
  listener_.reset();
  mailbox_.deliver();
}

bool Shard::finished() {
  if (stopped_) return true;
  if (draining_ && drained_ != connections_.empty()) {
    drained_ = connections_.empty();
    common_.drained.fetch_add(drained_ ? 1u : -1u, std::memory_order_acq_rel);
  }
  return common_.drained.load(std::memory_order_acquire) >= common_.shards;
}

void Shard::turn() {
  const Request request = request_.load(std::memory_order_acquire);
  if (request == Request::kStop) stopped_ = true;
  if (request == Request::kDrain && !draining_) start_drain();
  reactor_.loop().dispatch();
  mailbox_.drain(kMailPerTurn, [this](hub::Command&& command) { hub_.receive(std::move(command)); });
  wheel_.advance(now_ms_);
  if (draining_) drain_some();
  hub_.finish_turn();
  reactor_.flush();
  if (now_ms_ - swept_ms_ >= kSweepMs) {
    swept_ms_ = now_ms_;
    if (listener_) listener_->resume();
    reactor_.sweep(now_ms_);
    reactor_.flush();
  }
  mailbox_.deliver();
  graves_.clear();
}

// A shard with nothing to do sleeps until something happens: -1.
int64_t Shard::wait_us() {
  constexpr uint64_t kForEver = INT64_MAX;
  if (!mailbox_.prepare_to_sleep()) return 0;
  const uint64_t now_us = monotonic_us();
  uint64_t wait = kForEver;
  const auto until = [&wait, now_us](uint64_t deadline_us) {
    wait = std::min(wait, deadline_us > now_us ? deadline_us - now_us : 0);
  };
  if (reactor_.has_slow()) wait = kSweepMs * 1'000;
  if (draining_) wait = std::min<uint64_t>(wait, 10'000);
  if (listener_ && listener_->resting()) wait = std::min<uint64_t>(wait, kSweepMs * 1'000);
  if (mailbox_.has_spill()) wait = std::min<uint64_t>(wait, 1'000);
  if (const uint64_t lingering = reactor_.linger_until_us(); lingering != 0) until(lingering);
  if (const std::optional<uint64_t> next = wheel_.next_deadline_ms()) until(*next * 1'000);
  return wait == kForEver ? -1 : static_cast<int64_t>(wait);
}

void Shard::read_clocks() {
  now_us_ = monotonic_us();
  now_ms_ = now_us_ / 1'000;
  unix_now_ms_ = unix_ms();
  reactor_.set_now(now_us_);
  hub_.set_now(now_ms_);
  pusher_.now_ms = now_ms_;
}

std::string_view Shard::http_date() {
  const uint64_t second = unix_now_ms_ / 1000;
  if (second != http_date_s_) {
    http_date_s_ = second;
    http_date_ = http::http_date(static_cast<int64_t>(second));
  }
  return http_date_;
}

hub::SocketId Shard::new_socket_id() {
  // Ten decimal digits at most in each half (docs/protocol.md).
  constexpr uint64_t kTenDigits = 10'000'000'000;
  return {common_.node * hub::kShardsMax + index_ + 1, 1 + pusher_.random.below(kTenDigits - 1)};
}

// --- connections

void Shard::on_accepted(int fd) {
  auto connection = std::make_unique<Connection>(*this, fd);
  if (connection->stream().closed()) return;
  connection->place = connections_.size();
  connections_.push_back(std::move(connection));
}

void Shard::bury(Connection& connection) {
  const size_t place = connection.place;
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
  const auto found = waiting_.find(ticket >> HttpSession::kSequenceBits);
  if (found == waiting_.end()) return;
  found->second->answer(static_cast<uint32_t>(ticket & HttpSession::kSequenceMask), response);
}

void Shard::start_tail(Taps::Tap tap) {
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

void Shard::log_refusal(Reason reason, std::string_view path) const {
  if (!log::enabled(log::Level::kDebug)) return;
  log::event(log::Level::kDebug, "refused", {{"reason", reason_row(reason).id}, {"path", path}});
}

// --- drain

void Shard::start_drain() {
  draining_ = true;
  drain_from_ms_ = now_ms_;
  drain_until_ms_ = now_ms_ + common_.settings.server.drain_ms;
  drain_total_ = connections_.size();
  // In random order, so that neighbours in the list (often one office behind one proxy) do not come back together.
  for (size_t i = connections_.size(); i > 1; --i) {
    const size_t other = pusher_.random.below(i);
    std::swap(connections_[i - 1], connections_[other]);
    connections_[i - 1]->place = i - 1;
    connections_[other]->place = other;
  }
}

// Closes are spread evenly over the first three quarters of the drain, so that clients do not all come back at once;
// the rest is for their goodbyes.
void Shard::drain_some() {
  const uint64_t spread_ms = std::max<uint64_t>(1, (drain_until_ms_ - drain_from_ms_) * 3 / 4);
  const uint64_t elapsed = now_ms_ - drain_from_ms_;
  const size_t due = elapsed >= spread_ms ? drain_total_ : drain_total_ * elapsed / spread_ms;
  for (size_t i = connections_.size(); i-- > 0 && drain_closed_ < due;) {
    if (connections_[i]->stream().finishing()) continue;
    connections_[i]->close(Reason::kServerDraining);
    ++drain_closed_;
  }
  if (elapsed >= spread_ms) {
    // Those that came meanwhile.
    for (size_t i = connections_.size(); i-- > 0;) {
      if (!connections_[i]->stream().finishing()) connections_[i]->close(Reason::kServerDraining);
    }
  }
  if (now_ms_ >= drain_until_ms_) stopped_ = true;
}

}  // namespace kilat::app
