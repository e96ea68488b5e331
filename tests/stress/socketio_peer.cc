#include "stress/socketio_peer.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/json_parser.h"
#include "base/json_text.h"
#include "stress/wire.h"

namespace kilat::stress {
namespace {

namespace dom = simdjson::dom;

JsonParser& parser() {
  static JsonParser shared;
  return shared;
}

uint32_t info_of(const dom::object& object) {
  uint64_t by = 0;
  return object["user_info"]["by"].get(by) == simdjson::SUCCESS ? static_cast<uint32_t>(by) : 0;
}

// One for each client in turn, of the channels that events may share.
uint32_t shared_channel(const std::vector<Channel>& channels, uint32_t serial) {
  std::vector<uint32_t> shared;
  for (uint32_t i = 0; i < channels.size(); ++i) {
    if (!channels[i].alone) shared.push_back(i);
  }
  return shared[serial % shared.size()];
}

}  // namespace

struct SocketIoPeer::Answer {
  bool ok = false;
  std::string error;
  bool has_members = false;
  Members members;
};

SocketIoPeer::SocketIoPeer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options,
                           const EngineOptions& engine)
    : Peer(host, options),
      EngineClient(poller, port, engine),
      shared_(shared_channel(host.ledger().channels(), options.serial)) {}

bool SocketIoPeer::reads(uint32_t channel) const {
  return channel == shared_ || host_.ledger().channels()[channel].alone;
}

// --- to the server

void SocketIoPeer::ask(std::string_view event, std::string_view argument, const Waiting& waiting) {
  waiting_.emplace(++last_ack_, waiting);
  std::string message = "2" + std::to_string(last_ack_) + "[" + json_string(event) + ",";
  send_message(message.append(argument).append("]"));
}

void SocketIoPeer::say_subscribe(const Channel& channel, Epoch& epoch, std::string_view channel_data) {
  ask("subscribe", subscription(channel.name, socket_id(), channel_data),
      {.kind = Waiting::Kind::kSubscribe, .channel = epoch.channel, .epoch = &epoch});
}

void SocketIoPeer::say_unsubscribe(uint32_t channel) {
  ask("unsubscribe", json_string(host_.ledger().channels()[channel].name),
      {.kind = Waiting::Kind::kUnsubscribe, .channel = channel});
}

void SocketIoPeer::publish(uint32_t channel, uint32_t event, Waiting::Kind kind) {
  const std::string argument = R"({"channel":)" + json_string(host_.ledger().channels()[channel].name) +
                               R"(,"event":"client-e","data":)" + json_string(host_.ledger().text_of(event)) + "}";
  ask("publish", argument, {.kind = kind, .request = host_.ledger().event(event)->request});
}

void SocketIoPeer::client_event(uint32_t channel, uint32_t event) {
  publish(channel, event, Waiting::Kind::kPublish);
}

void SocketIoPeer::rogue_event(uint32_t channel, uint32_t event) {
  publish(channel, event, Waiting::Kind::kRogue);
}

void SocketIoPeer::ping() {
  ask("unsubscribe", R"("room-of-nobody")", {.kind = Waiting::Kind::kBarrier});
}

void SocketIoPeer::probe_transport(std::string payload) {
  ping_or_upgrade(std::move(payload));
}

void SocketIoPeer::leave(uint32_t how) {
  set_leaving();
  finish(how);
}

// --- from the server

void SocketIoPeer::on_opened() {
  send_message("0");
}

void SocketIoPeer::on_over() {
  gone("see above");
}

void SocketIoPeer::on_cut_off() {
  host_.ledger().abandon(serial());
}

void SocketIoPeer::on_message(std::string_view message) {
  host_.ledger().tick();
  const char type = message.empty() ? '?' : message.front();
  std::string_view rest = message.substr(std::min<size_t>(1, message.size()));
  if (type == '2') return on_named_event(rest);
  if (type == '3') {
    uint64_t id = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
    return on_ack(id, rest.substr(static_cast<size_t>(end - rest.data())));
  }
  if (type == '0') {
    const auto root = parser().parse_copy(rest);
    std::string_view id;
    if (!root || (*root)["sid"].get(id) != simdjson::SUCCESS) return violation("connected without an id");
    return set_socket_id(id);
  }
  if (type != '1' || !leaving()) violation("unexpected " + std::string(message.substr(0, 200)));
}

void SocketIoPeer::on_ack(uint64_t id, std::string_view json) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return violation("an acknowledgement nobody asked for: " + std::string(json));
  const Waiting waiting = found->second;
  waiting_.erase(found);
  const auto root = parser().parse_copy(json);
  dom::object object;
  if (!root || root->at(0).get(object) != simdjson::SUCCESS) return violation("no answer: " + std::string(json));
  Answer answer{.ok = object["ok"].is_bool() && bool(object["ok"]), .error = {}, .has_members = false, .members = {}};
  answer.error = string_member(object, "error").value_or("");
  dom::array members;
  if (object["members"].get(members) == simdjson::SUCCESS) {
    answer.has_members = true;
    for (const dom::object member : members) {
      const uint32_t user = user_of(string_member(member, "user_id").value_or(""));
      if (!answer.members.emplace(user, info_of(member)).second) violation("a member twice: " + std::string(json));
    }
  }
  const auto expect = [&](bool good) {
    if (!good) violation("answered with " + std::string(json.substr(0, 300)));
  };
  switch (waiting.kind) {
    case Waiting::Kind::kSubscribe: return on_subscribed(waiting, answer);
    case Waiting::Kind::kUnsubscribe: expect(answer.ok); return left_channel(waiting.channel);
    case Waiting::Kind::kBarrier: return expect(answer.ok);
    case Waiting::Kind::kRogue: return expect(answer.error == "client_event_not_subscribed");
    case Waiting::Kind::kPublish:
      // The ledger knows whether this may happen.
      if (answer.error == "client_event_over_capacity") {
        return host_.ledger().settle(waiting.request, Request::Fate::kRefused);
      }
      return expect(answer.ok);
  }
}

void SocketIoPeer::on_subscribed(const Waiting& waiting, const Answer& answer) {
  Epoch& epoch = *waiting.epoch;
  if (answer.ok) {
    // Who leaves before the answer hears no more than that, and was perhaps never in the channel.
    if (!answer.has_members && host_.ledger().channels()[waiting.channel].presence) {
      if (epoch.wanted) violation("joined a presence channel without its members");
      return;
    }
    return on_joined(epoch, answer.members);
  }
  if (answer.error != "presence_channel_full" || epoch.joined_tick != 0) {
    return violation("subscription refused: " + answer.error);
  }
  refused(waiting.channel, epoch);
}

std::optional<uint32_t> SocketIoPeer::channel_named(std::string_view name) const {
  const auto& channels = host_.ledger().channels();
  const auto found = std::ranges::find(channels, name, &Channel::name);
  if (found == channels.end()) return std::nullopt;
  return static_cast<uint32_t>(found - channels.begin());
}

void SocketIoPeer::on_named_event(std::string_view json) {
  const auto root = parser().parse_copy(json);
  std::string_view name;
  if (!root || root->at(0).get(name) != simdjson::SUCCESS) return violation("no event: " + std::string(json));
  std::string_view text;
  if (root->at(1).get(text) == simdjson::SUCCESS) return on_published(name, text);
  dom::object object;
  const bool added = name == "member_added";
  if ((!added && name != "member_removed") || root->at(1).get(object) != simdjson::SUCCESS) {
    return violation("unexpected " + std::string(json.substr(0, 200)));
  }
  const auto channel = channel_named(string_member(object, "channel").value_or(""));
  if (!channel || slots_[*channel].empty()) {
    return violation("of a channel that it is not subscribed to: " + std::string(json.substr(0, 200)));
  }
  Epoch& epoch = *slots_[*channel].front();
  if (epoch.joined_tick == 0 || epoch.cached_due) return violation("too early: " + std::string(json.substr(0, 200)));
  epoch.items.push_back({.kind = added ? Item::Kind::kAdded : Item::Kind::kRemoved,
                         .number = user_of(string_member(object, "user_id").value_or("")),
                         .info = added ? info_of(object) : 0});
}

void SocketIoPeer::on_published(std::string_view name, std::string_view text) {
  const Event* event = host_.ledger().event(number_of(text));
  if (event == nullptr) return violation("an event that was not sent: " + std::string(text.substr(0, 200)));
  const auto channel = std::ranges::find_if(event->channels, [this](uint32_t one) { return reads(one); });
  if (channel == event->channels.end() || slots_[*channel].empty()) {
    return violation("of a channel that it is not subscribed to: " + std::string(text.substr(0, 200)));
  }
  Epoch& epoch = *slots_[*channel].front();
  if (epoch.joined_tick == 0) return violation("before the answer: " + std::string(text.substr(0, 200)));
  if (std::exchange(epoch.cached_due, false)) {
    epoch.cached = check_cached(text, std::nullopt);
  } else {
    take_event(epoch, name, text, std::nullopt);
  }
}

}  // namespace kilat::stress
