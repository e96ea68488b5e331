#include "stress/ledger.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace kilat::stress {

Ledger::Ledger(std::vector<Channel> channels, uint32_t members_max, bool lossy, Complain complain)
    : channels_(std::move(channels)),
      members_max_(members_max),
      lossy_(lossy),
      complain_(std::move(complain)),
      epochs_(channels_.size()),
      members_(channels_.size()),
      counts_(channels_.size()),
      cached_(channels_.size()) {}

uint32_t Ledger::add_request(bool backend) {
  requests_[++last_request_] = Request{.backend = backend, .sent_tick = tick()};
  return last_request_;
}

uint32_t Ledger::add_event(uint32_t request, Event event) {
  requests_[request].parts += static_cast<uint32_t>(event.channels.size());
  event.request = request;
  event.backend = requests_[request].backend;
  events_[++last_event_] = std::move(event);
  return last_event_;
}

void Ledger::settle(uint32_t request, Request::Fate fate, uint32_t left_out) {
  Request& settled = requests_[request];
  settled.fate = fate;
  settled.left_out = left_out;
  settled.settled_tick = tick();
  if (settled.backend) refused_parts += fate == Request::Fate::kRefused ? settled.parts : left_out;
}

void Ledger::abandon(uint32_t client) {
  for (const auto& [id, event] : events_) {
    if (event.source != client || event.finished) continue;
    Request& request = requests_.at(event.request);
    if (request.fate == Request::Fate::kSent) request.fate = Request::Fate::kUnknown;
  }
}

const Event* Ledger::event(uint32_t id) const {
  const auto found = events_.find(id);
  return found == events_.end() ? nullptr : &found->second;
}

std::string Ledger::text_of(uint32_t id) const {
  return std::to_string(id) + ":" + std::string(events_.at(id).padding, static_cast<char>('a' + id % 26));
}

Epoch& Ledger::begin(uint32_t client, uint32_t channel, uint32_t user, bool witness) {
  auto epoch = std::make_unique<Epoch>();
  epoch->client = client;
  epoch->channel = channel;
  epoch->user = user;
  epoch->witness = witness;
  epoch->sub_tick = tick();
  return *epochs_[channel].emplace_back(std::move(epoch));
}

const Epoch* Ledger::witness(uint32_t channel) const {
  const auto found = std::ranges::find_if(epochs_[channel], [](const auto& epoch) { return epoch->witness; });
  return found == epochs_[channel].end() ? nullptr : found->get();
}

uint32_t Ledger::subscriptions(uint32_t channel) const {
  return static_cast<uint32_t>(
      std::ranges::count_if(epochs_[channel], [](const auto& epoch) { return epoch->open && !epoch->refused; }));
}

std::map<uint32_t, uint32_t> Ledger::users(uint32_t channel) const {
  std::map<uint32_t, uint32_t> users;
  for (const auto& epoch : epochs_[channel]) {
    if (epoch->open && !epoch->refused) ++users[epoch->user];
  }
  return users;
}

bool Ledger::all_end_with(uint32_t channel, uint32_t id) const {
  return straggler(channel, id).empty();
}

std::string Ledger::straggler(uint32_t channel, uint32_t id) const {
  for (const auto& epoch : epochs_[channel]) {
    if (!epoch->open || epoch->refused) continue;
    if (epoch->joined_tick == 0) return show(*epoch) + " has no answer to its subscribe";
    if (epoch->again_due > 0) return show(*epoch) + " has no answer to its repeated subscribe";
    if (id != 0 && (epoch->items.empty() || epoch->items.back() != Item{.number = id})) {
      return show(*epoch) + " does not end with event " + std::to_string(id) +
             (epoch->items.empty() ? " but is empty" : " but with " + show(epoch->items.back()));
    }
  }
  return {};
}

size_t Ledger::client_events_due() const {
  if (lossy_) return 0;
  std::set<uint32_t> seen;
  for (uint32_t channel = 0; channel < channels_.size(); ++channel) {
    const Epoch* line = witness(channel);
    if (line == nullptr) continue;
    for (const Item& item : line->items) {
      if (item.kind == Item::Kind::kEvent) seen.insert(item.number);
    }
  }
  size_t due = 0;
  for (const auto& [id, event] : events_) {
    const auto request = requests_.find(event.request);
    if (request == requests_.end() || event.backend || seen.contains(id)) continue;
    if (request->second.fate == Request::Fate::kSent) ++due;
  }
  return due;
}

bool Ledger::passes_by(const Item& item, const Epoch& epoch) const {
  if (item.kind == Item::Kind::kCount) return !epoch.counts;
  if (item.kind != Item::Kind::kEvent) return false;
  const Event* event = this->event(item.number);
  return event != nullptr && event->excluded == epoch.client;
}

std::string Ledger::show(const Item& item) const {
  switch (item.kind) {
    case Item::Kind::kEvent: return "event " + std::to_string(item.number);
    case Item::Kind::kAdded: return "member_added u" + std::to_string(item.number);
    case Item::Kind::kRemoved: return "member_removed u" + std::to_string(item.number);
    case Item::Kind::kCount: return "subscription_count " + std::to_string(item.number);
  }
  return {};
}

std::string Ledger::show(const Epoch& epoch) const {
  return "channel " + channels_[epoch.channel].name + ", connection " + std::to_string(epoch.client) + " (u" +
         std::to_string(epoch.user) + (epoch.witness ? ", witness" : "") + (epoch.open ? "" : ", ended") +
         ", subscribed at tick " + std::to_string(epoch.sub_tick) + ", joined at " + std::to_string(epoch.joined_tick) +
         ", " + std::to_string(epoch.items.size()) + " items)";
}

}  // namespace kilat::stress
