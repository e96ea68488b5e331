// The packets of Socket.IO protocol 5 inside the messages of Engine.IO: text in, parts out; strict. Pure functions; any
// thread. Views point into the text. https://github.com/socketio/socket.io-protocol
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "net/frame.h"

namespace kilat::socketio {

struct Packet {
  enum class Type : uint8_t { kConnect, kDisconnect, kEvent, kAck, kConnectError, kBinaryEvent, kBinaryAck };
  Type type = Type::kEvent;
  uint32_t attachments = 0;  ///< binary messages that follow
  std::string_view nsp = "/";
  std::optional<uint64_t> id;
  std::string_view payload;  ///< JSON text, not checked; empty when there is none

  bool binary() const { return type == Type::kBinaryEvent || type == Type::kBinaryAck; }
};

inline constexpr size_t kNamespaceBytesMax = 128;

/// Takes `text` (without the Engine.IO type) apart. kNone, or why it is no packet: kSioPacketInvalid,
/// kSioTooManyAttachments.
Reason parse_packet(std::string_view text, uint32_t attachments_max, Packet& out);

// --- WebSocket frames with one packet each, which are also what a polling session queues

/// A text message of Engine.IO: `text` begins with its type.
net::FramePtr text_message(std::string_view text);
net::FramePtr ping_message();
net::FramePtr noop_message();
net::FramePtr probe_answer();

/// The beginning of a Socket.IO packet: type, count of attachments, namespace, id.
std::string packet_head(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id = {},
                        uint32_t attachments = 0);

/// `packet_head` and `json`.
net::FramePtr packet_message(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id,
                             std::string_view json);

/// The same with attachments behind it, in one frame; of a binary type when there are any.
net::FramePtr packet_message(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id, std::string_view json,
                             std::span<const std::string> attachments);

}  // namespace kilat::socketio
