// Whether what a client received are packets that it can take: types, JSON, and as many attachments as were announced.
// For fuzz targets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_parser.h"
#include "socketio/packet.h"

namespace kilat::socketio::testing {

/// Reads the packets of one client in their order.
class PacketCheck {
 public:
  /// A message as testing::Client writes it down: text, or `b` and base64.
  bool take(std::string_view text) {
    if (text.empty()) return false;
    if (text.front() == 'b') return awaited_ > 0 && awaited_-- > 0;
    if (awaited_ > 0) return text == "2";  // a ping may not come between either, but nothing is said against it
    if (text.front() != '4') return text == "2" || text == "6" || text == "3probe" || text.starts_with("0{");
    Packet packet;
    if (parse_packet(text.substr(1), 10, packet) != Reason::kNone) return false;
    awaited_ = packet.attachments;
    if (packet.type == Packet::Type::kDisconnect) return packet.payload.empty();
    const auto document = parser_.parse_copy(packet.payload);
    const bool object = packet.type == Packet::Type::kConnect || packet.type == Packet::Type::kConnectError;
    if (!document || (object ? !document->is_object() : !document->is_array())) return false;
    if (packet.type != Packet::Type::kEvent && packet.type != Packet::Type::kBinaryEvent) return true;
    simdjson::dom::array list;
    std::string_view name;
    if (document->get(list) != simdjson::SUCCESS || list.at(0).get(name) != simdjson::SUCCESS) return false;
    return name != "connect" && name != "connect_error" && name != "disconnect" && name != "disconnecting" &&
           name != "newListener" && name != "removeListener";
  }
  bool complete() const { return awaited_ == 0; }
  bool is_json(std::string_view text) { return parser_.parse_copy(text).has_value(); }

 private:
  JsonParser parser_;
  uint32_t awaited_ = 0;
};

}  // namespace kilat::socketio::testing
