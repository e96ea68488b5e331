#include "socketio/packet.h"

#include "base/json_text.h"
#include "ws/frame.h"
#include "ws/utf8.h"

namespace kilat::socketio {
namespace {

/// As many digits as a double holds exactly, which is what other clients count in.
constexpr size_t kIdDigitsMax = 15;
constexpr size_t kCountDigitsMax = 6;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front of `text`.
std::string_view take_digits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

uint64_t value_of(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<uint64_t>(c - '0');
  return value;
}

Reason take_attachments(std::string_view& text, uint32_t max, Packet& out) {
  const std::string_view digits = take_digits(text);
  if (digits.empty() || text.empty() || text.front() != '-') return Reason::kSioPacketInvalid;
  text.remove_prefix(1);
  if (digits.size() > kCountDigitsMax || value_of(digits) > max) return Reason::kSioTooManyAttachments;
  out.attachments = static_cast<uint32_t>(value_of(digits));
  return out.attachments > 0 ? Reason::kNone : Reason::kSioPacketInvalid;
}

}  // namespace

Reason parse_packet(std::string_view text, uint32_t attachments_max, Packet& out) {
  out = {};
  if (text.empty() || text.front() < '0' || text.front() > '6') return Reason::kSioPacketInvalid;
  out.type = static_cast<Packet::Type>(text.front() - '0');
  text.remove_prefix(1);
  if (out.binary()) {
    const Reason reason = take_attachments(text, attachments_max, out);
    if (reason != Reason::kNone) return reason;
  }
  if (text.starts_with('/')) {
    const size_t comma = text.find(',');
    out.nsp = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    // The body of a POST is checked nowhere else, and the name is sent back.
    if (out.nsp.size() > kNamespaceBytesMax || !ws::is_utf8(out.nsp)) return Reason::kSioPacketInvalid;
  }
  const std::string_view id = take_digits(text);
  if (id.size() > kIdDigitsMax) return Reason::kSioPacketInvalid;
  if (!id.empty()) out.id = value_of(id);
  // A payload is an object or a list; whatever else stands here is no JSON that a packet may carry.
  if (!text.empty() && text.front() != '[' && text.front() != '{') return Reason::kSioPacketInvalid;
  out.payload = text;
  return Reason::kNone;
}

net::FramePtr text_message(std::string_view text) {
  char header[ws::kFrameHeaderMax];
  const size_t size = ws::encode_frame_header(header, ws::Opcode::kText, text.size());
  return net::FramePtr::make({header, size}, text);
}

net::FramePtr ping_message() {
  static const net::FramePtr kFrame = text_message("2");
  return kFrame;
}

net::FramePtr noop_message() {
  static const net::FramePtr kFrame = text_message("6");
  return kFrame;
}

net::FramePtr probe_answer() {
  static const net::FramePtr kFrame = text_message("3probe");
  return kFrame;
}

std::string packet_head(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id, uint32_t attachments) {
  std::string head = "4";
  head += static_cast<char>('0' + static_cast<int>(type));
  if (attachments > 0) {
    append_json_number(head, attachments);
    head += '-';
  }
  if (nsp != "/") {
    head += nsp;
    head += ',';
  }
  if (id) append_json_number(head, *id);
  return head;
}

net::FramePtr packet_message(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id,
                             std::string_view json) {
  std::string text = packet_head(type, nsp, id);
  text += json;
  return text_message(text);
}

net::FramePtr packet_message(Packet::Type type, std::string_view nsp, std::optional<uint64_t> id, std::string_view json,
                             std::span<const std::string> attachments) {
  if (attachments.empty()) return packet_message(type, nsp, id, json);
  const auto binary = type == Packet::Type::kAck ? Packet::Type::kBinaryAck : Packet::Type::kBinaryEvent;
  std::string text = packet_head(binary, nsp, id, static_cast<uint32_t>(attachments.size()));
  text += json;
  std::string bytes = ws::encode_frame(ws::Opcode::kText, text);
  for (const std::string& attachment : attachments) bytes += ws::encode_frame(ws::Opcode::kBinary, attachment);
  return net::FramePtr::make(bytes);
}

}  // namespace kilat::socketio
