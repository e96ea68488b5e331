// The Ledger's judgement: see ledger.h for how it is done.
#include <algorithm>
#include <iterator>
#include <utility>

#include "stress/ledger.h"

namespace kilat::stress {

/// A channel's order since the last audit, and what held at each place of it.
struct Ledger::Line {
  uint32_t channel = 0;
  const std::vector<Item>& items;
  std::vector<Members> members = {};                 ///< before item i; presence channels only
  std::vector<uint32_t> cached = {};                 ///< the last event of the API before item i; cache channels only
  std::vector<uint32_t> counts = {};                 ///< before item i
  std::unordered_map<uint32_t, size_t> places = {};  ///< of events
};

void Ledger::audit() {
  for (uint32_t channel = 0; channel < channels_.size(); ++channel) {
    const Epoch* witness = this->witness(channel);
    if (witness == nullptr) continue;
    if (!witness->carried) members_[channel] = witness->members;
    Line line{.channel = channel, .items = witness->items};
    check_line(channel, line);
    for (const auto& epoch : epochs_[channel]) check_epoch(line, *epoch);
    if (channels_[channel].presence) members_[channel] = line.members.back();
    if (channels_[channel].cache) cached_[channel] = line.cached.back();
    counts_[channel] = line.counts.back();
    check_population(channel);
  }
  check_requests();
  for (auto& epochs : epochs_) {
    std::erase_if(epochs, [](const auto& epoch) { return !epoch->open; });
    for (const auto& epoch : epochs) {
      epoch->carried = true;
      epoch->items.clear();
      epoch->again.clear();
    }
  }
}

// What the channel told of its readers, against who they are.
void Ledger::check_population(uint32_t channel) const {
  const std::string where = "channel " + channels_[channel].name + ": ";
  const uint32_t count = subscriptions(channel);
  if (counts_[channel] != 0 && counts_[channel] != count) {
    complain_(where + std::to_string(count) + " are subscribed, the last subscription_count was " +
              std::to_string(counts_[channel]));
  }
  if (!channels_[channel].presence) return;
  const auto list = [](const auto& users) {
    std::string out;
    for (const auto& user : users) out += " u" + std::to_string(user.first);
    return out;
  };
  const std::string expected = list(users(channel));
  const std::string told = list(members_[channel]);
  if (expected != told) complain_(where + "members are" + expected + ", but as was told" + told);
}

// Each event known, meant for this channel, once and in its publisher's order; members come and go in turns.
void Ledger::check_line(uint32_t channel, Line& line) {
  const std::string where = "channel " + channels_[channel].name + ": ";
  Members members = members_[channel];
  uint32_t count = counts_[channel];
  uint32_t cached = cached_[channel];
  std::map<uint32_t, uint32_t> newest;
  const auto keep = [&] {
    line.counts.push_back(count);
    if (channels_[channel].presence) line.members.push_back(members);
    if (channels_[channel].cache) line.cached.push_back(cached);
  };
  for (const Item& item : line.items) {
    keep();
    switch (item.kind) {
      case Item::Kind::kEvent:
        if (!line.places.emplace(item.number, line.counts.size() - 1).second) {
          complain_(where + show(item) + " was delivered twice");
        }
        check_line_event(line, channel, item, newest);
        if (const Event* event = this->event(item.number); event != nullptr && event->backend) cached = item.number;
        break;
      case Item::Kind::kAdded:
        if (!members.emplace(item.number, item.info).second) complain_(where + show(item) + ", but it was a member");
        if (members.size() > members_max_) complain_(where + "more members than presence_members_max");
        break;
      case Item::Kind::kRemoved:
        if (members.erase(item.number) == 0) complain_(where + show(item) + ", but it was no member");
        break;
      case Item::Kind::kCount:
        // 0 is not known yet: the witness itself came later than some others.
        if (count != 0 && item.number != count + 1 && item.number + 1 != count) {
          complain_(where + show(item) + " follows " + std::to_string(count));
        }
        count = item.number;
        break;
    }
  }
  keep();
}

void Ledger::check_line_event(const Line& line, uint32_t channel, const Item& item,
                              std::map<uint32_t, uint32_t>& newest) {
  const std::string where = "channel " + channels_[line.channel].name + ": " + show(item);
  const auto found = events_.find(item.number);
  if (found == events_.end()) return complain_(where + " was never published, or long ago");
  const Event& event = found->second;
  if (std::ranges::find(event.channels, channel) == event.channels.end()) {
    return complain_(where + " was not published to this channel");
  }
  if (event.finished) return complain_(where + " was delivered again");
  Request& request = requests_[event.request];
  ++request.delivered;
  if (request.fate == Request::Fate::kRefused) complain_(where + " was refused, and delivered");
  uint32_t& last = newest[event.source];
  if (item.number < last) complain_(where + " comes behind " + std::to_string(last) + " of the same publisher");
  last = std::max(last, item.number);
}

void Ledger::check_epoch(const Line& line, const Epoch& epoch) {
  if (epoch.refused) return check_refusal(line, epoch);
  if (epoch.joined_tick == 0 && !epoch.carried) return;
  deliveries += epoch.items.size();
  ++slices;
  const std::optional<size_t> start = find_slice(line, epoch);
  if (start) return;
  // Nothing fits: say what is wrong where the first event lies.
  size_t guess = epoch.carried ? 0 : line.items.size();
  size_t before = 0;
  if (!epoch.carried) {
    for (const Item& item : epoch.items) {
      const auto place = item.kind == Item::Kind::kEvent ? line.places.find(item.number) : line.places.end();
      if (place != line.places.end()) {
        guess = place->second - std::min(before, place->second);
        break;
      }
      ++before;
    }
  }
  complain_(show(epoch) + ": " + why_not(line, epoch, guess));
}

// The place of the first event is known, which leaves few places for the start of the slice.
std::optional<size_t> Ledger::find_slice(const Line& line, const Epoch& epoch) const {
  size_t low = 0;
  size_t high = epoch.carried ? 0 : line.items.size();
  if (!epoch.carried) {
    for (const Item& item : epoch.items) {
      if (item.kind != Item::Kind::kEvent) continue;
      const auto place = line.places.find(item.number);
      if (place == line.places.end()) return std::nullopt;
      high = place->second;
      break;
    }
  }
  for (size_t start = high + 1; start-- > low;) {
    if (why_not(line, epoch, start).empty()) return start;
  }
  return std::nullopt;
}

std::string Ledger::why_not(const Line& line, const Epoch& epoch, size_t start) const {
  std::string why = match_items(line, epoch, start);
  if (why.empty() && !epoch.carried) why = check_start(line, epoch, start);
  return why;
}

std::string Ledger::match_items(const Line& line, const Epoch& epoch, size_t start) const {
  size_t at = start;
  const auto pass_others = [&] {
    while (at < line.items.size() && passes_by(line.items[at], epoch)) ++at;
  };
  auto again = epoch.again.begin();
  const auto check_again = [&](size_t taken) {
    for (; again != epoch.again.end() && again->first == taken; ++again) {
      if (again->second != line.members[at]) return false;
    }
    return true;
  };
  for (size_t i = 0; i < epoch.items.size(); ++i) {
    if (!check_again(i)) return "members of a repeated subscribe are not those of its place";
    pass_others();
    if (at == line.items.size()) return show(epoch.items[i]) + " is more than the witness has";
    if (epoch.items[i] != line.items[at]) {
      return "item " + std::to_string(i) + " is " + show(epoch.items[i]) + ", expected " + show(line.items[at]);
    }
    ++at;
  }
  if (!check_again(epoch.items.size())) return "members of a repeated subscribe are not those of its place";
  pass_others();
  if (epoch.open && at < line.items.size()) return "ends too early, expected " + show(line.items[at]);
  return {};
}

std::string Ledger::check_start(const Line& line, const Epoch& epoch, size_t start) const {
  if (channels_[epoch.channel].presence && epoch.members != line.members[start]) {
    return "subscription_succeeded has " + std::to_string(epoch.members.size()) + " members, expected " +
           std::to_string(line.members[start].size()) + " or others";
  }
  if (channels_[epoch.channel].presence && !epoch.members.contains(epoch.user)) {
    return "subscription_succeeded does not have the user itself";
  }
  if (epoch.cached && *epoch.cached != line.cached[start]) {
    return "the cached event is " + std::to_string(*epoch.cached) + ", expected " + std::to_string(line.cached[start]);
  }
  for (size_t at = 0; at < line.items.size(); ++at) {
    if (line.items[at].kind != Item::Kind::kEvent) continue;
    const Event* event = this->event(line.items[at].number);
    if (event == nullptr || event->finished) continue;
    const Request& request = requests_.at(event->request);
    if (at < start && epoch.open && request.sent_tick > epoch.joined_tick && event->excluded != epoch.client) {
      return show(line.items[at]) + " was sent after subscription_succeeded, and is missing";
    }
    // An emit is answered before the channel's home has taken it.
    if (at >= start && request.fate == Request::Fate::kAccepted && !event->emitted &&
        request.settled_tick < epoch.sub_tick) {
      return show(line.items[at]) + " was answered before the subscribe was sent, and was delivered";
    }
  }
  return {};
}

// Right if the channel was full, and without this user, at some moment of the line.
void Ledger::check_refusal(const Line& line, const Epoch& epoch) const {
  const bool right = std::ranges::any_of(line.members, [&](const Members& members) {
    return members.size() >= members_max_ && !members.contains(epoch.user);
  });
  if (!right) complain_(show(epoch) + ": refused as full, which it never was");
}

void Ledger::check_requests() {
  for (auto& [number, request] : requests_) {
    const bool silent = !request.backend && request.fate == Request::Fate::kSent && request.delivered == 0;
    const bool accepted = request.fate == Request::Fate::kAccepted;
    if (silent && lossy_ && request.old) ++lost_client_events;
    if ((!silent || lossy_) && (!accepted || request.delivered == request.parts - request.left_out)) continue;
    std::string ids;
    for (const auto& [id, event] : events_) {
      if (event.request == number) ids += " " + std::to_string(id) + " to " + channels_[event.channels[0]].name;
    }
    complain_("of request " + std::to_string(number) + " (events" + ids + ") " + std::to_string(request.delivered) +
              " parts were delivered, expected " + std::to_string(request.parts - request.left_out));
  }
  // What may still be on its way, because nobody said otherwise, is remembered for one audit more.
  for (auto entry = requests_.begin(); entry != requests_.end();) {
    Request& request = entry->second;
    const bool open =
        request.fate == Request::Fate::kUnknown || (request.fate == Request::Fate::kSent && request.delivered == 0);
    entry = open && !std::exchange(request.old, true) ? std::next(entry) : requests_.erase(entry);
  }
  // So are the events that cache channels keep: later subscribers get them.
  for (auto entry = events_.begin(); entry != events_.end();) {
    Event& event = entry->second;
    event.finished = !requests_.contains(event.request);
    const bool needed = !event.finished || std::ranges::find(cached_, entry->first) != cached_.end();
    entry = needed ? std::next(entry) : events_.erase(entry);
  }
}

}  // namespace kilat::stress
