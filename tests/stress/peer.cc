#include "stress/peer.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/json_parser.h"
#include "stress/wire.h"

namespace kilat::stress {
namespace {

namespace dom = simdjson::dom;

JsonParser& outer_parser() {
  static JsonParser parser;
  return parser;
}

// For JSON inside a string of JSON, while the outer document is still in use.
JsonParser& inner_parser() {
  static JsonParser parser;
  return parser;
}

uint32_t number_of(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

uint32_t user_of(std::string_view id) {
  return id.starts_with('u') ? number_of(id.substr(1)) : 0;
}

uint32_t info_of(dom::element info) {
  uint64_t by = 0;
  return info["by"].get(by) == simdjson::SUCCESS ? static_cast<uint32_t>(by) : 0;
}

}  // namespace

struct Peer::Message {
  dom::object object;
  std::string_view text;
  std::string_view event;
  std::string_view data;  ///< empty unless a string
};

Peer::Peer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options)
    : WsClient(poller, port, options.ws), host_(host), options_(options), slots_(host.ledger().channels().size()) {}

std::string Peer::name() const {
  return "connection " + std::to_string(serial()) + " (" + socket_id_ + ")";
}

std::string Peer::channel_data() const {
  return R"({"user_id":"u)" + std::to_string(options_.user) + R"(","user_info":{"by":)" + std::to_string(serial()) +
         "}}";
}

bool Peer::joined(uint32_t channel) const {
  const auto& slot = slots_[channel];
  return slot.size() == 1 && slot.front()->wanted && slot.front()->joined_tick != 0;
}

void Peer::subscribe(uint32_t channel) {
  const Channel& row = host_.ledger().channels()[channel];
  slots_[channel].push_back(&host_.ledger().begin(serial(), channel, options_.user, witness()));
  send_text(subscribe_message(row.name, socket_id_, row.presence ? channel_data() : ""), ++messages_ % 16 == 0);
}

void Peer::subscribe_again(uint32_t channel) {
  const Channel& row = host_.ledger().channels()[channel];
  ++slots_[channel].front()->again_due;
  send_text(subscribe_message(row.name, socket_id_, row.presence ? channel_data() : ""));
}

void Peer::unsubscribe(uint32_t channel) {
  slots_[channel].back()->wanted = false;
  send_text(unsubscribe_message(host_.ledger().channels()[channel].name));
  barriers_.push_back(channel);
  send_text(kPing);
}

void Peer::client_event(uint32_t channel, uint32_t event) {
  send_text(client_event_message(host_.ledger().channels()[channel].name, host_.ledger().text_of(event)),
            ++messages_ % 16 == 0);
}

void Peer::rogue_event(uint32_t channel, uint32_t event) {
  ++rogues_due_;
  client_event(channel, event);
}

void Peer::ping() {
  barriers_.push_back(kNoChannel);
  send_text(kPing);
}

void Peer::leave_by_reset() {
  leaving_ = true;
  reset();
  host_.ledger().abandon(serial());
  end_all();
}

void Peer::leave_by_fin() {
  leaving_ = true;
  shutdown_write();
}

void Peer::leave_by_close_frame() {
  leaving_ = true;
  send_close();
}

void Peer::end_all() {
  for (auto& slot : slots_) {
    for (Epoch* epoch : slot) epoch->open = false;
    slot.clear();
  }
}

void Peer::on_closed() {
  if (!leaving_) {
    host_.complain(name() + " was ended by the server, close code " + std::to_string(close_code()) + ", " +
                   std::to_string(unsent()) + " bytes unsent");
  }
  leaving_ = true;
  end_all();
}

void Peer::on_violation(const std::string& what) {
  host_.complain(name() + ": " + what);
}

void Peer::on_text(std::string_view text) {
  host_.ledger().tick();
  Message message;
  message.text = text;
  const std::optional<dom::element> root = outer_parser().parse(text);
  if (!root || root->get(message.object) != simdjson::SUCCESS) return on_violation("not JSON: " + std::string(text));
  message.event = string_member(message.object, "event").value_or("");
  message.data = string_member(message.object, "data").value_or("");
  const std::optional<std::string_view> name = string_member(message.object, "channel");
  if (!name) return on_own_message(message);
  const auto& channels = host_.ledger().channels();
  const auto channel = std::ranges::find(channels, *name, &Channel::name);
  const auto index = static_cast<uint32_t>(channel - channels.begin());
  if (message.event == "pusher:error") return on_error(message);
  if (channel == channels.end() || slots_[index].empty()) {
    return on_violation("got something of a channel that it is not subscribed to: " + std::string(text.substr(0, 200)));
  }
  on_channel_message(message, index, *slots_[index].front());
}

void Peer::on_own_message(const Message& message) {
  if (message.event == "pusher:pong") return on_pong();
  if (message.event == "pusher:error") return on_error(message);
  if (message.event != "pusher:connection_established") {
    return on_violation("unexpected " + std::string(message.text.substr(0, 200)));
  }
  const std::optional<dom::element> inner = inner_parser().parse_copy(message.data);
  std::string_view id;
  if (!inner || (*inner)["socket_id"].get(id) != simdjson::SUCCESS) return on_violation("no socket_id");
  socket_id_ = id;
}

void Peer::on_pong() {
  if (barriers_.empty()) return on_violation("a pusher:pong nobody asked for");
  const int64_t left = barriers_.front();
  barriers_.pop_front();
  if (left == kNoChannel) return;
  auto& slot = slots_[static_cast<size_t>(left)];
  slot.front()->open = false;
  slot.pop_front();
}

void Peer::on_error(const Message& message) {
  std::string_view reason;
  if (message.object["data"]["reason"].get(reason) != simdjson::SUCCESS) reason = "";
  if (reason == "client_event_not_subscribed" && rogues_due_ > 0) {
    --rogues_due_;
  } else if (reason == "client_event_over_capacity" || leaving_) {
    // The ledger knows whether this may happen: the event is missing then.
  } else {
    on_violation("refused: " + std::string(message.text.substr(0, 300)));
  }
}

void Peer::on_channel_message(const Message& message, uint32_t channel, Epoch& epoch) {
  if (epoch.cached_due) {
    epoch.cached_due = false;
    if (message.event == "pusher:cache_miss") {
      epoch.cached = 0;
    } else {
      epoch.cached = number_of(message.data);
      if (host_.ledger().event(*epoch.cached) == nullptr || message.data != host_.ledger().text_of(*epoch.cached)) {
        on_violation("wrong cached event: " + std::string(message.text.substr(0, 200)));
      }
    }
    return;
  }
  if (message.event == "pusher_internal:subscription_succeeded") return on_succeeded(message, epoch);
  if (message.event == "pusher:subscription_error") return on_refused(message, channel, epoch);
  if (epoch.joined_tick == 0) {
    return on_violation("before subscription_succeeded: " + std::string(message.text.substr(0, 200)));
  }
  if (message.event == "e" || message.event == "client-e") return on_event(message, epoch);
  const std::optional<dom::element> inner = inner_parser().parse_copy(message.data);
  Item item;
  std::string_view user;
  uint64_t count = 0;
  if (inner && (*inner)["user_id"].get(user) == simdjson::SUCCESS) {
    item.kind = message.event == "pusher_internal:member_added" ? Item::Kind::kAdded : Item::Kind::kRemoved;
    item.number = user_of(user);
    dom::element info;
    if ((*inner)["user_info"].get(info) == simdjson::SUCCESS) item.info = info_of(info);
  } else if (inner && (*inner)["subscription_count"].get(count) == simdjson::SUCCESS) {
    item.kind = Item::Kind::kCount;
    item.number = static_cast<uint32_t>(count);
  } else {
    return on_violation("unexpected " + std::string(message.text.substr(0, 200)));
  }
  epoch.items.push_back(item);
}

void Peer::on_succeeded(const Message& message, Epoch& epoch) {
  Members members;
  const std::optional<dom::element> inner = inner_parser().parse_copy(message.data);
  dom::object hash;
  if (inner && (*inner)["presence"]["hash"].get(hash) == simdjson::SUCCESS) {
    for (const auto [id, info] : hash) members[user_of(id)] = info_of(info);
    uint64_t count = 0;
    dom::array ids;
    if ((*inner)["presence"]["count"].get(count) != simdjson::SUCCESS || count != members.size() ||
        (*inner)["presence"]["ids"].get(ids) != simdjson::SUCCESS || ids.size() != members.size()) {
      on_violation("ids, hash and count of the members differ: " + std::string(message.text));
    }
  }
  const Channel& row = host_.ledger().channels()[epoch.channel];
  if (epoch.joined_tick == 0) {
    epoch.joined_tick = host_.ledger().tick();
    epoch.members = std::move(members);
    epoch.cached_due = row.cache;
  } else if (epoch.again_due > 0) {
    --epoch.again_due;
    if (row.presence) epoch.again.emplace_back(epoch.items.size(), std::move(members));
  } else {
    on_violation("subscription_succeeded nobody asked for: " + row.name);
  }
}

void Peer::on_refused(const Message& message, uint32_t channel, Epoch& epoch) {
  std::string_view reason;
  if (message.object["data"]["reason"].get(reason) != simdjson::SUCCESS || reason != "presence_channel_full" ||
      epoch.joined_tick != 0) {
    return on_violation("subscription refused: " + std::string(message.text));
  }
  epoch.refused = true;
  epoch.open = false;
  // With an unsubscribe behind it, the pong takes it away.
  if (epoch.wanted) slots_[channel].pop_front();
}

void Peer::on_event(const Message& message, Epoch& epoch) {
  const uint32_t id = number_of(message.data);
  const Event* event = host_.ledger().event(id);
  if (event == nullptr || message.data != host_.ledger().text_of(id) || (message.event == "e") != event->backend) {
    return on_violation("an event that was not sent so: " + std::string(message.text.substr(0, 200)));
  }
  if (event->excluded == serial()) return on_violation("got event " + std::to_string(id) + ", which excludes it");
  const std::string_view user = string_member(message.object, "user_id").value_or("");
  if (user_of(user) != event->user) {
    return on_violation("event " + std::to_string(id) + " names the user " + std::string(user) + ", sent by u" +
                        std::to_string(event->user));
  }
  epoch.items.push_back({.number = id});
  if (witness()) host_.on_witnessed(serial());
}

}  // namespace kilat::stress
