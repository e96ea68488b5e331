// What `socketio.protocol_suite` turns on: the server that the official protocol tests, and load tools, want to talk
// to.
#include "socketio/session.h"
#include "socketio/socket.h"

namespace kilat::socketio {

// The server that the official protocol tests want to talk to.
void Socket::echo(const EventContent& event, const Packet& packet, std::span<const std::string> attachments) {
  const bool asks = event.name == "message-with-ack" && packet.id.has_value();
  if (!asks && event.name != "message") {
    if (!on_load_event(event, packet.id)) on_built_in(event, packet.id, attachments);
    return;
  }
  std::string text = asks ? "[" : R"(["message-back")";
  for (const std::string_view argument : event.arguments) {
    if (text.back() != '[') text += ',';
    text += argument;
  }
  text += ']';
  if (asks) return acknowledge(*packet.id, text, attachments);
  send(session_->link_frame(packet_message(Packet::Type::kEvent, nsp_.name, {}, text, attachments)));
}

// `sub(room)` and `pub(room, data)`: everybody in the room, the sender included, gets `msg(data)`.
bool Socket::on_load_event(const EventContent& event, std::optional<uint64_t> ack) {
  const bool publishes = event.name == "pub" && event.arguments.size() == 2;
  if (!publishes && (event.name != "sub" || event.arguments.empty())) return false;
  if (!publishes) {
    subscribe(event.arguments.front(), ack);
    return true;
  }
  const std::optional<Request> request = shard_.parser.parse_request(event.arguments.front());
  if (!request || request->channel.empty()) return false;
  const std::string_view data = event.arguments[1];
  const std::string list = '[' + std::string(data) + ']';
  const std::string packet = pack(list, {});
  const std::string channel = channel_of(request->channel, nsp_.scope);
  shard_.hub.publish(hub::Publication::make(
      {.from_client = true, .app = nsp_.app, .channel = channel, .event = "msg", .data = data, .packet = packet}));
  return true;
}

}  // namespace kilat::socketio
