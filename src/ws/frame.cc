#include "ws/frame.h"

#include <cstring>

#include "ws/mask.h"

namespace kilat::ws {
namespace {

constexpr uint8_t kFinBit = 0x80;
constexpr uint8_t kRsv1Bit = 0x40;
constexpr uint8_t kMaskBit = 0x80;

void put_big_endian(char* out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
}

// The reason up to the last character that fits: a cut character would make the frame invalid.
std::string_view cut_reason(std::string_view reason) {
  if (reason.size() <= kCloseReasonMax) return reason;
  size_t end = kCloseReasonMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0) == 0x80) --end;
  return reason.substr(0, end);
}

}  // namespace

size_t encode_frame_header(char* out, Opcode opcode, uint64_t payload_size, bool rsv1, bool fin) {
  out[0] = static_cast<char>((fin ? kFinBit : 0) | (rsv1 ? kRsv1Bit : 0) | static_cast<uint8_t>(opcode));
  if (payload_size < 126) {
    out[1] = static_cast<char>(payload_size);
    return 2;
  }
  if (payload_size <= 0xffff) {
    out[1] = 126;
    put_big_endian(out + 2, payload_size, 2);
    return 4;
  }
  out[1] = 127;
  put_big_endian(out + 2, payload_size, 8);
  return 10;
}

std::string encode_frame(Opcode opcode, std::string_view payload) {
  char header[kFrameHeaderMax];
  const size_t size = encode_frame_header(header, opcode, payload.size());
  std::string frame;
  frame.reserve(size + payload.size());
  frame.append(header, size);
  frame.append(payload);
  return frame;
}

std::string encode_close(uint16_t code, std::string_view reason) {
  if (!close_code_allowed(code)) return encode_frame(Opcode::kClose, {});
  char payload[kControlPayloadMax];
  put_big_endian(payload, code, 2);
  const std::string_view text = cut_reason(reason);
  text.copy(payload + 2, text.size());
  return encode_frame(Opcode::kClose, {payload, text.size() + 2});
}

bool close_code_allowed(uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

std::string encode_masked_frame(Opcode opcode, std::string_view payload, uint32_t mask, bool rsv1, bool fin) {
  char header[kMaskedFrameHeaderMax];
  size_t size = encode_frame_header(header, opcode, payload.size(), rsv1, fin);
  header[1] = static_cast<char>(header[1] | kMaskBit);
  std::memcpy(header + size, &mask, sizeof(mask));
  size += sizeof(mask);
  std::string frame;
  frame.reserve(size + payload.size());
  frame.append(header, size);
  frame.append(payload);
  apply_mask({frame.data() + size, payload.size()}, mask);
  return frame;
}

}  // namespace kilat::ws
