#include "stress/pusher_peer.h"

#include <algorithm>
#include <optional>
#include <utility>

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

// What an emit of one text is for a Pusher client: JSON text.
struct Text {
  std::string_view content;
  bool wrapped = false;
};

Text unwrap(std::string_view data) {
  if (data.size() < 2 || !data.starts_with('"')) return {.content = data};
  return {.content = data.substr(1, data.size() - 2), .wrapped = true};
}

uint32_t info_of(dom::element info) {
  uint64_t by = 0;
  return info["by"].get(by) == simdjson::SUCCESS ? static_cast<uint32_t>(by) : 0;
}

}  // namespace

struct PusherPeer::Message {
  dom::object object;
  std::string_view text;
  std::string_view event;
  std::string_view data;  ///< empty unless a string
};

PusherPeer::PusherPeer(Poller& poller, uint16_t port, PeerHost& host, const PeerOptions& options, const WsOptions& ws)
    : Peer(host, options), WsClient(poller, port, ws) {}

bool PusherPeer::settled() const {
  return ended() || (live() && barriers_.empty() && pings_out() == 0 && rogues_due_ == 0);
}

void PusherPeer::say_subscribe(const Channel& channel, Epoch&, std::string_view channel_data) {
  send_text(subscribe_message(channel.name, socket_id(), channel_data), ++messages_ % 16 == 0);
}

void PusherPeer::say_unsubscribe(uint32_t channel) {
  send_text(unsubscribe_message(host_.ledger().channels()[channel].name));
  barriers_.push_back(channel);
  send_text(kPing);
}

void PusherPeer::client_event(uint32_t channel, uint32_t event) {
  send_text(client_event_message(host_.ledger().channels()[channel].name, host_.ledger().text_of(event)),
            ++messages_ % 16 == 0);
}

void PusherPeer::rogue_event(uint32_t channel, uint32_t event) {
  ++rogues_due_;
  client_event(channel, event);
}

void PusherPeer::ping() {
  barriers_.push_back(kNoChannel);
  send_text(kPing);
}

void PusherPeer::leave(uint32_t how) {
  set_leaving();
  set_paused(false);
  if (how % 3 == 1) return shutdown_write();
  if (how % 3 == 2) return send_close();
  reset();
  host_.ledger().abandon(serial());
  end_all();
}

void PusherPeer::on_closed() {
  gone("close code " + std::to_string(close_code()) + ", " + std::to_string(unsent()) + " bytes unsent");
}

void PusherPeer::on_violation(const std::string& what) {
  violation(what);
}

void PusherPeer::on_text(std::string_view text) {
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

void PusherPeer::on_own_message(const Message& message) {
  if (message.event == "pusher:pong") return on_pong();
  if (message.event == "pusher:error") return on_error(message);
  if (message.event != "pusher:connection_established") {
    return on_violation("unexpected " + std::string(message.text.substr(0, 200)));
  }
  const std::optional<dom::element> inner = inner_parser().parse_copy(message.data);
  std::string_view id;
  if (!inner || (*inner)["socket_id"].get(id) != simdjson::SUCCESS) return on_violation("no socket_id");
  set_socket_id(id);
}

void PusherPeer::on_pong() {
  if (barriers_.empty()) return on_violation("a pusher:pong nobody asked for");
  const int64_t left = barriers_.front();
  barriers_.pop_front();
  if (left == kNoChannel) return;
  left_channel(static_cast<uint32_t>(left));
}

void PusherPeer::on_error(const Message& message) {
  std::string_view reason;
  if (message.object["data"]["reason"].get(reason) != simdjson::SUCCESS) reason = "";
  if (reason == "client_event_not_subscribed" && rogues_due_ > 0) {
    --rogues_due_;
  } else if (reason == "client_event_over_capacity" || leaving()) {
    // The ledger knows whether this may happen: the event is missing then.
  } else {
    on_violation("refused: " + std::string(message.text.substr(0, 300)));
  }
}

void PusherPeer::on_channel_message(const Message& message, uint32_t channel, Epoch& epoch) {
  if (epoch.cached_due) {
    epoch.cached_due = false;
    if (message.event == "pusher:cache_miss") {
      epoch.cached = 0;
    } else {
      const Text text = unwrap(message.data);
      epoch.cached = check_cached(text.content, text.wrapped);
    }
    return;
  }
  if (message.event == "pusher_internal:subscription_succeeded") return on_succeeded(message, epoch);
  if (message.event == "pusher:subscription_error") return on_refused(message, channel, epoch);
  if (epoch.joined_tick == 0) {
    return on_violation("before subscription_succeeded: " + std::string(message.text.substr(0, 200)));
  }
  if (message.event == "e" || message.event == "client-e") {
    const Text text = unwrap(message.data);
    const std::string_view user = string_member(message.object, "user_id").value_or("");
    return take_event(epoch, message.event, text.content, Details{.wrapped = text.wrapped, .user = user_of(user)});
  }
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

void PusherPeer::on_succeeded(const Message& message, Epoch& epoch) {
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
  on_joined(epoch, std::move(members));
}

void PusherPeer::on_refused(const Message& message, uint32_t channel, Epoch& epoch) {
  std::string_view reason;
  if (message.object["data"]["reason"].get(reason) != simdjson::SUCCESS || reason != "presence_channel_full" ||
      epoch.joined_tick != 0) {
    return on_violation("subscription refused: " + std::string(message.text));
  }
  refused(channel, epoch);
}

}  // namespace kilat::stress
