// Reader: the bytes of one WebSocket connection in, messages and control frames out (RFC 6455, RFC 7692).
// Owner: one connection, on its shard; not thread-safe. Does no I/O.
// Bounds: 64 bytes; heap memory only while a message (or a control frame) is incomplete or was inflated, and then at
// most twice the bytes received and never over message_bytes_max (a compressed message: deflate's overhead above it,
// and the inflated bytes beside it until they are handed out).
// A message ends: its fragments with bytes are bounded by message_bytes_max, those without by kEmptyFragmentsMax.
// Invariant: the events depend on the bytes alone, never on how they were split into calls.
#pragma once

#include <cstdint>
#include <span>

#include "base/reason.h"
#include "ws/buffer.h"
#include "ws/frame.h"
#include "ws/utf8.h"

namespace kilat::ws {

class Inflater;

struct Event {
  enum class Kind : uint8_t {
    kNeedMore,  ///< the input is used up
    kText,      ///< a whole message, valid UTF-8
    kBinary,    ///< a whole message
    kPing,      ///< payload is to be sent back in a pong
    kPong,
    kClose,  ///< payload is the reason text; everything behind a close frame is passed over (section 5.5.1)
    kError,  ///< the peer broke the protocol: send a close frame with close_code and end the connection
  };

  Kind kind = Kind::kNeedMore;
  std::span<char> payload;        ///< valid until the next call of next(); kPadding readable bytes follow
  uint16_t close_code = 0;        ///< kClose: as sent, or kCloseNoStatus; kError: the code to send
  Reason reason = Reason::kNone;  ///< kError: the sin
};

struct ReaderOptions {
  uint32_t message_bytes_max = 64 * 1024;  ///< bytes of one message, after inflating
  /// Null where permessage-deflate was not negotiated. Otherwise the connection's own Inflater (client context
  /// takeover) or one shared by all connections of the thread; outlives the Reader.
  Inflater* inflater = nullptr;
  /// Reads what a server sends, so frames without a mask: for clients and tests. A masked frame is then the sin
  /// kWsUnmasked.
  bool from_server = false;
};

class Reader {
 public:
  /// Fragments without a byte in one message: legal (RFC 6455 section 5.4), but no client needs many, and without a
  /// bound a message of them would never end.
  static constexpr uint16_t kEmptyFragmentsMax = 1'000;

  explicit Reader(const ReaderOptions& options);

  /// Takes bytes from the front of `in` and returns the next event; kNeedMore when `in` is used up. Unmasks in place,
  /// so the bytes of `in` change. kPadding bytes behind the end of `in` must be readable. After kError every call
  /// returns the same error and takes nothing. Throws nothing but std::bad_alloc.
  Event next(std::span<char>& in);

  /// Heap bytes of what is incomplete, or was handed out by the last next().
  size_t buffered() const { return buffer_.capacity(); }
  /// Forgets what is incomplete and takes nothing any more. Payloads that were handed out are gone.
  void stop();

 private:
  enum class Stage : uint8_t { kHeader, kPayload, kClosed, kFailed };
  // What the last event's payload lies in, to be freed by the next call.
  enum class Lent : uint8_t { kNothing, kMessage, kControl };

  bool in_message() const { return message_opcode_ != Opcode::kContinuation; }
  Reason check_first_byte(uint8_t byte) const;
  Reason check_header(const char* header, size_t have) const;
  Reason check_size(uint8_t first, uint64_t payload_size) const;
  bool read_header(std::span<char>& in);
  void open_frame(const char* header, size_t size);
  std::span<char> take(std::span<char>& in);
  Event read_control(std::span<char>& in);
  Event read_data(std::span<char>& in);
  Event finish_message(std::span<char> payload);
  Event finish_close(std::span<char> payload);
  Event fail(Reason reason);
  void take_back();

  Inflater* inflater_;
  Buffer buffer_;  // of the message so far; an incomplete control frame lies behind it
  uint32_t message_bytes_max_;
  uint32_t left_ = 0;             // payload bytes of the open frame still to come
  uint32_t mask_ = 0;             // turned to fit the next payload byte
  uint16_t empty_fragments_ = 0;  // of the open message
  char header_[kMaskedFrameHeaderMax];
  uint8_t header_size_ = 0;   // bytes of a header that was cut by the end of the input
  uint8_t control_size_ = 0;  // bytes of an incomplete control frame in buffer_
  Utf8 utf8_;
  Stage stage_ = Stage::kHeader;
  Lent lent_ = Lent::kNothing;
  Opcode opcode_ = Opcode::kContinuation;          // of the open frame
  Opcode message_opcode_ = Opcode::kContinuation;  // of the open message; kContinuation: there is none
  Reason sin_ = Reason::kNone;
  bool fin_ : 1 = false;
  bool compressed_ : 1 = false;
  bool from_server_ : 1;
};

static_assert(sizeof(Reader) <= 64, "a connection's parser is one cache line");

}  // namespace kilat::ws
