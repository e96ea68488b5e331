// Socket.IO sessions: over a WebSocket, over long-polling, from one to the other, and the emit API.
#include <array>
#include <string>
#include <utility>

#include "auth/hmac.h"
#include "base/json_text.h"
#include "faults/scenario.h"

namespace kilat::faults {
namespace {

constexpr std::string_view kPath = "/socket.io/?EIO=4&transport=";

std::string after(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const size_t start = at + mark.size();
  return std::string(text.substr(start, text.find('"', start) - start));
}

std::string websocket_request(std::string_view sid = {}, std::string_view headers = {}) {
  std::string request = "GET " + std::string(kPath) + "websocket";
  if (!sid.empty()) request.append("&sid=").append(sid);
  request +=
      " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  return request.append(headers).append("\r\n");
}

/// `auth` of docs/socketio.md, for the socket `id`.
std::string subscription(const std::string& id, std::string_view room, std::string_view member = {}) {
  std::string text = id + ":" + std::string(room);
  std::string json = R"({"channel":)" + json_string(room);
  if (!member.empty()) {
    text.append(":").append(member);
    json += R"(,"channel_data":)" + json_string(member);
  }
  return json + R"(,"auth":)" + json_string("app-key:" + auth::hmac_sha256_hex(fake_net::kSecret, text)) + "}";
}

/// A Socket.IO client over a WebSocket of its own, and the id of its socket in `/`.
class SocketIo {
 public:
  SocketIo(World& world, uint32_t shard, std::string_view headers = {}) : client(world, shard) {
    client.send(websocket_request({}, headers));
    world.settle();
    client.say("40");
    world.settle();
    for (const std::string& text : client.read()) {
      if (text.starts_with("40{")) id = after(text, R"("sid":")");
    }
  }

  Client client;
  std::string id;
};

/// A Socket.IO client over long-polling: polls on one connection, posts on another, perhaps of another shard.
class Polling {
 public:
  Polling(World& world, uint32_t get_shard, uint32_t post_shard)
      : world_(world), get_(world, get_shard), post_(world, post_shard) {
    ask();
    sid = after(take(), R"("sid":")");
    post("40");
    poll();
    id = after(take(), R"(40{"sid":")");
  }

  /// Asks for more, unless a poll waits already, or there is no session.
  void poll() {
    take();
    if (!sid.empty() && get_.answers(200) == polls_) ask();
    take();
  }
  /// What has come for the poll that waits.
  const std::string& take() { return get_.bytes(); }
  void post(std::string_view body) {
    if (sid.empty()) return;
    post_.send("POST " + target() + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + std::string(body));
    world_.settle();
  }
  bool heard(std::string_view text) { return take().find(text) != std::string::npos; }
  Client& get_connection() { return get_; }

  std::string sid;
  std::string id;

 private:
  void ask() {
    ++polls_;
    get_.send("GET " + target() + " HTTP/1.1\r\nHost: x\r\n\r\n");
    world_.settle();
  }
  std::string target() const { return std::string(kPath) + "polling" + (sid.empty() ? "" : "&sid=" + sid); }

  World& world_;
  Client get_;
  Client post_;
  int polls_ = 0;
};

bool websocket_session(World& world) {
  const std::string here = channel_on(world, 0);
  const std::string there = channel_on(world, 1, "private-");
  SocketIo reader(world, 0);
  reader.client.say(R"(421["subscribe",)" + json_string(here) + "]");
  reader.client.say(R"(422["subscribe",)" + subscription(reader.id, there) + "]");
  world.settle();
  Client publisher(world, 1);
  publisher.publish(here, "to-here");
  publisher.publish(there, "to-there");
  world.settle();
  reader.client.say(R"(423["unsubscribe",)" + json_string(here) + "]");
  world.settle();
  const bool left = reader.client.heard(R"(433[{"ok":true}])");
  reader.client.say("41");
  reader.client.send(fake_net::close_frame(1000));
  world.settle();
  return left && reader.client.heard("to-here") && reader.client.heard("to-there");
}

bool presence_of_both_protocols(World& world) {
  const std::string room = channel_on(world, 1, "presence-");
  Client pusher = connected(world, 1);
  pusher.subscribe(room, R"({"user_id":"p"})");
  world.settle();
  SocketIo reader(world, 0);
  reader.client.say(R"(421["subscribe",)" + subscription(reader.id, room, R"({"user_id":"s","user_info":{"n":1}})") +
                    "]");
  world.settle();
  pusher.client_event(room, "from-pusher");
  reader.client.say(R"(422["publish",{"channel":)" + json_string(room) + R"(,"event":"client-e","data":"from-io"}])");
  world.settle();
  const bool joined = reader.client.heard(R"("me":"s")") && pusher.heard("member_added");
  reader.client.peer().close();
  world.settle();
  return joined && reader.client.heard("from-pusher") && pusher.heard("from-io") && pusher.heard("member_removed");
}

bool cached_event(World& world) {
  const std::string room = channel_on(world, 1, "cache-");
  Client publisher(world, 0);
  publisher.publish(room, "kept");
  world.settle();
  SocketIo reader(world, 0);
  reader.client.say(R"(42["subscribe",)" + json_string(room) + "]");
  world.settle();
  return reader.client.heard("kept");
}

bool signed_in_and_kicked(World& world) {
  SocketIo client(world, 0);
  const std::string user = R"({"id":"7"})";
  const std::string auth = "app-key:" + auth::hmac_sha256_hex(fake_net::kSecret, client.id + "::user::" + user);
  client.client.say(R"(421["signin",{"auth":)" + json_string(auth) + R"(,"user_data":)" + json_string(user) + "}]");
  world.settle();
  Client backend(world, 1);
  backend.request("POST", "/apps/3/users/7/terminate_connections", "{}");
  world.pass(500);
  return client.client.heard(R"(431[{"ok":true}])") && client.client.heard("41");
}

bool binary_event(World& world) {
  const std::string room = channel_on(world, 1, "private-");
  SocketIo sender(world, 0);
  SocketIo reader(world, 1);
  for (SocketIo* one : {&sender, &reader}) {
    one->client.say(R"(421["subscribe",)" + subscription(one->id, room) + "]");
  }
  world.settle();
  sender.client.say(R"(451-2["publish",{"channel":)" + json_string(room) +
                    R"(,"event":"client-b","data":{"_placeholder":true,"num":0}}])");
  sender.client.send(ws::encode_masked_frame(ws::Opcode::kBinary, "bytes", 7));
  world.settle();
  return sender.client.heard(R"(432[{"ok":true}])") && reader.client.heard("451-");
}

bool malformed_packets(World& world) {
  SocketIo broken(world, 0);
  broken.client.say("42[");
  SocketIo unknown(world, 1);
  unknown.client.say("40/nowhere,");
  world.settle();
  unknown.client.say("x");
  world.settle();
  return broken.client.heard("<close 1005>") && unknown.client.heard("Invalid namespace") &&
         unknown.client.heard("<close 1005>");
}

// The connections of one session come in on both shards, so its requests and answers travel as letters.
bool polling_over(World& world, uint32_t get_shard, uint32_t post_shard) {
  const std::string room = channel_on(world, 1, "private-");
  Polling session(world, get_shard, post_shard);
  if (session.id.empty()) return false;
  session.post(R"(421["subscribe",)" + subscription(session.id, room) + "]");
  session.poll();
  Client publisher(world, 1);
  publisher.publish(room, "first");
  world.settle();
  session.poll();
  publisher.publish(room, "second");
  publisher.publish(room, std::string(20'000, 'b'));
  world.settle();
  session.poll();
  const bool heard = session.heard("first") && session.heard("second") && session.heard("bbbb");
  session.poll();
  session.post(
      "41\x1e"
      "1");
  world.settle();
  return heard;
}

bool polling(World& world) {
  return polling_over(world, 0, 0);
}
bool polling_on_both_shards(World& world) {
  return polling_over(world, 0, 1);
}

bool polling_client_vanishes(World& world) {
  Polling session(world, 0, 1);
  if (session.id.empty()) return false;
  session.post(R"(421["subscribe",)" + json_string(channel_on(world, 1)) + "]");
  session.poll();
  session.poll();
  session.get_connection().peer().close();
  world.settle();
  Polling silent(world, 1, 1);
  world.pass(60'000);
  return session.heard(R"(431[{"ok":true}])") && !silent.id.empty();
}

bool upgrade_to_websocket(World& world) {
  const std::string room = channel_on(world, 1);
  Polling session(world, 0, 1);
  if (session.id.empty()) return false;
  session.post(R"(421["subscribe",)" + json_string(room) + "]");
  session.poll();
  session.poll();
  Client link(world, 1);
  link.send(websocket_request(session.sid));
  world.settle();
  link.say("2probe");
  world.pass(250);
  const bool probed = link.heard("3probe") && session.heard("\r\n\r\n6");
  Client publisher(world, 0);
  publisher.publish(room, "between");
  world.settle();
  link.say("5");
  world.settle();
  publisher.publish(room, "afterwards");
  world.settle();
  const bool heard = link.heard("between") && link.heard("afterwards");
  link.say("1");
  world.settle();
  return probed && heard;
}

bool upgrade_given_up(World& world) {
  Polling session(world, 0, 0);
  if (session.id.empty()) return false;
  session.poll();
  Client link(world, 1);
  link.send(websocket_request(session.sid));
  world.settle();
  link.say("2probe");
  world.settle();
  link.peer().close();
  world.settle();
  session.poll();
  session.post("1");
  world.settle();
  return link.heard("3probe");
}

bool heartbeat_stops(World& world) {
  SocketIo client(world, 0);
  client.client.say(R"(42["subscribe",)" + json_string(channel_on(world, 1)) + "]");
  world.pass(60'000);
  return client.client.heard("2") && client.client.heard("<close 1005>");
}

bool slow_reader(World& world) {
  SocketIo slow(world, 0);
  SocketIo quick(world, 1);
  slow.client.say(R"(42["subscribe","flood"])");
  quick.client.say(R"(42["subscribe","flood"])");
  world.settle();
  slow.client.peer().open_window(100);
  Client publisher(world, 1);
  for (int i = 0; i < 8; ++i) {
    publisher.publish("flood", std::string(12'000, static_cast<char>('a' + i)));
    world.settle();
  }
  slow.client.peer().open_window(fake_net::kUnlimited);
  world.pass(3'000);
  return quick.client.heard("hhhh") && slow.client.ended();
}

bool emits(World& world) {
  const std::string room = channel_on(world, 1);
  SocketIo here(world, 0);
  SocketIo there(world, 1);
  Polling polls(world, 0, 1);
  here.client.say(R"(42["subscribe",)" + json_string(room) + "]");
  there.client.say(R"(42["subscribe",)" + json_string(room) + "]");
  world.settle();
  Client backend(world, 0);
  const std::string rooms = R"("rooms":[)" + json_string(room) + "]";
  backend.request("POST", "/apps/3/socketio/emit", R"({"event":"e","args":["one"],)" + rooms + "}");
  backend.request("POST", "/apps/3/socketio/emit",
                  R"({"event":"e","args":["two",{"$binary":"AQID"}],"except":[)" + json_string(there.id) + "]}");
  world.settle();
  polls.poll();
  polls.post("1");
  return here.client.heard("one") && there.client.heard("one") && here.client.heard("two") &&
         !there.client.heard("two") && polls.heard("two") && backend.answers(200) == 2;
}

bool emit_with_acknowledgements(World& world) {
  SocketIo here(world, 0);
  SocketIo there(world, 1);
  Client backend(world, 0);
  backend.request("POST", "/apps/3/socketio/emit", R"({"event":"ask","args":[],"ack_timeout_ms":500})");
  world.settle();
  std::string asked;
  for (const std::string& text : here.client.read()) {
    if (text.starts_with("42") && text.ends_with(R"(["ask"])")) asked = text.substr(2, text.find('[') - 2);
  }
  here.client.say("43" + asked + R"(["yes"])");
  world.pass(1'000);
  return backend.bytes().find(R"("answered":1)") != std::string::npos;
}

bool orders_to_sockets(World& world) {
  SocketIo here(world, 0);
  SocketIo there(world, 1);
  Client backend(world, 0);
  const std::string& room = channel_on(world, 1);
  backend.request("POST", "/apps/3/socketio/join", R"({"to":[)" + json_string(room) + "]}");
  world.settle();
  backend.request("GET", "/apps/3/socketio/sockets", {}, "room=" + room);
  backend.request("GET", "/apps/3/socketio/rooms");
  backend.request("GET", "/apps/3/socketio/count");
  world.settle();
  backend.request("POST", "/apps/3/socketio/disconnect",
                  R"({"sockets":[)" + json_string(there.id) + R"(],"close":true})");
  world.settle();
  return backend.answers(200) == 5 && there.client.heard("<close 1005>");
}

bool half_closed(World& world) {
  SocketIo client(world, 0);
  Polling session(world, 1, 0);
  session.poll();
  client.client.say(R"(42["subscribe",)" + json_string(channel_on(world, 1)) + "]");
  world.settle();
  client.client.peer().half_close();
  session.post("1");
  world.settle();
  return !client.id.empty() && !session.id.empty();
}

constexpr auto kScenarios = std::to_array<Scenario>({
    {"WebSocketSession", websocket_session},
    {"PresenceOfBothProtocols", presence_of_both_protocols},
    {"CachedEvent", cached_event},
    {"SignedInAndKicked", signed_in_and_kicked},
    {"BinaryEvent", binary_event},
    {"MalformedPackets", malformed_packets},
    {"Polling", polling},
    {"PollingOnBothShards", polling_on_both_shards},
    {"PollingClientVanishes", polling_client_vanishes},
    {"UpgradeToWebSocket", upgrade_to_websocket},
    {"UpgradeGivenUp", upgrade_given_up},
    {"HeartbeatStops", heartbeat_stops},
    {"SlowReader", slow_reader},
    {"Emits", emits},
    {"EmitWithAcknowledgements", emit_with_acknowledgements},
    {"OrdersToSockets", orders_to_sockets},
    {"HalfClosed", half_closed},
});

}  // namespace

std::span<const Scenario> socketio_scenarios() {
  return kScenarios;
}

}  // namespace kilat::faults
