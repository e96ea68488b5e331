// The mix of operations: what each of Chaos' dice means.
#include <algorithm>
#include <charconv>

#include "stress/chaos.h"
#include "stress/pusher_peer.h"
#include "stress/socketio_peer.h"

namespace kilat::stress {

void Chaos::operate() {
  const uint32_t dice = dice_.below(1000);
  Peer* peer = any_peer();
  if (peer == nullptr || dice < 40) {
    if (peers_.size() < options_.clients) add_peer();
    return;
  }
  const uint32_t channel = channel_for(*peer);
  if (dice < 60) return peer->leave(dice_.below(30));
  if (dice < 70) return pause(*peer);
  if (dice < 370) return toggle(*peer, false);
  if (dice < 400) return toggle(*peer, true);
  if (dice < 430) return peer->joined(channel) ? peer->subscribe_again(channel) : toggle(*peer, false);
  if (dice < 450) return send_rogue_event(*peer, channel);
  if (dice < 480) return peer->ping();
  if (dice < 500) return peer->probe_transport(std::to_string(dice_.below(1'000'000)));
  // From here on it is publishing, which waits until what was published has arrived.
  if (parts_sent_ > parts_seen_ + kLagMax) return;
  if (dice < 700) return send_client_event(*peer, channel);
  const size_t index = dice_.below(kPublishers);
  if (publish_pressure(index)) return;
  if (dice < 820) return publish(index, {any_channel()});
  if (dice < 850) return emit(index, any_channel());
  if (dice < 920) return publish(index, several_channels());
  if (dice < 970) return publish_batch(index, 1 + dice_.below(10), std::nullopt);
  if (dice < 975) return publish_burst(index);
  if (dice < 977) return publisher(index).drop();
  publisher(index).request("GET", "/channels", {{"info", "subscription_count"}}, {}, [this](int status, auto) {
    if (status != 200 && status != 0) complain("GET /channels: status " + std::to_string(status));
  });
}

Peer* Chaos::any_peer() {
  if (peers_.size() <= kWitnesses) return nullptr;
  Peer& peer = *peers_[kWitnesses + dice_.below(peers_.size() - kWitnesses)];
  return peer.live() ? &peer : nullptr;
}

Peer& Chaos::add_peer(bool witness) {
  PeerOptions options;
  options.serial = ++last_serial_;
  options.witness = witness;
  options.user = witness ? 100 + options.serial : 1 + dice_.below(kUsers);
  WsOptions ws{.path = std::string(kSocketPath)};
  ws.deflate = witness ? options.serial % 2 == 0 : dice_.one_in(3);
  // A small buffer lets the server's outbox fill as soon as the client stops reading.
  ws.receive_bytes = !witness && dice_.one_in(3) ? 4096 : 0;
  auto& host = static_cast<PeerHost&>(*this);
  if (witness || !dice_.one_in(3)) {
    return *peers_.emplace_back(std::make_unique<PusherPeer>(poller_, server_.port(), host, options, ws));
  }
  const EngineOptions engine{.websocket = dice_.one_in(2), .deflate = ws.deflate, .receive_bytes = ws.receive_bytes};
  return *peers_.emplace_back(std::make_unique<SocketIoPeer>(poller_, server_.port(), host, options, engine));
}

uint32_t Chaos::channel_for(const Peer& peer) {
  for (;;) {
    if (const uint32_t channel = any_channel(); peer.reads(channel)) return channel;
  }
}

void Chaos::pause(Peer& peer) {
  if (peer.paused()) return;
  peer.set_paused(true);
  pauses_.push_back({peer.serial(), monotonic_ms() + 50 + dice_.below(750)});
}

// Subscribes, or unsubscribes; `at_once`: and takes it back without waiting for an answer.
void Chaos::toggle(Peer& peer, bool at_once) {
  const uint32_t channel = channel_for(peer);
  for (int i = 0; i < (at_once ? 2 + static_cast<int>(dice_.below(2)) : 1); ++i) {
    if (peer.wanted(channel)) {
      peer.unsubscribe(channel);
    } else {
      peer.subscribe(channel);
    }
  }
}

void Chaos::send_client_event(Peer& peer, uint32_t channel) {
  const Channel& row = ledger_.channels()[channel];
  if (!row.client_events || !peer.joined(channel)) return;
  const uint32_t request = ledger_.add_request(false);
  Event event;
  event.source = peer.serial();
  event.excluded = peer.serial();
  event.user = row.presence ? peer.user() : 0;
  event.padding = padding();
  event.channels = {channel};
  peer.client_event(channel, ledger_.add_event(request, std::move(event)));
  ++parts_sent_;
}

void Chaos::send_rogue_event(Peer& peer, uint32_t channel) {
  if (!ledger_.channels()[channel].client_events || !peer.outside(channel)) return;
  const uint32_t request = ledger_.add_request(false);
  Event event;
  event.source = peer.serial();
  event.channels = {channel};
  peer.rogue_event(channel, ledger_.add_event(request, std::move(event)));
  ledger_.settle(request, Request::Fate::kRefused);
}

HttpClient& Chaos::publisher(size_t index) {
  auto& publisher = publishers_[index];
  if (!publisher || publisher->ended()) {
    publisher = std::make_unique<HttpClient>(poller_, server_.port());
    sources_[index] = ++last_serial_;
  }
  return *publisher;
}

uint32_t Chaos::padding() {
  if (small_events_) return 0;
  const uint32_t dice = dice_.below(1000);
  if (dice < 900) return dice_.below(200);
  if (dice < 990) return dice_.below(4'000);
  return dice_.below(dice < 998 ? 20'000 : 90'000);
}

std::vector<uint32_t> Chaos::several_channels() {
  std::vector<uint32_t> out;
  for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) {
    if (!ledger_.channels()[channel].alone && !dice_.one_in(3)) out.push_back(channel);
  }
  if (out.empty()) out.push_back(0);
  return out;
}

uint32_t Chaos::new_event(uint32_t request, size_t publisher, std::vector<uint32_t> channels, bool exclude,
                          std::string* body) {
  std::vector<std::string> names;
  names.reserve(channels.size());
  for (const uint32_t channel : channels) names.push_back(ledger_.channels()[channel].name);
  const Peer* excluded = exclude ? any_peer() : nullptr;
  Event event;
  event.source = sources_[publisher];
  event.excluded = excluded != nullptr ? excluded->serial() : 0;
  event.padding = padding();
  event.channels = std::move(channels);
  parts_sent_ += event.channels.size();
  const uint32_t id = ledger_.add_event(request, std::move(event));
  *body = event_body(names, ledger_.text_of(id), excluded != nullptr ? excluded->socket_id() : "");
  return id;
}

void Chaos::publish(size_t index, std::vector<uint32_t> channels) {
  HttpClient& client = publisher(index);
  const uint32_t request = ledger_.add_request(true);
  const auto parts = static_cast<uint32_t>(channels.size());
  std::string body;
  new_event(request, index, std::move(channels), dice_.one_in(4), &body);
  client.request("POST", "/events", {}, body, [this, request, parts](int status, std::string_view answer) {
    settle_request(request, parts, status, answer);
  });
}

// One room, so that it has its place in the order of the channel. Its answer does not say whether the home had room.
void Chaos::emit(size_t index, uint32_t channel) {
  if (choices_.mailbox_slots < 65'536) return publish(index, {channel});
  HttpClient& client = publisher(index);
  const uint32_t request = ledger_.add_request(true);
  Event event;
  event.source = sources_[index];
  event.emitted = true;
  event.padding = padding();
  event.channels = {channel};
  const uint32_t id = ledger_.add_event(request, std::move(event));
  ++parts_sent_;
  client.request("POST", "/socketio/emit", {}, emit_body(ledger_.channels()[channel].name, ledger_.text_of(id)),
                 [this, request](int status, std::string_view answer) { settle_request(request, 1, status, answer); });
}

void Chaos::publish_batch(size_t index, uint32_t parts, std::optional<uint32_t> channel) {
  HttpClient& client = publisher(index);
  const uint32_t request = ledger_.add_request(true);
  std::string batch;
  for (uint32_t i = 0; i < parts; ++i) {
    std::string entry;
    new_event(request, index, {channel ? *channel : any_channel()}, dice_.one_in(4), &entry);
    batch += (i > 0 ? "," : "") + entry;
  }
  client.request(
      "POST", "/batch_events", {}, R"({"batch":[)" + batch + "]}",
      [this, request, parts](int status, std::string_view answer) { settle_request(request, parts, status, answer); });
}

// To one channel, in one breath, more than a small mailbox holds, so that the server has to refuse some.
void Chaos::publish_burst(size_t index) {
  if (choices_.mailbox_slots == 65'536) {
    for (int i = 0; i < 20; ++i) publish(index, several_channels());
  } else if (dice_.one_in(4)) {
    const uint32_t channel = any_channel();
    small_events_ = true;
    for (int i = 0; i < 200; ++i) publish_batch(index, 10, channel);
    small_events_ = false;
  }
}

void Chaos::settle_request(uint32_t request, uint32_t parts, int status, std::string_view body) {
  using Fate = Request::Fate;
  uint32_t left_out = 0;
  if (status == 503) {
    // "2 of 5 channels were left out"; without it nothing was published.
    const size_t at = body.find(" channels were left out");
    left_out = parts;
    if (at != std::string_view::npos) {
      const size_t of = body.rfind(" of ", at);
      const size_t digits = body.find_last_not_of("0123456789", of - 1) + 1;
      std::from_chars(body.data() + digits, body.data() + of, left_out);
    }
  }
  parts_sent_ -= std::min<uint64_t>(parts_sent_, status == 0 ? parts : left_out);
  if (status == 200 || (status == 503 && left_out < parts)) return ledger_.settle(request, Fate::kAccepted, left_out);
  if (status == 503) return ledger_.settle(request, Fate::kRefused);
  ledger_.settle(request, Fate::kUnknown);
  if (status != 0) complain("a publish was answered with " + std::to_string(status) + ": " + std::string(body));
}

}  // namespace kilat::stress
