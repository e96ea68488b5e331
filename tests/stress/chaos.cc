#include "stress/chaos.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ranges>

#include "hub/channel_name.h"

namespace kilat::stress {
namespace {

std::vector<Channel> channel_table() {
  std::vector<Channel> out;
  for (const std::string_view name :
       {"room-1", "room-2", "room-3", "private-a", "private-b", "presence-x", "presence-y", "presence-z", "cache-p",
        "cache-q", "private-cache-s", "presence-cache-t", "private-encrypted-e", "private-encrypted-cache-f"}) {
    const hub::ChannelKind kind = hub::kind_of(name);
    out.push_back({.name = std::string(name),
                   .presence = kind.presence(),
                   .cache = kind.cache,
                   .client_events = kind.needs_signature() && !kind.encrypted(),
                   // An encrypted channel must be the only one of its event.
                   .alone = kind.encrypted() || name == "room-3" || name == "private-b" || name == "presence-z" ||
                            name == "cache-q"});
  }
  return out;
}

}  // namespace

// Different seeds meet different settings: formats side by side, lingering or not, mailboxes that overflow.
ServerChoices Chaos::choose(const Options& options) {
  ServerChoices choices;
  choices.shards = options.shards;
  choices.members_max = kMembersMax;
  choices.compression = std::array{"off", "shared", "dedicated"}[options.seed % 3];
  choices.linger_ms_max = options.seed % 2 == 0 ? 5 : 0;
  choices.mailbox_slots = options.seed % 4 == 3 ? 1024 : 65'536;
  choices.socketio_compression = options.seed % 3 != 0;
  choices.activity_timeout_s = 1;
  // Above 100 subscribers counts come late by design, which the audit does not model.
  choices.subscription_count = options.clients <= 90;
  return choices;
}

Chaos::Chaos(const Options& options)
    : options_(options),
      choices_(choose(options)),
      dice_(options.seed),
      ledger_(channel_table(), kMembersMax, choices_.mailbox_slots < 65'536,
              [this](const std::string& what) { complain(what); }),
      server_(options.binary, configuration(choices_)),
      publishers_(kPublishers),
      sources_(kPublishers) {}

void Chaos::complain(const std::string& what) {
  if (complaints_.size() < kComplaintsMax) complaints_.push_back(what);
}

void Chaos::on_witnessed(uint32_t serial) {
  if (serial == 1) ++parts_seen_;
}

void Chaos::turn(int wait_ms) {
  poller_.wait(wait_ms);
  const uint64_t now = monotonic_ms();
  std::erase_if(pauses_, [&](const Pause& pause) {
    if (now < pause.until_ms) return false;
    for (const auto& peer : peers_) {
      if (peer->serial() == pause.serial) peer->set_paused(false);
    }
    return true;
  });
  bury();
  if (server_.ended()) complain("the server has ended by itself");
}

void Chaos::bury() {
  std::erase_if(peers_, [](const auto& peer) { return peer->ended(); });
}

// The first witness comes first of all, so that the line of a channel begins before anybody else does.
void Chaos::open_witnesses() {
  for (uint32_t i = 0; i < kWitnesses; ++i) add_peer(true);
  wait_until_live();
  for (uint32_t i = 0; i < kWitnesses && !failed(); ++i) {
    for (uint32_t channel = 0; channel < ledger_.channels().size(); ++channel) peers_[i]->subscribe(channel);
    const auto joined = [&](uint32_t channel) { return peers_[i]->joined(channel); };
    for (Patience patience(kPatienceMs); !failed();) {
      if (std::ranges::all_of(std::views::iota(0U, static_cast<uint32_t>(ledger_.channels().size())), joined)) break;
      if (patience.over()) return complain("a witness gets no answers");
      turn(10);
    }
  }
}

void Chaos::wait_until_live() {
  for (Patience patience(kPatienceMs); !failed(); turn(10)) {
    if (std::ranges::all_of(peers_, [](const auto& peer) { return peer->live(); })) return;
    if (patience.over()) complain("connections are not established");
  }
}

int Chaos::run() {
  descriptors_at_start_ = server_.resources().descriptors;
  open_witnesses();
  // From here on no cache channel is empty: a socket.io client isn't told of a miss.
  if (!failed()) settle();
  const uint64_t end_ms = monotonic_ms() + uint64_t{options_.seconds} * 1000;
  while (!failed() && monotonic_ms() < end_ms) {
    for (uint32_t done = 0; done < kOperationsBetweenAudits && !failed() && monotonic_ms() < end_ms;) {
      turn(parts_sent_ > parts_seen_ + kLagMax ? 5 : 0);
      for (int i = 0; i < 8; ++i, ++done) operate();
      operations_ += 8;
    }
    if (!failed()) settle();
  }
  if (!failed()) close_all();
  if (!failed()) check_baseline();
  if (!failed()) stop_with_clients();
  return report();
}

// In every way that there is; afterwards no channel and no connection may be left.
void Chaos::close_all() {
  for (const auto& peer : peers_) peer->leave(dice_.below(30));
  Patience patience(kPatienceMs);
  while (!peers_.empty()) {
    if (patience.over()) return complain("connections that were closed by their clients do not end");
    turn(10);
  }
  for (;;) {
    const std::string connections = call("/connections").body;
    const std::string channels = call("/channels").body;
    if (connections == R"({"connections":0})" && channels == R"({"channels":{}})") return;
    if (patience.over()) return complain("all clients have gone, but there are " + connections + " and " + channels);
    turn(20);
  }
}

void Chaos::check_baseline() {
  for (auto& publisher : publishers_) {
    if (publisher) publisher->drop();
    publisher.reset();
  }
  size_t left = 0;
  for (Patience patience(kPatienceMs); !patience.over(); turn(20)) {
    left = server_.resources().descriptors;
    if (left <= descriptors_at_start_) return;
  }
  complain("the server has " + std::to_string(left) + " descriptors open, at its start it had " +
           std::to_string(descriptors_at_start_));
}

// SIGTERM in the middle of traffic: every client hears of it, the server ends well.
void Chaos::stop_with_clients() {
  for (int i = 0; i < 30; ++i) add_peer();
  wait_until_live();
  for (const auto& peer : peers_) {
    for (int i = 0; i < 4; ++i) toggle(*peer, false);
  }
  for (int i = 0; i < 40; ++i) publish(dice_.below(kPublishers), several_channels());
  server_.terminate();
  for (const auto& peer : peers_) peer->expect_end();
  Patience patience(kPatienceMs);
  while (!std::ranges::all_of(peers_, [](const auto& peer) { return peer->ended(); })) {
    if (patience.over()) return complain("connections stay open after SIGTERM");
    poller_.wait(10);
  }
  for (const auto& peer : peers_) {
    if (!peer->told_of_drain()) {
      complain("connection " + std::to_string(peer->serial()) + " was ended by the drain without the code for it");
    }
  }
  peers_.clear();
}

int Chaos::report() {
  if (!server_.ended()) server_.terminate();
  if (const std::string end = server_.wait_for_end(); !end.empty()) complain(end);
  if (const std::string found = server_.complaints(); !found.empty()) complain("on the server's stderr:\n" + found);
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "== stress seed %llu: %llu operations, %llu connections, %llu audits, %llu slices with %llu items, "
      "%llu parts refused, %llu client events dropped (shards %u, mailbox %u, compression %s, linger %u ms)\n",
      number(options_.seed), number(operations_), number(last_serial_), number(audits_), number(ledger_.slices),
      number(ledger_.deliveries), number(ledger_.refused_parts), number(ledger_.lost_client_events), choices_.shards,
      choices_.mailbox_slots, choices_.compression.c_str(), choices_.linger_ms_max);
  if (!failed()) return 0;
  for (const std::string& complaint : complaints_) std::printf("   %s\n", complaint.c_str());
  std::printf("   the server's last lines:\n%s\n== FAILED with seed %llu\n", server_.last_words().c_str(),
              number(options_.seed));
  return 1;
}

int run_chaos(const Options& options) {
  Options chosen = options;
  if (chosen.clients == 0) chosen.clients = 80;
  Chaos chaos(chosen);
  return chaos.run();
}

}  // namespace kilat::stress
