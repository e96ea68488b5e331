// Writing WebSocket frames (RFC 6455 section 5.2), and the names of the parts that the Reader shares.
// Pure functions, no state; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kilat::ws {

enum class Opcode : uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

constexpr bool is_control(Opcode opcode) {
  return (static_cast<uint8_t>(opcode) & 0x8) != 0;
}

inline constexpr size_t kFrameHeaderMax = 10;        ///< bytes of the longest header without a mask
inline constexpr size_t kMaskedFrameHeaderMax = 14;  ///< bytes of the longest header with its mask
inline constexpr size_t kControlPayloadMax = 125;    ///< bytes, RFC 6455 section 5.5
inline constexpr size_t kCloseReasonMax = 123;       ///< bytes: a control payload less the code

inline constexpr uint16_t kCloseNormal = 1000;
inline constexpr uint16_t kCloseGoingAway = 1001;
inline constexpr uint16_t kCloseNoStatus = 1005;  ///< "the close frame had no code"; never on the wire

/// Writes the header of an unmasked (server) frame with the shortest length form. `out` has room for kFrameHeaderMax
/// bytes; `payload_size` is below 2^63. Returns the bytes written: 2, 4 or 10.
size_t encode_frame_header(char* out, Opcode opcode, uint64_t payload_size, bool rsv1 = false, bool fin = true);

/// A whole unmasked frame. A control payload is at most kControlPayloadMax bytes (the caller's promise).
std::string encode_frame(Opcode opcode, std::string_view payload);

/// A close frame. The reason is cut at a character border to at most kCloseReasonMax bytes. A code that may not be on
/// the wire (kCloseNoStatus, as an empty close frame was reported) gives a close frame without a payload.
std::string encode_close(uint16_t code, std::string_view reason);

/// Whether a peer may send this close code: 1000-1003, 1007-1014, 3000-4999 (RFC 6455 section 7.4 and the IANA
/// registry).
bool close_code_allowed(uint16_t code);

/// A masked (client) frame, for clients and tests. `mask`: the four octets of the key as they lie in memory.
std::string encode_masked_frame(Opcode opcode, std::string_view payload, uint32_t mask, bool rsv1 = false,
                                bool fin = true);

}  // namespace kilat::ws
