// The HTTP side of the emitter: from requests to orders.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/json_raw.h"
#include "base/json_text.h"
#include "base/memory_reserve.h"
#include "http/uri.h"
#include "hub/event_name.h"
#include "socketio/emit_body.h"
#include "socketio/emitter.h"

namespace kilat::socketio {

namespace {

constexpr std::string_view kTaken = "{}";
constexpr size_t kSelectedMax = 1'000;  ///< rooms, sockets or users of one request

EmitOutcome refused(Reason reason, std::string detail = {}) {
  return {.refused = reason, .detail = std::move(detail), .json = std::nullopt};
}

// Reads what a request is for; answers what is wrong with it, if anything is.
std::optional<std::string> read_selection(const EmitBody& body, const Namespace& nsp, Selection& to) {
  const auto rooms = body.texts("rooms");
  const auto sockets = body.texts("sockets");
  auto users = body.texts("users");
  const auto except = body.texts("except");
  if (!rooms || !sockets || !users || !except) return "rooms, sockets, users and except are lists of strings";
  if (std::max({rooms->size(), sockets->size(), users->size(), except->size()}) > kSelectedMax) {
    return "at most 1,000 rooms, sockets, users and exceptions";
  }
  for (const std::string& room : *rooms) to.channels.push_back(channel_of(room, nsp.scope));
  for (const std::string& text : *sockets) {
    if (const auto id = hub::SocketId::parse(text); id && *id) to.sockets.push_back(*id);
  }
  to.users = std::move(*users);
  for (const std::string& text : *except) {
    if (const auto id = hub::SocketId::parse(text)) {
      to.except.sockets.push_back(*id);
    } else {
      to.except.channels.push_back(channel_of(text, nsp.scope));
    }
  }
  to.everybody = !body.has("rooms") && !body.has("sockets") && !body.has("users");
  return std::nullopt;
}

std::optional<Operation::Kind> kind_of_action(std::string_view action) {
  if (action == "join") return Operation::Kind::kJoin;
  if (action == "leave") return Operation::Kind::kLeave;
  if (action == "disconnect") return Operation::Kind::kDisconnect;
  return std::nullopt;
}

}  // namespace

EmitOutcome Emitter::handle(const http::Request& request, std::string_view action, const hub::App& app,
                            uint64_t ticket) {
  const bool post = request.method() == http::Method::kPost;
  if (!post && request.method() != http::Method::kGet) return refused(Reason::kHttpMethodNotAllowed);
  const EmitBody body(post ? request.body() : std::string_view());
  if (!body.valid()) return refused(Reason::kApiBodyInvalid);
  const http::Query query(request.query());
  const std::string name =
      post ? body.text("namespace").value_or("/") : std::string(query.get("namespace").value_or("/"));
  const Namespace* nsp = shard_.find_namespace(name);
  if (nsp == nullptr || nsp->app != app.index) return refused(Reason::kSioNamespaceInvalid, name);
  if (full()) return refused(Reason::kApiOverCapacity);

  const auto index = static_cast<size_t>(nsp - shard_.options.namespaces.data());
  if (!post) {
    Operation operation;
    operation.to.nsp = index;
    operation.to.everybody = true;
    if (action == "count") return operate(std::move(operation), ticket);
    if (action == "rooms") {
      operation.kind = Operation::Kind::kRooms;
      return operate(std::move(operation), ticket);
    }
    if (action == "sockets") {
      operation.kind = Operation::Kind::kSockets;
      if (const auto room = query.get("room")) {
        operation.to.everybody = false;
        operation.to.channels.push_back(channel_of(*room, nsp->scope));
      }
      return operate(std::move(operation), ticket);
    }
    constexpr std::string_view kUsers = "users/";
    if (action.starts_with(kUsers)) {
      operation.to.everybody = false;
      operation.to.users.push_back(http::percent_decode(action.substr(kUsers.size())).value_or(std::string()));
      operation.user_state = true;
      return operate(std::move(operation), ticket);
    }
    return refused(Reason::kHttpNotFound);
  }
  if (action == "emit") return emit(body, app, *nsp, ticket);
  const std::optional<Operation::Kind> kind = kind_of_action(action);
  if (!kind) return refused(Reason::kHttpNotFound);
  Operation operation;
  operation.kind = *kind;
  operation.to.nsp = index;
  operation.close = body.flag("close");
  if (auto wrong = read_selection(body, *nsp, operation.to)) return refused(Reason::kApiBodyInvalid, *wrong);
  const auto rooms = body.texts("to");
  const bool moves = *kind != Operation::Kind::kDisconnect;
  if (!rooms || (moves && rooms->empty())) return refused(Reason::kApiBodyInvalid, "\"to\" is a list of rooms");
  for (const std::string& room : *rooms) {
    std::string channel = channel_of(room, nsp->scope);
    // A member of a presence room has an identity, which only its own subscription can give.
    if (!hub::valid_channel_name(channel, shard_.options.strict_channel_names) || hub::kind_of(channel).presence() ||
        hub::kind_of(channel).user() || channel.size() > app.settings.channel_name_max) {
      return refused(Reason::kApiChannelInvalid, room);
    }
    operation.channels.push_back(std::move(channel));
  }
  return operate(std::move(operation), ticket);
}

EmitOutcome Emitter::emit(const EmitBody& body, const hub::App& app, const Namespace& nsp, uint64_t ticket) {
  const std::optional<std::string> event = body.text("event");
  if (!event || event->size() > app.settings.event_name_max) return refused(Reason::kApiEventNameInvalid);
  if (hub::reserved_by_socketio(*event)) return refused(Reason::kEventNameReserved, *event);
  if (body.has("args") && !body.list("args")) return refused(Reason::kApiBodyInvalid, "\"args\" is a list");
  std::vector<std::string> bytes;
  const std::optional<std::string> list = shard_.parser.take_binary(body.list("args").value_or("[]"), bytes);
  if (!list) return refused(Reason::kApiBodyInvalid, "\"$binary\" is base64, and no placeholders stand beside it");
  // More would make every client close with a parse error.
  if (bytes.size() > 10) return refused(Reason::kSioTooManyAttachments);
  const std::vector<std::string_view> attachments(bytes.begin(), bytes.end());
  const std::string packet = pack(*list, attachments);
  if (packet.size() > app.settings.event_bytes_max) return refused(Reason::kApiDataTooBig);

  Selection to;
  to.nsp = static_cast<size_t>(&nsp - shard_.options.namespaces.data());
  if (auto wrong = read_selection(body, nsp, to)) return refused(Reason::kApiBodyInvalid, *wrong);
  for (const std::string& channel : to.channels) {
    if (!hub::valid_channel_name(channel, false)) return refused(Reason::kApiChannelInvalid, channel);
  }
  const Event emitted{.name = *event, .list = *list, .attachments = attachments, .is_volatile = body.flag("volatile")};
  const uint64_t ack_ms = std::min(body.number("ack_timeout_ms"), kAckMsMax);
  if (ack_ms == 0 && shard_.publishes.full()) return refused(Reason::kApiOverCapacity);
  const std::shared_ptr<Broadcast> order = prepare(emitted, packet, std::move(to), ack_ms > 0);
  if (ack_ms == 0) {
    const std::optional<Reason> known = send(order, [this, ticket](Reason reason) {
      if (reason != Reason::kNone) return shard_.host.refuse(ticket, reason);
      answer(ticket, std::string(kTaken));
    });
    if (!known) return {};
    if (*known != Reason::kNone) return refused(*known);
    return {.refused = Reason::kNone, .detail = {}, .json = std::string(kTaken)};
  }
  gather(order, ack_ms, ticket, {});
  return {};
}

std::shared_ptr<Broadcast> Emitter::prepare(const Event& event, std::string_view packet, Selection to, bool asks) {
  const Namespace& nsp = shard_.options.namespaces[to.nsp];
  auto order = std::make_shared<Broadcast>();
  order->to = std::move(to);
  // A room that is named twice is one room.
  std::ranges::sort(order->to.channels);
  const auto twice = std::ranges::unique(order->to.channels);
  order->to.channels.erase(twice.begin(), twice.end());
  order->is_volatile = event.is_volatile;
  // What asks, or is for whoever is ready now, is kept by nobody.
  if (!asks && !event.is_volatile) order->carried_for = take_carriers(nsp.app, order->to);
  const std::string readable =
      event.attachments.empty() ? std::string(event.list) : shard_.parser.put_binary(event.list, event.attachments);
  const std::vector<std::string_view> arguments = raw_elements(readable);
  hub::PublicationDraft draft{.app = nsp.app, .event = event.name, .packet = packet};
  const std::string data = json_string(arguments.size() == 1 ? arguments.front() : std::string_view(readable));
  draft.data = data;
  if (order->carried_for) {
    draft.audience = order->carried_for;
    for (const std::string& channel : order->carried_for->carriers()) {
      draft.channel = channel;
      order->carried.push_back(hub::Publication::make(draft));
    }
    draft.audience = {};
  }
  if (order->to.except.sockets.size() == 1) draft.exclude = order->to.except.sockets.front();
  for (const std::string& channel : order->to.channels) {
    draft.channel = channel;
    order->channel_publications.push_back(hub::Publication::make(draft));
  }
  draft.channel = {};
  order->publication =
      order->channel_publications.size() == 1 ? order->channel_publications.front() : hub::Publication::make(draft);
  return order;
}

// Takes the channels out of the selection that keep or fold their events, as their homes are to tell those; null when
// there is none, or when the event is for one channel and its home tells it anyway.
std::shared_ptr<const EmitAudience> Emitter::take_carriers(hub::AppIndex app, Selection& to) {
  if (to.channels.size() == 1 && to.sockets.empty() && to.users.empty() && to.except.empty()) return nullptr;
  struct Carrier {
    hub::Care care;
    std::string channel;
  };
  std::vector<Carrier> carriers;
  std::erase_if(to.channels, [&](std::string& channel) {
    const hub::Care care = shard_.hub.home().care_of(app, channel);
    if (care == hub::Care::kNone) return false;
    carriers.push_back({care, std::move(channel)});
    return true;
  });
  if (carriers.empty()) return nullptr;
  // The channel that keeps events longest tells those who read several, so that they miss nothing when they come back.
  std::ranges::sort(carriers, [](const Carrier& a, const Carrier& b) {
    return std::tie(b.care, a.channel) < std::tie(a.care, b.channel);
  });
  std::vector<std::string> channels;
  channels.reserve(carriers.size());
  for (Carrier& carrier : carriers) channels.push_back(std::move(carrier.channel));
  return std::make_shared<const EmitAudience>(std::move(channels), to.except);
}

std::optional<Reason> Emitter::send(const std::shared_ptr<Broadcast>& order, Publishes::Done done) {
  // One room is a channel, whose home gives the event its place in the order; it reaches both kinds of client.
  if (is_for_one_channel(*order)) return shard_.publishes.publish(std::span(&order->publication, 1), std::move(done));
  const Selection& to = order->to;
  const bool wide = to.everybody || !to.channels.empty() || !to.sockets.empty() || !to.users.empty();
  for (hub::ShardIndex shard = 0; wide && shard < shard_.host.shards(); ++shard) {
    if (!shard_.hub.has_room_at(shard)) return Reason::kApiOverCapacity;
  }
  std::optional<Reason> known = Reason::kNone;
  if (order->carried_for) {
    const hub::AppIndex app = shard_.options.namespaces[to.nsp].app;
    if (!shard_.hub.has_room_for(app, order->carried_for->carriers())) return Reason::kApiOverCapacity;
    known = shard_.publishes.publish(order->carried, std::move(done));
    if (known && *known != Reason::kNone) return known;
  }
  // What is published can't be taken back.
  const memory::MustSucceed sending;
  if (wide) send_everywhere(BroadcastOrder{order});
  return known;
}

void Emitter::gather(const std::shared_ptr<Broadcast>& order, uint64_t ack_ms, uint64_t ticket, Acks done) {
  order->ack_id = new_ack_id();
  order->ack_until_ms = shard_.now_ms + ack_ms;
  auto gathering = std::make_unique<Gathering>();
  gathering->emitter = this;
  gathering->id = order->ack_id;
  gathering->ticket = ticket;
  gathering->shards_awaited = shard_.host.shards();
  gathering->done = std::move(done);
  shard_.wheel.schedule(*gathering, order->ack_until_ms);
  gatherings_.emplace(order->ack_id, std::move(gathering));
  send_everywhere(BroadcastOrder{order});
}

Reason Emitter::emit(const Event& event, Selection to) {
  return send(prepare(event, pack(event.list, event.attachments), std::move(to), false), {}).value_or(Reason::kNone);
}

bool Emitter::ask(const Event& event, Selection to, uint64_t ack_ms, Acks acks) {
  if (full()) return false;
  gather(prepare(event, pack(event.list, event.attachments), std::move(to), true), std::min(ack_ms, kAckMsMax), 0,
         std::move(acks));
  return true;
}

bool Emitter::operate(Operation operation, Done done) {
  if (full()) return false;
  Waiting waiting;
  waiting.done = std::move(done);
  start(std::move(operation), std::move(waiting));
  return true;
}

bool Emitter::is_for_one_channel(const Broadcast& order) {
  const Selection& to = order.to;
  return to.channels.size() == 1 && to.sockets.empty() && to.users.empty() && to.except.channels.empty() &&
         to.except.sockets.size() <= 1 && !order.carried_for && !order.is_volatile;
}

EmitOutcome Emitter::operate(Operation operation, uint64_t ticket) {
  Waiting waiting;
  waiting.ticket = ticket;
  start(std::move(operation), std::move(waiting));
  return {};
}

void Emitter::ask_count(uint64_t ticket, std::string_view before, std::string_view behind) {
  Operation operation;
  operation.to.everybody = true;
  Waiting waiting;
  waiting.ticket = ticket;
  waiting.before = before;
  waiting.behind = behind;
  start(std::move(operation), std::move(waiting));
}

}  // namespace kilat::socketio
