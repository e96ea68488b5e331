#include "fake_net/delivery_ledger.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "hub/channel_name.h"

namespace kilat::fake_net {
namespace {

void require(bool holds, const char* what, std::string_view text = {}) {
  if (holds) return;
  std::fprintf(stderr, "delivery ledger: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

// The number in `data`, which data_of() has made; padding may follow.
std::optional<uint64_t> number_of(std::string_view data) {
  if (!data.starts_with('#')) return std::nullopt;
  return std::strtoull(std::string(data.substr(1)).c_str(), nullptr, 10);
}

}  // namespace

DeliveryLedger::ReaderId DeliveryLedger::add_reader(std::string_view app) {
  readers_.push_back({.app = std::string(app), .ears = {}});
  return readers_.size() - 1;
}

uint64_t DeliveryLedger::publish(const Room& room, size_t publisher, ReaderId except) {
  events_.push_back({room, publisher, except});
  return events_.size() - 1;
}

void DeliveryLedger::subscribe(ReaderId reader, std::string_view channel) {
  Ear& ear = readers_[reader].ears[std::string(channel)];
  // A second subscribe changes nothing, unless the first is being ended.
  if (!ear.spans.empty() && ear.spans.back().until == UINT64_MAX && !ear.spans.back().ending) return;
  ear.spans.push_back({.from = settled_});
}

void DeliveryLedger::unsubscribe(ReaderId reader, std::string_view channel) {
  const auto found = readers_[reader].ears.find(channel);
  if (found == readers_[reader].ears.end()) return;
  for (Span& span : found->second.spans) span.ending = true;
}

void DeliveryLedger::settled() {
  settled_ = events_.size();
  for (Reader& reader : readers_) {
    for (auto& [channel, ear] : reader.ears) {
      for (Span& span : ear.spans) {
        if (span.ending) span.until = std::min<uint64_t>(span.until, events_.size());
      }
    }
  }
}

void DeliveryLedger::heard(ReaderId id, std::string_view text) {
  require(!text.starts_with("<broken"), "a broken frame", text);
  if (text.starts_with('<')) return;
  const std::optional<simdjson::dom::element> root = parser_.parse_copy(text);
  require(root.has_value() && root->is_object(), "not JSON", text);
  const simdjson::dom::object object = root->get_object();
  const std::optional<std::string_view> event = string_member(object, "event");
  require(event.has_value(), "no event", text);
  const std::string channel(string_member(object, "channel").value_or(""));
  if (channel.empty()) return;
  const auto ear = readers_[id].ears.find(channel);
  // An error about a channel may name one that was refused.
  const bool about = *event == "pusher:error" || *event == "pusher:subscription_error";
  if (!about && !channel.starts_with(hub::kUserChannelPrefix)) {
    require(ear != readers_[id].ears.end(), "a channel that was never joined", text);
  }
  if (ear == readers_[id].ears.end()) return;
  if (*event == "pusher_internal:subscription_succeeded") ear->second.cached_next = hub::kind_of(channel).cache;
  if (*event != "e" && *event != "client-e") return;
  const std::optional<uint64_t> number = number_of(string_member(object, "data").value_or(""));
  require(number && *number < events_.size(), "an event nobody has published", text);
  heard_event(id, channel, *number);
}

void DeliveryLedger::heard_event(ReaderId id, const std::string& channel, uint64_t number) {
  const Event& event = events_[number];
  Ear& ear = readers_[id].ears[channel];
  const std::string text = channel + " " + std::to_string(number);
  require(event.room == Room(readers_[id].app, channel), "an event of another channel", text);
  if (std::exchange(ear.cached_next, false)) return;
  require(event.except != id, "an event of its own", text);
  const auto covers = [number](const Span& span) { return number >= span.from && number < span.until; };
  require(std::ranges::any_of(ear.spans, covers), "an event from outside of the subscription", text);
  require(ear.known.insert(number).second, "an event twice", text);
  const auto [last, first] = ear.last_of.emplace(event.publisher, number);
  require(first || last->second < number, "events of one publisher out of order", text);
  last->second = number;
  ear.order.push_back(number);
  ++heard_;
}

void DeliveryLedger::compare_orders() const {
  std::map<Room, std::vector<const Ear*>> by_room;
  for (const Reader& reader : readers_) {
    for (const auto& [channel, ear] : reader.ears) by_room[{reader.app, channel}].push_back(&ear);
  }
  for (const auto& [room, ears] : by_room) {
    for (size_t a = 0; a < ears.size(); ++a) {
      std::map<uint64_t, size_t> place;
      for (const uint64_t number : ears[a]->order) place.emplace(number, place.size());
      for (size_t b = a + 1; b < ears.size(); ++b) {
        size_t last = 0;
        for (const uint64_t number : ears[b]->order) {
          const auto found = place.find(number);
          if (found == place.end()) continue;
          require(found->second >= last, "two readers with two orders", room.second);
          last = found->second;
        }
      }
    }
  }
}

}  // namespace kilat::fake_net
