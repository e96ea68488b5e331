#include "pusher/session.h"

#include <algorithm>
#include <new>

#include "base/log.h"
#include "base/memory_reserve.h"
#include "base/utf8_repair.h"
#include "pusher/formats.h"
#include "pusher/handlers.h"

namespace kilat::pusher {
namespace {

ws::ReaderOptions reader_options(const Shard& shard, const SessionOptions& options, ws::Inflater* inflater) {
  return {.message_bytes_max = shard.limits.message_bytes_max,
          .inflater = options.deflate ? inflater : nullptr,
          .from_server = false};
}

}  // namespace

Shard::Shard(hub::AppTable& apps_in, hub::ShardHub& hub_in, TimerWheel& wheel_in, hub::Access& access_in,
             const ShardLimits& limits_in)
    : apps(apps_in), hub(hub_in), wheel(wheel_in), access(access_in), limits(limits_in) {
  apps_changed();
}

void Shard::apps_changed() {
  tallies.resize(apps.size());
}

std::unique_ptr<Session::Rare> Session::rare_of(const SessionOptions& options) {
  if (!options.client_takeover && options.format != kOwnFormat && !options.credentials) return nullptr;
  auto rare = std::make_unique<Rare>();
  if (options.client_takeover) rare->inflater = std::make_unique<ws::Inflater>(ws::kWindowBitsMax, true);
  if (options.format == kOwnFormat) {
    rare->deflater = std::make_unique<ws::Deflater>(
        ws::DeflaterOptions{.window_bits = options.server_window_bits, .takeover = options.server_takeover});
  }
  rare->credentials = options.credentials;
  return rare;
}

Session::Session(Shard& shard, hub::App& app, const SessionOptions& options, net::Outbox& outbox, SessionHost& host)
    : Subscriber(app.index, options.socket_id, options.format, outbox),
      Timer(&Session::on_timer),
      shard_(shard),
      app_(app),
      host_(host),
      rare_(rare_of(options)),
      reader_(reader_options(shard, options, rare_ && rare_->inflater ? rare_->inflater.get() : &shard.inflater)),
      // A client that comes back asks for all its channels at once.
      messages_(app.settings.client_messages_per_second, app.settings.subscriptions_max, shard.now_ms),
      bytes_(app.settings.client_bytes_per_second, shard.limits.message_bytes_max, shard.now_ms),
      control_ping_(options.protocol >= 7) {}

Session::~Session() {
  retire();
}

void Session::open() {
  shard_.hub.add(*this);
  ++shard_.tallies[app_.index].opened;
  opened_ms_ = last_heard_ms_ = shard_.now_ms;
  send(connection_established(socket_id().text(), settings().activity_timeout_s));
  schedule();
  if (rare_ && rare_->credentials && !rare_->credentials->token.empty()) sign_in_with(rare_->credentials->token, {});
  if (shard_.handlers != nullptr) shard_.handlers->on_opened(*this);
}

void Session::retire() {
  if (retired_) return;
  retired_ = true;
  if (handle() == hub::Handle()) return;  // there was no memory to open it
  const memory::MustSucceed retiring;
  shard_.wheel.cancel(*this);
  if (rare_) rare_->folded.reset();
  if (shard_.handlers != nullptr) shard_.handlers->on_closed(*this);
  if (const User* user = this->user()) {
    for (const auto& watched : user->watchlist) shard_.hub.watch(*this, watched.first, false);
  }
  shard_.hub.remove(*this);
  ++shard_.tallies[app_.index].closed;
}

void Session::on_bytes(std::span<char> bytes) {
  if (closing_) return;
  shard_.tallies[app_.index].received_bytes += bytes.size();
  heard();
  if (!bytes_.take(bytes.size(), settings().client_bytes_per_second, shard_.now_ms)) {
    return close(Reason::kClientBytesLimited);
  }
  while (!closing_) {
    const ws::Event event = reader_.next(bytes);
    if (event.kind == ws::Event::Kind::kNeedMore) return;
    if (!messages_.take(1, settings().client_messages_per_second, shard_.now_ms)) {
      return close(Reason::kClientMessagesLimited);
    }
    on_event(event);
  }
}

void Session::on_event(const ws::Event& event) {
  const std::string_view payload(event.payload.data(), event.payload.size());
  switch (event.kind) {
    case ws::Event::Kind::kText:
    case ws::Event::Kind::kBinary: return on_text(payload);
    case ws::Event::Kind::kPing: return send(pong_frame(payload));
    case ws::Event::Kind::kPong: return;
    case ws::Event::Kind::kClose: return on_close_frame(event);
    case ws::Event::Kind::kError: return close(event.reason);
    case ws::Event::Kind::kNeedMore: return;
  }
}

void Session::on_text(std::string_view text) {
  const std::optional<ClientMessage> message = shard_.parser.parse(text);
  Tally& tally = shard_.tallies[app_.index];
  if (!message) {
    ++tally.received.back();
    return on_malformed();
  }
  ++tally.received[static_cast<size_t>(message->kind)];
  switch (message->kind) {
    case ClientMessage::Kind::kPing: return send(pong_event());
    case ClientMessage::Kind::kPong:
    case ClientMessage::Kind::kHeartbeat: return;
    case ClientMessage::Kind::kSubscribe: return subscribe(*message);
    case ClientMessage::Kind::kUnsubscribe: return unsubscribe(*message);
    case ClientMessage::Kind::kSignin: return sign_in(*message);
    case ClientMessage::Kind::kClientEvent: return client_event(*message);
    case ClientMessage::Kind::kUnsupported: {
      std::string detail(reason_row(Reason::kEventUnsupported).text);
      detail += ": ";
      detail += cut_utf8(message->event, settings().event_name_max);
      return refuse(Reason::kEventUnsupported, detail);
    }
  }
}

void Session::on_malformed() {
  const auto minute = static_cast<uint32_t>(shard_.now_ms / 60'000);
  Rare& rare = this->rare();
  if (minute != rare.malformed_minute) {
    rare.malformed_minute = minute;
    rare.malformed = 0;
  }
  if (++rare.malformed > shard_.limits.malformed_per_minute) return close(Reason::kTooManyMalformed);
  refuse(Reason::kMessageMalformed);
}

void Session::on_close_frame(const ws::Event& event) {
  closing_ = true;
  send(close_frame(event.close_code, {event.payload.data(), event.payload.size()}));
  retire();
  host_.finish(Reason::kClientClosed);
}

void Session::close(Reason reason) {
  if (closing_) return;
  closing_ = true;
  shard_.hub.local().release(*this, true);
  send(closing_frames(reason));
  retire();
  host_.finish(reason);
}

void Session::refuse(Reason reason, std::string_view detail, std::string_view channel) {
  note_refusal(reason, channel);
  send(error_frame(reason, detail, channel));
}

void Session::note_refusal(Reason reason, std::string_view channel) const {
  ++shard_.refusals[static_cast<size_t>(reason)];
  if (!log::enabled(log::Level::kDebug)) return;
  log::event(log::Level::kDebug, "refused",
             {{"reason", reason_row(reason).id},
              {"app", settings().id},
              {"socket_id", socket_id().text()},
              {"channel", channel}});
}

// --- liveness (docs/protocol.md)

// A quarter more than the client was told, so that its own ping, sent after exactly that time, arrives first.
uint64_t Session::idle_ms() const {
  return uint64_t{settings().activity_timeout_s} * 1250;
}

void Session::schedule() {
  uint64_t deadline =
      last_heard_ms_ + (pinged_after_ms_ != 0 ? pinged_after_ms_ + settings().pong_timeout_ms : idle_ms());
  if (settings().require_authorization && !authorized_) {
    deadline = std::min(deadline, opened_ms_ + settings().auth_timeout_ms);
  }
  if (const User* user = this->user(); user != nullptr && user->clock.runs()) {
    deadline = std::min(deadline, shard_.now_ms + user->clock.wait_ms(shard_.now_unix_s));
  }
  shard_.wheel.schedule(*this, deadline);
}

void Session::on_timer(Timer& timer) {
  auto& session = static_cast<Session&>(timer);
  try {
    session.check_deadlines();
  } catch (const std::bad_alloc&) {
    session.outbox().starve();
  }
}

void Session::check_deadlines() {
  const uint64_t now = shard_.now_ms;
  if (settings().require_authorization && !authorized_ && now >= opened_ms_ + settings().auth_timeout_ms) {
    return close(Reason::kAuthTimeout);
  }
  if (check_token()) return;
  if (pinged_after_ms_ != 0) {
    if (now >= last_heard_ms_ + pinged_after_ms_ + settings().pong_timeout_ms) return close(Reason::kPongTimeout);
  } else if (now >= last_heard_ms_ + idle_ms()) {
    pinged_after_ms_ = static_cast<uint32_t>(std::clamp<uint64_t>(now - last_heard_ms_, 1, UINT32_MAX));
    send(control_ping_ ? ping_frame() : ping_event());
  }
  schedule();
}

// --- from the hub

void Session::on_joined(const hub::JoinReply& reply) {
  if (closing_) return;
  if (reply.kind.user()) return welcome_user();
  if (reply.refused != Reason::kNone) {
    if (!reply.again) drop_fold(reply.channel);
    return refuse_subscription(reply.refused, reply.channel);
  }
  const hub::Subscription* subscription = find(reply.channel);
  send(subscription_succeeded(reply, subscription != nullptr && subscription->options.hide_members));
  if (!reply.kind.cache || reply.again) return;
  if (reply.has_last()) return;
  if (!reply.cached) return send(cache_miss(reply.channel));
  send(shard_.encoder.frame(*reply.cached, deflater(), reply.history != nullptr));
}

void Session::on_missed(std::string_view channel, uint64_t count) {
  outbox().push_event(missed_events(channel, count));
}

void Session::deliver_own(const hub::Publication& publication) {
  if (rare_ && rare_->folded && rare_->folded->take(publication)) return;
  send_event(publication);
}

void Session::send_event(const hub::Publication& publication) {
  const hub::Subscription* subscription = find(publication.channel());
  const bool offset = subscription != nullptr && subscription->options.positions;
  outbox().push_event(shard_.encoder.frame(publication, deflater(), offset));
}

}  // namespace kilat::pusher
