#include "ws/reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "ws/deflate.h"
#include "ws/mask.h"

namespace kilat::ws {
namespace {

constexpr uint8_t kFinBit = 0x80;
constexpr uint8_t kRsv1Bit = 0x40;
constexpr uint8_t kRsv2And3Bits = 0x30;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

uint8_t octet(char byte) {
  return static_cast<uint8_t>(byte);
}

uint64_t big_endian(const char* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | octet(bytes[i]);
  return value;
}

// Bytes of the header up to the mask.
size_t unmasked_size(uint8_t second) {
  const uint8_t length = second & kLengthBits;
  return length == kLength64 ? 10 : length == kLength16 ? 4 : 2;
}

size_t whole_size(uint8_t second) {
  return unmasked_size(second) + ((second & kMaskBit) != 0 ? 4 : 0);
}

uint64_t payload_size_of(const char* header) {
  const uint8_t length = octet(header[1]) & kLengthBits;
  if (length == kLength16) return big_endian(header + 2, 2);
  if (length == kLength64) return big_endian(header + 2, 8);
  return length;
}

bool known_opcode(Opcode opcode) {
  switch (opcode) {
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong: return true;
  }
  return false;
}

// Bytes of a message before inflating. Deflate may make it longer: by an eighth and a sixty-fourth at most, says zlib's
// deflateBound.
uint32_t collected_max(uint32_t message_bytes_max, bool compressed) {
  if (!compressed) return message_bytes_max;
  const uint64_t bytes = uint64_t{message_bytes_max} + message_bytes_max / 8 + message_bytes_max / 64 + 64;
  return static_cast<uint32_t>(std::min<uint64_t>(bytes, std::numeric_limits<uint32_t>::max()));
}

Event need_more() {
  return {};
}

}  // namespace

Reader::Reader(const ReaderOptions& options)
    : inflater_(options.inflater), message_bytes_max_(options.message_bytes_max), from_server_(options.from_server) {}

Event Reader::next(std::span<char>& in) {
  take_back();
  for (;;) {
    switch (stage_) {
      case Stage::kFailed: return fail(sin_);
      case Stage::kClosed: in = in.last(0); return need_more();
      case Stage::kHeader:
        if (!read_header(in) && stage_ != Stage::kFailed) return need_more();
        break;
      case Stage::kPayload: {
        if (in.empty() && left_ > 0) return need_more();
        const Event event = is_control(opcode_) ? read_control(in) : read_data(in);
        if (event.kind != Event::Kind::kNeedMore) return event;
        break;
      }
    }
  }
}

Reason Reader::check_first_byte(uint8_t byte) const {
  const Opcode opcode{static_cast<uint8_t>(byte & kOpcodeBits)};
  if ((byte & kRsv2And3Bits) != 0) return Reason::kWsReservedBits;
  if ((byte & kRsv1Bit) != 0) {
    // RFC 7692 section 6: RSV1 belongs to the first frame of a message, and to nothing else.
    const bool first = opcode == Opcode::kText || opcode == Opcode::kBinary;
    if (inflater_ == nullptr || !first) return Reason::kWsReservedBits;
  }
  if (!known_opcode(opcode)) return Reason::kWsReservedOpcode;
  if (is_control(opcode)) return (byte & kFinBit) != 0 ? Reason::kNone : Reason::kWsControlFragmented;
  if (opcode == Opcode::kContinuation) return in_message() ? Reason::kNone : Reason::kWsUnexpectedContinuation;
  return in_message() ? Reason::kWsExpectedContinuation : Reason::kNone;
}

// The sins of a header in the order of its bytes, as far as the `have` first ones show them: so the answer is the same
// however the header was split, and comes with the first byte that allows it.
Reason Reader::check_header(const char* header, size_t have) const {
  if (have < 1) return Reason::kNone;
  if (const Reason sin = check_first_byte(octet(header[0])); sin != Reason::kNone) return sin;
  if (have < 2) return Reason::kNone;
  const uint8_t second = octet(header[1]);
  const uint8_t length = second & kLengthBits;
  if (((second & kMaskBit) != 0) == from_server_) return Reason::kWsUnmasked;
  if (is_control(Opcode{static_cast<uint8_t>(header[0] & kOpcodeBits)})) {
    return length > kControlPayloadMax ? Reason::kWsControlTooLong : Reason::kNone;
  }
  if (length == kLength64) {
    if (have >= 3 && (octet(header[2]) & 0x80) != 0) return Reason::kWsLengthInvalid;
    if (have >= 8 && big_endian(header + 2, 6) == 0) return Reason::kWsLengthNotMinimal;
  }
  if (have < unmasked_size(second)) return Reason::kNone;
  const uint64_t payload_size = payload_size_of(header);
  if (length == kLength16 && payload_size < kLength16) return Reason::kWsLengthNotMinimal;
  const bool continues = (octet(header[0]) & kOpcodeBits) == 0;
  if (continues && payload_size == 0 && empty_fragments_ >= kEmptyFragmentsMax) return Reason::kWsTooManyFragments;
  return check_size(octet(header[0]), payload_size);
}

Reason Reader::check_size(uint8_t first, uint64_t payload_size) const {
  const bool starts = (first & kOpcodeBits) != 0;
  const bool compressed = starts ? (first & kRsv1Bit) != 0 : compressed_;
  const uint32_t max = collected_max(message_bytes_max_, compressed);
  return payload_size > max - buffer_.size() ? Reason::kWsMessageTooBig : Reason::kNone;
}

// Returns whether a frame was opened; if not, the header is a sin, or `in` is used up.
bool Reader::read_header(std::span<char>& in) {
  if (in.empty()) return false;
  const char* header = in.data();
  size_t have = std::min(in.size(), kMaskedFrameHeaderMax);
  if (header_size_ > 0) {
    const size_t more = std::min(in.size(), kMaskedFrameHeaderMax - header_size_);
    std::memcpy(header_ + header_size_, in.data(), more);
    header = header_;
    have = header_size_ + more;
  }
  if (const Reason sin = check_header(header, have); sin != Reason::kNone) {
    fail(sin);
    return false;
  }
  const size_t whole = have < 2 ? kMaskedFrameHeaderMax : whole_size(octet(header[1]));
  if (have < whole) {
    if (header_size_ == 0) std::memcpy(header_, header, have);
    header_size_ = static_cast<uint8_t>(have);
    in = in.last(0);
    return false;
  }
  open_frame(header, whole);
  in = in.subspan(whole - header_size_);
  header_size_ = 0;
  return true;
}

void Reader::open_frame(const char* header, size_t size) {
  const uint8_t first = octet(header[0]);
  opcode_ = Opcode{static_cast<uint8_t>(first & kOpcodeBits)};
  left_ = static_cast<uint32_t>(payload_size_of(header));
  mask_ = 0;
  if (!from_server_) std::memcpy(&mask_, header + size - sizeof(mask_), sizeof(mask_));
  stage_ = Stage::kPayload;
  if (is_control(opcode_)) return;
  fin_ = (first & kFinBit) != 0;
  if (opcode_ == Opcode::kContinuation) {
    if (left_ == 0) ++empty_fragments_;
    return;
  }
  empty_fragments_ = 0;
  message_opcode_ = opcode_;
  compressed_ = (first & kRsv1Bit) != 0;
  utf8_ = {};
}

// The payload bytes of the open frame that are at hand, unmasked where they lie.
std::span<char> Reader::take(std::span<char>& in) {
  const std::span<char> bytes = in.first(std::min<size_t>(in.size(), left_));
  in = in.subspan(bytes.size());
  left_ -= static_cast<uint32_t>(bytes.size());
  if (!from_server_) mask_ = apply_mask(bytes, mask_);
  if (left_ == 0) stage_ = Stage::kHeader;
  return bytes;
}

Event Reader::read_control(std::span<char>& in) {
  std::span<char> payload = take(in);
  if (left_ > 0 || control_size_ > 0) {
    buffer_.append(payload, std::numeric_limits<uint32_t>::max());
    control_size_ = static_cast<uint8_t>(control_size_ + payload.size());
    if (left_ > 0) return need_more();
    payload = buffer_.view().last(control_size_);
    lent_ = Lent::kControl;
  }
  switch (opcode_) {
    case Opcode::kPing: return {Event::Kind::kPing, payload, 0, Reason::kNone};
    case Opcode::kPong: return {Event::Kind::kPong, payload, 0, Reason::kNone};
    default: return finish_close(payload);
  }
}

Event Reader::read_data(std::span<char>& in) {
  const std::span<char> bytes = take(in);
  if (message_opcode_ == Opcode::kText && !compressed_ && !utf8_.feed(bytes)) return fail(Reason::kWsInvalidUtf8);
  const bool whole = left_ == 0 && fin_;
  if (whole && buffer_.size() == 0) return finish_message(bytes);
  buffer_.append(bytes, collected_max(message_bytes_max_, compressed_));
  if (!whole) return need_more();
  lent_ = Lent::kMessage;
  return finish_message(buffer_.view());
}

Event Reader::finish_message(std::span<char> payload) {
  const bool text = std::exchange(message_opcode_, Opcode::kContinuation) == Opcode::kText;
  if (compressed_) {
    // Only whole messages are inflated: so connections without client context can share one Inflater.
    compressed_ = false;
    Buffer inflated;
    const Reason sin = inflater_->inflate(payload, message_bytes_max_, inflated);
    if (sin != Reason::kNone) return fail(sin);
    buffer_ = std::move(inflated);
    lent_ = Lent::kMessage;
    payload = buffer_.view();
    if (text && !is_utf8(payload)) return fail(Reason::kWsInvalidUtf8);
  } else if (text && !utf8_.complete()) {
    return fail(Reason::kWsInvalidUtf8);
  }
  return {text ? Event::Kind::kText : Event::Kind::kBinary, payload, 0, Reason::kNone};
}

Event Reader::finish_close(std::span<char> payload) {
  uint16_t code = kCloseNoStatus;
  if (payload.size() == 1) return fail(Reason::kWsClosePayloadInvalid);
  if (!payload.empty()) {
    code = static_cast<uint16_t>(big_endian(payload.data(), 2));
    if (!close_code_allowed(code)) return fail(Reason::kWsCloseCodeInvalid);
    payload = payload.subspan(2);
    if (!is_utf8(payload)) return fail(Reason::kWsInvalidUtf8);
  }
  stage_ = Stage::kClosed;
  // A message that the close frame cut off goes as well.
  lent_ = Lent::kMessage;
  return {Event::Kind::kClose, payload, code, Reason::kNone};
}

void Reader::stop() {
  if (stage_ != Stage::kFailed) stage_ = Stage::kClosed;
  lent_ = Lent::kNothing;
  buffer_.free();
}

Event Reader::fail(Reason reason) {
  sin_ = reason;
  stage_ = Stage::kFailed;
  lent_ = Lent::kNothing;
  buffer_.free();
  return {Event::Kind::kError, {}, reason_row(reason).close_code, reason};
}

void Reader::take_back() {
  switch (std::exchange(lent_, Lent::kNothing)) {
    case Lent::kNothing: return;
    case Lent::kMessage: buffer_.free(); return;
    case Lent::kControl:
      buffer_.drop(std::exchange(control_size_, 0));
      if (buffer_.size() == 0) buffer_.free();
      return;
  }
}

}  // namespace kilat::ws
