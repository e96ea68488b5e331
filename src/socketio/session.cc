// The Engine.IO side of a session: transports, heartbeat, end. What the packets say is in session_packets.cc, HTTP in
// polling.cc.
#include "socketio/session.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/json_text.h"
#include "base/memory_reserve.h"
#include "socketio/link.h"
#include "socketio/recovery.h"
#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

/// How long a polling session that is over waits for the poll that tells its client.
constexpr uint64_t kGoodbyeMs = 30'000;
/// While upgrading a poll is let go at once, and then this often: its client waits for the end of it.
constexpr uint64_t kNoopMs = 100;
constexpr uint64_t kLateMs = 20;

}  // namespace

Session::Session(Shard& shard, std::string sid, hub::App& app, ClientInfo client, Link* link)
    : Timer(&Session::on_timer),
      shard_(shard),
      app_(app),
      sid_(std::move(sid)),
      client_(std::move(client)),
      link_(link),
      messages_(app.settings.client_messages_per_second, app.settings.subscriptions_max, shard.now_ms),
      bytes_(app.settings.client_bytes_per_second, shard.options.message_bytes_max, shard.now_ms),
      beat_ms_(shard.now_ms + shard.options.ping_interval_ms),
      connect_by_ms_(shard.now_ms + shard.options.connect_timeout_ms) {
  if (link == nullptr) {
    shard.pool.make_room(shard.session_count() + 2);  // this one, and Shard::nowhere
    poll_ = std::make_unique<Poll>(shard.pool, this);
  }
  ++shard_.tally.sessions_opened;
  schedule();
}

Session::~Session() {
  end(Reason::kServerDraining);
}

net::Outbox& Session::outbox() {
  return link_ != nullptr ? link_->outbox() : poll_->outbox;
}

std::string Session::handshake() const {
  const Options& options = shard_.options;
  std::string json = R"({"sid":")";
  json += sid_;
  json += R"(","upgrades":[)";
  if (polls() && options.upgrades && options.websocket) json += R"("websocket")";
  json += R"(],"pingInterval":)";
  append_json_number(json, options.ping_interval_ms);
  json += R"(,"pingTimeout":)";
  append_json_number(json, options.ping_timeout_ms);
  json += R"(,"maxPayload":)";
  append_json_number(json, options.message_bytes_max);
  json += '}';
  return json;
}

bool Session::writable() {
  if (ended_ || (poll_ && poll_->closing)) return false;
  return outbox().empty() && (link_ != nullptr || poll_->waiting.has_value());
}

// --- heartbeat and other deadlines

void Session::heard(bool pong) {
  if (!pinged_) return;  // a pong that nobody asked for keeps nobody alive
  if (pong) {
    pinged_ = extended_ = false;
    beat_ms_ = shard_.now_ms + shard_.options.ping_interval_ms;
    schedule();
  } else if (!extended_) {
    extended_ = true;
    beat_ms_ = shard_.now_ms + shard_.options.ping_timeout_ms;
    schedule();
  }
}

void Session::schedule() {
  uint64_t earliest = beat_ms_;
  const auto consider = [&earliest](uint64_t deadline_ms) {
    if (deadline_ms != 0) earliest = std::min(earliest, deadline_ms);
  };
  consider(connect_by_ms_);
  if (unfinished_) consider(unfinished_->until_ms);
  if (poll_) {
    consider(poll_->upgrade_until_ms);
    if (poll_->probed && poll_->waiting) consider(std::max<uint64_t>(poll_->noop_ms, 1));
  }
  for (const auto& socket : sockets_) {
    if (socket->clock().runs()) consider(shard_.now_ms + socket->clock().wait_ms(shard_.now_unix_s));
  }
  shard_.wheel.schedule(*this, earliest);
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
  if (connect_by_ms_ != 0 && now >= connect_by_ms_) return close(Reason::kSioConnectTimeout);
  if (unfinished_ && now >= unfinished_->until_ms) return close(Reason::kSioBinaryTimeout);
  if (check_tokens()) return;
  if (now >= beat_ms_) {
    if (poll_ && poll_->closing) return end(Reason::kSioPacketInvalid);
    if (pinged_) return close(Reason::kEioPingTimeout);
    pinged_ = true;
    // Counted from when the ping was due, so that delays do not add up; unless the shard itself was late.
    beat_ms_ = (now - beat_ms_ <= kLateMs ? beat_ms_ : now) + shard_.options.ping_timeout_ms;
    send(ping_message());
  }
  if (poll_ && poll_->upgrade_until_ms != 0 && now >= poll_->upgrade_until_ms) {
    Link* probe = poll_->probe;
    drop_probe(*probe);
    probe->close(Reason::kEioUpgradeTimeout);
  }
  if (poll_ && poll_->probed && poll_->waiting && now >= poll_->noop_ms) {
    poll_->noop_ms = now + kNoopMs;
    answer(*std::exchange(poll_->waiting, std::nullopt), "6", false);
  }
  schedule();
}

// True when the session is over. The client comes back by itself, with the token that it has then.
bool Session::check_tokens() {
  for (const auto& socket : sockets_) {
    if (!socket->check_token()) continue;
    close(Reason::kTokenRanOut);
    return true;
  }
  return false;
}

// --- WebSockets

void Session::on_message(Link& link, std::string_view payload, bool binary) {
  if (&link != link_) return on_probe_message(link, payload, binary);
  if (!bytes_.take(payload.size(), app_.settings.client_bytes_per_second, shard_.now_ms)) {
    return close(Reason::kClientBytesLimited);
  }
  if (!binary) return on_packet(payload);
  if (!messages_.take(1, app_.settings.client_messages_per_second, shard_.now_ms)) {
    return close(Reason::kClientMessagesLimited);
  }
  heard(false);
  on_attachment(std::string(payload));
}

void Session::probe(Link& link) {
  if (!poll_ || poll_->closing || poll_->probe != nullptr || !shard_.options.upgrades) {
    return link.close(Reason::kEioUpgradeRefused);
  }
  poll_->probe = &link;
  poll_->upgrade_until_ms = shard_.now_ms + shard_.options.upgrade_timeout_ms;
  link.attach(*this);
  schedule();
}

void Session::drop_probe(Link& link) {
  if (!poll_ || poll_->probe != &link) return;
  poll_->probe = nullptr;
  poll_->probed = false;
  poll_->upgrade_until_ms = 0;
}

void Session::set_probed() {
  if (!poll_) return;
  poll_->probed = true;
  poll_->noop_ms = shard_.now_ms;
  schedule();
}

void Session::on_probe_message(Link& link, std::string_view payload, bool binary) {
  if (!binary && payload == "2probe") {
    link.send(probe_answer());
    poll_->probed = true;
    poll_->noop_ms = shard_.now_ms + kNoopMs;
    if (poll_->waiting) answer(*std::exchange(poll_->waiting, std::nullopt), "6", false);
    return;
  }
  if (!binary && payload == "5") return upgrade(link);
  drop_probe(link);
  link.close(Reason::kEioPacketInvalid);
}

void Session::upgrade(Link& link) {
  ++shard_.tally.upgrades;
  const std::unique_ptr<Poll> poll = std::move(poll_);
  if (poll->waiting) answer(*poll->waiting, "1", false);
  link_ = &link;
  if (text_only_) {
    // What was queued for polling has binary packets, which this client does not take.
    while (!poll->outbox.empty()) {
      net::Frame* first = nullptr;
      poll->outbox.peek({&first, 1});
      link.send(link_frame(net::FramePtr::make(first->bytes())));
      poll->outbox.consume(first->size());
    }
  }
  move_frames(poll->outbox, link.outbox());
  for (const auto& socket : sockets_) socket->transport_changed();
  schedule();
}

void Session::on_link_gone(Link& link, Reason reason) {
  if (&link != link_) return drop_probe(link);
  end(reason);
}

// --- the end

void Session::close(Reason reason) {
  if (ended_ || (poll_ && poll_->closing)) return;
  release_all();
  if (link_ != nullptr) {
    Link* link = link_;
    link->close(reason);
    return end(reason);
  }
  if (poll_->probe != nullptr) {
    Link* probe = poll_->probe;
    drop_probe(*probe);
    probe->close(reason);
  }
  if (reason == Reason::kEioPingTimeout && !poll_->waiting) return end(reason);
  end_sockets(reason);
  // What is queued goes first, in an answer of its own, and the end in the next.
  answer_poll();
  if (poll_->waiting) return end(reason);
  unfinished_.reset();
  poll_->closing = true;
  shard_.host.note_end(client_, app_, reason);
  pinged_ = true;
  beat_ms_ = shard_.now_ms + kGoodbyeMs;
  connect_by_ms_ = 0;
  schedule();
}

// What waits because the client was behind goes before the goodbye.
void Session::release_all() {
  for (const auto& socket : sockets_) shard_.hub.local().release(*socket, true);
}

void Session::end_sockets(Reason reason) {
  if (undecided_) {
    for (const Candidate& candidate : std::exchange(undecided_->candidates, {})) candidate.socket->retire();
  }
  for (auto& socket : std::exchange(sockets_, {})) {
    if (shard_.handlers != nullptr) shard_.handlers->on_gone(*socket, reason);
    if (shard_.recovery->keeps(reason)) {
      shard_.recovery->keep(std::move(socket));
    } else {
      socket->retire();
    }
  }
}

void Session::end(Reason reason) {
  if (ended_) return;
  ended_ = true;
  const memory::MustSucceed ending;
  shard_.wheel.cancel(*this);
  end_sockets(reason);
  unfinished_.reset();
  if (link_ != nullptr) {
    // Its connection frees it; nothing of this session may be touched from there any more.
    link_->close(reason);
  }
  if (poll_) {
    if (!poll_->closing) shard_.host.note_end(client_, app_, reason);
    if (poll_->waiting) {
      std::string body = take_body(poll_->outbox);
      if (body.empty()) body += '1';
      answer(*std::exchange(poll_->waiting, std::nullopt), std::move(body), false);
    }
    if (poll_->probe != nullptr) {
      Link* probe = poll_->probe;
      drop_probe(*probe);
      probe->close(reason);
    }
  }
  ++shard_.tally.sessions_closed;
  shard_.host.release(app_);
  shard_.bury(*this);
}

}  // namespace kilat::socketio
