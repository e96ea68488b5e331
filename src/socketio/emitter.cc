#include "socketio/emitter.h"

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include "base/json_raw.h"
#include "base/json_text.h"
#include "base/memory_reserve.h"
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr uint64_t kGraceMs = 1'000;  ///< late acknowledgements still find their request

std::string socket_json(Socket& socket, const Shard& shard) {
  std::string json = R"({"id":)" + json_string(socket.id()) + R"(,"rooms":[)";
  for (const hub::Subscription& subscription : socket.subscriptions()) {
    if (!subscription.reads() || subscription.channel->kind.user()) continue;
    if (json.back() != '[') json += ',';
    append_json_string(json, room_of(subscription.channel->name, socket.nsp().scope));
  }
  json += "]";
  if (!socket.user_id().empty()) json += R"(,"user_id":)" + json_string(socket.user_id());
  json += R"(,"transport":)";
  json += socket.session()->polls() ? R"("polling")" : R"("websocket")";
  json += R"(,"address":)" + json_string(socket.session()->client().address) + R"(,"connected_ms":)";
  append_json_number(json, shard.now_ms - socket.opened_ms());
  json += '}';
  return json;
}

}  // namespace

Emitter::~Emitter() = default;

void Emitter::answer(uint64_t ticket, std::string json) {
  shard_.host.answer(ticket, {.status = 200, .content_type = kJson, .body = std::move(json)});
}

hub::ShardIndex Emitter::origin_of(uint64_t ack_id) const {
  return static_cast<hub::ShardIndex>(ack_id % shard_.host.shards());
}

void Emitter::on_letter(hub::ShardIndex from, LetterBody& body) {
  if (auto* order = std::get_if<BroadcastOrder>(&body)) return broadcast(*order->broadcast);
  if (auto* order = std::get_if<OperationOrder>(&body)) {
    OperationReply reply;
    try {
      reply = carry_out(*order->operation);
    } catch (const std::bad_alloc&) {
      reply = {};
      reply.failed = true;
    }
    reply.id = order->id;
    // Whoever asked waits for it.
    const memory::MustSucceed answering;
    return shard_.hub.post(from, std::make_unique<Letter>(std::move(reply)));
  }
  if (auto* reply = std::get_if<OperationReply>(&body)) return on_reply(*reply);
  if (auto* acknowledged = std::get_if<Acknowledged>(&body)) {
    return settle(acknowledged->ack_id, std::move(acknowledged->json));
  }
  if (const auto* asked = std::get_if<Asked>(&body)) {
    const auto found = gatherings_.find(asked->ack_id);
    if (found == gatherings_.end()) return;
    found->second->asked += asked->count;
    --found->second->shards_awaited;
    finish(*found->second);
  }
}

// --- who is meant

std::vector<Socket*> Emitter::select(const Selection& selection) {
  const Namespace& nsp = shard_.options.namespaces[selection.nsp];
  std::vector<Socket*> chosen;
  const auto add_readers = [&](std::string_view channel) {
    const hub::LocalChannel* local = shard_.hub.local().find(nsp.app, channel);
    if (local == nullptr) return;
    for (const auto& readers : local->readers) {
      for (const hub::Reader& reader : readers) {
        if (!is_socket(*reader.subscriber)) break;
        auto* socket = static_cast<Socket*>(reader.subscriber);
        if (&socket->nsp() == &nsp) chosen.push_back(socket);
      }
    }
  };
  if (selection.everybody) chosen = shard_.sockets(nsp);
  for (const std::string& channel : selection.channels) add_readers(channel);
  for (const std::string& user : selection.users) add_readers(std::string(hub::kUserChannelPrefix) + user);
  for (const hub::SocketId id : selection.sockets) {
    if (id.place != shard_.host.place()) continue;
    hub::Subscriber* subscriber = shard_.hub.local().at_slot(static_cast<uint32_t>(id.random >> 32));
    if (subscriber == nullptr || !is_socket(*subscriber) || subscriber->socket_id() != id) continue;
    auto* socket = static_cast<Socket*>(subscriber);
    if (&socket->nsp() == &nsp && socket->listed()) chosen.push_back(socket);
  }
  std::ranges::sort(chosen);
  const auto twice = std::ranges::unique(chosen);
  chosen.erase(twice.begin(), twice.end());
  std::erase_if(chosen, [&](const Socket* socket) { return selection.except.cover(*socket); });
  return chosen;
}

// --- events

void Emitter::broadcast(const Broadcast& order) {
  std::vector<Socket*> chosen = select(order.to);
  if (order.carried_for) {
    std::erase_if(chosen, [&](const Socket* socket) { return order.carried_for->carries_to(*socket); });
  }
  if (order.ack_id == 0) {
    for (Socket* socket : chosen) socket->deliver(*order.publication, order.is_volatile);
    return deliver_to_pusher(order);
  }
  auto unanswered = std::make_unique<Unanswered>();
  unanswered->emitter = this;
  unanswered->id = order.ack_id;
  unanswered->origin = origin_of(order.ack_id);
  for (Socket* socket : chosen) {
    if (socket->session() == nullptr) continue;
    socket->ask(*order.publication, order.ack_id);
    unanswered->sockets.push_back(socket->socket_id());
  }
  const uint64_t count = unanswered->sockets.size();
  const hub::ShardIndex origin = unanswered->origin;
  if (count > 0) {
    shard_.wheel.schedule(*unanswered, order.ack_until_ms + kGraceMs);
    unanswered_.emplace(order.ack_id, std::move(unanswered));
  }
  shard_.hub.post(origin, std::make_unique<Letter>(Asked{order.ack_id, count}));
}

// Pusher clients know their channels, so each of them gets the event once for each channel that it reads.
void Emitter::deliver_to_pusher(const Broadcast& order) {
  const Namespace& nsp = shard_.options.namespaces[order.to.nsp];
  for (const hub::PublicationPtr& publication : order.channel_publications) {
    const hub::LocalChannel* local = shard_.hub.local().find(nsp.app, publication->channel());
    if (local == nullptr) continue;
    for (const auto& readers : local->readers) {
      for (const hub::Reader& reader : readers) {
        if (is_socket(*reader.subscriber)) break;
        if (!order.to.except.cover(*reader.subscriber)) shard_.hub.local().deliver_to_reader(reader, *publication);
      }
    }
  }
}

// --- acknowledgements

void Emitter::on_ack(Socket& socket, uint64_t id, std::string_view payload, std::span<const std::string> attachments) {
  const auto found = unanswered_.find(id);
  if (found == unanswered_.end() || std::erase(found->second->sockets, socket.socket_id()) == 0) return;
  const hub::ShardIndex origin = found->second->origin;
  if (found->second->sockets.empty()) unanswered_.erase(found);
  const std::vector<std::string_view> arguments = raw_elements(payload);
  std::string json = arguments.empty() ? "null" : std::string(arguments.front());
  if (!attachments.empty()) {
    const std::vector<std::string_view> views(attachments.begin(), attachments.end());
    json = shard_.parser.put_binary(json, views);
  }
  shard_.hub.post(origin, std::make_unique<Letter>(Acknowledged{id, std::move(json)}));
}

void Emitter::forget(Socket& socket) {
  for (auto& [id, unanswered] : unanswered_) {
    if (std::erase(unanswered->sockets, socket.socket_id()) == 0) continue;
    shard_.hub.post(unanswered->origin, std::make_unique<Letter>(Acknowledged{id, std::nullopt}));
  }
}

void Emitter::Unanswered::on_timer(Timer& timer) {
  auto& unanswered = static_cast<Unanswered&>(timer);
  unanswered.emitter->unanswered_.erase(uint64_t{unanswered.id});
}

void Emitter::settle(uint64_t id, std::optional<std::string> ack) {
  const auto found = gatherings_.find(id);
  if (found == gatherings_.end()) return;
  ++found->second->settled;
  if (ack) found->second->acks.push_back(std::move(*ack));
  finish(*found->second);
}

void Emitter::Gathering::on_timer(Timer& timer) {
  const memory::MustSucceed answering;
  auto& gathering = static_cast<Gathering&>(timer);
  gathering.shards_awaited = 0;
  gathering.settled = gathering.asked;
  gathering.emitter->finish(gathering);
}

void Emitter::finish(Gathering& gathering) {
  if (gathering.shards_awaited > 0 || gathering.settled < gathering.asked) return;
  if (gathering.done) {
    const std::unique_ptr<Gathering> whole = std::move(gatherings_.extract(uint64_t{gathering.id}).mapped());
    return whole->done(std::move(whole->acks), whole->asked);
  }
  std::string json = R"({"acks":[)";
  for (const std::string& ack : gathering.acks) {
    if (json.back() != '[') json += ',';
    json += ack;
  }
  json += R"(],"asked":)";
  append_json_number(json, gathering.asked);
  json += R"(,"answered":)";
  append_json_number(json, gathering.acks.size());
  json += '}';
  const uint64_t ticket = gathering.ticket;
  gatherings_.erase(uint64_t{gathering.id});
  answer(ticket, std::move(json));
}

// --- operations

void Emitter::start(Operation operation, Waiting waiting) {
  const uint64_t id = ++last_id_;
  waiting.kind = operation.kind;
  waiting.user_state = operation.user_state;
  waiting.shards_awaited = shard_.host.shards();
  waiting_.emplace(id, std::move(waiting));
  try {
    const auto shared = std::make_shared<const Operation>(std::move(operation));
    send_everywhere(OperationOrder{id, shared});
  } catch (const std::bad_alloc&) {
    waiting_.erase(id);
    throw;
  }
}

OperationReply Emitter::carry_out(const Operation& operation) {
  OperationReply reply;
  if (operation.user_state) {
    // Whoever has signed in as the user, by either protocol.
    for (const std::string& user : operation.to.users) {
      const hub::AppIndex app = shard_.options.namespaces[operation.to.nsp].app;
      const hub::LocalChannel* local = shard_.hub.local().find(app, std::string(hub::kUserChannelPrefix) + user);
      if (local == nullptr) continue;
      for (const auto& readers : local->readers) reply.count += readers.size();
    }
    return reply;
  }
  const std::vector<Socket*> chosen = select(operation.to);
  std::map<std::string, uint64_t> rooms;
  for (Socket* socket : chosen) {
    if (socket->session() == nullptr && operation.kind != Operation::Kind::kDisconnect) continue;
    ++reply.count;
    switch (operation.kind) {
      case Operation::Kind::kJoin:
        for (const std::string& channel : operation.channels) socket->join_channel(channel);
        break;
      case Operation::Kind::kLeave:
        for (const std::string& channel : operation.channels) socket->leave_channel(channel);
        break;
      case Operation::Kind::kDisconnect: socket->disconnect(operation.close); break;
      case Operation::Kind::kSockets:
        if (reply.sockets.size() < kListedMax) reply.sockets.push_back(socket_json(*socket, shard_));
        break;
      case Operation::Kind::kRooms:
        for (const hub::Subscription& subscription : socket->subscriptions()) {
          if (!subscription.reads() || subscription.channel->kind.user()) continue;
          ++rooms[room_of(subscription.channel->name, socket->nsp().scope)];
        }
        break;
      case Operation::Kind::kCount: break;
    }
  }
  for (const auto& [room, count] : rooms) reply.rooms.push_back({room, count});
  return reply;
}

void Emitter::on_reply(OperationReply& reply) {
  const auto found = waiting_.find(reply.id);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  waiting.gathered.count += reply.count;
  waiting.gathered.failed |= reply.failed;
  try {
    std::ranges::move(reply.sockets, std::back_inserter(waiting.gathered.sockets));
    std::ranges::move(reply.rooms, std::back_inserter(waiting.gathered.rooms));
  } catch (const std::bad_alloc&) {
    waiting.gathered.failed = true;
  }
  if (--waiting.shards_awaited > 0) return;
  Waiting whole = std::move(waiting);
  waiting_.erase(found);
  if (whole.done) return whole.done(whole.gathered);
  try {
    if (!whole.gathered.failed) return answer(whole.ticket, json_of(whole));
  } catch (const std::bad_alloc&) {
    whole.gathered.failed = true;
  }
  const memory::MustSucceed refusing;
  whole.gathered = {};
  shard_.host.refuse(whole.ticket, Reason::kMemoryBudget);
}

std::string Emitter::json_of(const Waiting& waiting) {
  const OperationReply& all = waiting.gathered;
  std::string json;
  switch (waiting.kind) {
    case Operation::Kind::kCount:
      if (waiting.user_state) {
        json = all.count > 0 ? R"({"online":true,"sockets":)" : R"({"online":false,"sockets":)";
      } else {
        json = waiting.before.empty() ? R"({"connected":)" : waiting.before;
      }
      append_json_number(json, all.count);
      return json + (waiting.behind.empty() ? "}" : waiting.behind);
    case Operation::Kind::kSockets:
      json = R"({"sockets":[)";
      for (size_t i = 0; i < std::min(all.sockets.size(), kListedMax); ++i) {
        if (i > 0) json += ',';
        json += all.sockets[i];
      }
      return json + "]}";
    case Operation::Kind::kRooms: {
      std::map<std::string_view, uint64_t> rooms;
      for (const RoomCount& room : all.rooms) rooms[room.room] += room.sockets;
      json = R"({"rooms":{)";
      for (const auto& [room, count] : rooms) {
        if (json.back() != '{') json += ',';
        append_json_string(json, room);
        json += ':';
        append_json_number(json, count);
      }
      return json + "}}";
    }
    default:
      json = R"({"sockets":)";
      append_json_number(json, all.count);
      return json + "}";
  }
}

}  // namespace kilat::socketio
