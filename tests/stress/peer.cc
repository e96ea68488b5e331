#include "stress/peer.h"

#include <charconv>
#include <utility>

namespace kilat::stress {

uint32_t number_of(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

uint32_t user_of(std::string_view id) {
  return id.starts_with('u') ? number_of(id.substr(1)) : 0;
}

Peer::Peer(PeerHost& host, const PeerOptions& options)
    : host_(host), slots_(host.ledger().channels().size()), options_(options) {}

std::string Peer::name() const {
  return "connection " + std::to_string(serial()) + " (" + socket_id_ + ")";
}

std::string Peer::channel_data(const Channel& channel) const {
  if (!channel.presence) return {};
  return R"({"user_id":"u)" + std::to_string(options_.user) + R"(","user_info":{"by":)" + std::to_string(serial()) +
         "}}";
}

bool Peer::joined(uint32_t channel) const {
  const auto& slot = slots_[channel];
  return slot.size() == 1 && slot.front()->wanted && slot.front()->joined_tick != 0;
}

void Peer::subscribe(uint32_t channel) {
  const Channel& row = host_.ledger().channels()[channel];
  Epoch& epoch = host_.ledger().begin(serial(), channel, options_.user, witness());
  epoch.counts = counts();
  slots_[channel].push_back(&epoch);
  say_subscribe(row, epoch, channel_data(row));
}

void Peer::subscribe_again(uint32_t channel) {
  const Channel& row = host_.ledger().channels()[channel];
  Epoch& epoch = *slots_[channel].front();
  ++epoch.again_due;
  say_subscribe(row, epoch, channel_data(row));
}

void Peer::unsubscribe(uint32_t channel) {
  slots_[channel].back()->wanted = false;
  say_unsubscribe(channel);
}

void Peer::violation(const std::string& what) {
  host_.complain(name() + ": " + what);
}

void Peer::gone(const std::string& how) {
  if (!leaving_) host_.complain(name() + " was ended by the server, " + how);
  leaving_ = true;
  end_all();
}

void Peer::end_all() {
  for (auto& slot : slots_) {
    for (Epoch* epoch : slot) epoch->open = false;
    slot.clear();
  }
}

void Peer::on_joined(Epoch& epoch, Members members) {
  const Channel& row = host_.ledger().channels()[epoch.channel];
  if (epoch.joined_tick == 0) {
    epoch.joined_tick = host_.ledger().tick();
    epoch.members = std::move(members);
    epoch.cached_due = row.cache;
  } else if (epoch.again_due > 0) {
    --epoch.again_due;
    if (row.presence) epoch.again.emplace_back(epoch.items.size(), std::move(members));
  } else {
    violation("a subscription nobody asked for: " + row.name);
  }
}

void Peer::refused(uint32_t channel, Epoch& epoch) {
  epoch.refused = true;
  epoch.open = false;
  // With an unsubscribe behind it, the answer to that takes it away.
  if (epoch.wanted) slots_[channel].pop_front();
}

void Peer::left_channel(uint32_t channel) {
  auto& slot = slots_[channel];
  slot.front()->open = false;
  slot.pop_front();
}

void Peer::take_event(Epoch& epoch, std::string_view name, std::string_view text, std::optional<Details> details) {
  const uint32_t id = number_of(text);
  const Event* event = host_.ledger().event(id);
  if (event == nullptr || text != host_.ledger().text_of(id) || (name == "e") != event->backend ||
      (details && details->wrapped != event->emitted)) {
    return violation("an event that was not sent so: " + std::string(name) + " " + std::string(text.substr(0, 200)));
  }
  if (event->excluded == serial()) return violation("got event " + std::to_string(id) + ", which excludes it");
  if (details && details->user != event->user) {
    return violation("event " + std::to_string(id) + " names the user u" + std::to_string(details->user) +
                     ", sent by u" + std::to_string(event->user));
  }
  epoch.items.push_back({.number = id});
  if (witness()) host_.on_witnessed(serial());
}

uint32_t Peer::check_cached(std::string_view text, std::optional<bool> wrapped) {
  const uint32_t id = number_of(text);
  const Event* event = host_.ledger().event(id);
  if (event == nullptr || text != host_.ledger().text_of(id) || (wrapped && *wrapped != event->emitted)) {
    violation("wrong cached event: " + std::string(text.substr(0, 200)));
  }
  return id;
}

}  // namespace kilat::stress
