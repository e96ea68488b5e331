// Inflater and Deflater: the payload side of permessage-deflate (RFC 7692 section 7.2) over zlib.
// Owner: a connection (context takeover), or a shard that shares one among its connections; not thread-safe.
// Bounds: memory is taken by the first message: an Inflater 7 KiB and its window, a Deflater about
// 2^(window_bits + 2) + 2^(mem_level + 9) bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "ws/buffer.h"
#include "ws/deflate_offer.h"

struct z_stream_s;

namespace kilat::ws {

class Inflater {
 public:
  /// `window_bits` 8..15: at least what the other side compresses with. With `takeover` a message may refer to the ones
  /// before it, so the Inflater belongs to one connection; without, every message starts anew.
  explicit Inflater(uint8_t window_bits = kWindowBitsMax, bool takeover = false);

  /// Inflates a whole message (the payloads of all its frames, without the tail 00 00 ff ff) into `out`, whose memory
  /// is never over `bytes_max` and the padding. kNone; kWsDeflateInvalid: broken or cut data; kWsInflatedTooBig: more
  /// than `bytes_max` bytes; kInternal: no memory. After an error with takeover the stream is of no more use.
  Reason inflate(std::span<const char> message, uint32_t bytes_max, Buffer& out);

  /// Whether it holds zlib's memory, which the first message makes it take.
  bool holds_memory() const { return stream_ != nullptr; }

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };

  bool begin();
  Reason run(std::span<const char> input, uint32_t bytes_max, Buffer& out);

  std::unique_ptr<z_stream_s, End> stream_;
  uint8_t window_bits_;
  bool takeover_;
  bool at_border_ = false;  // the last input ended where a block ended, on a whole byte
};

struct DeflaterOptions {
  uint8_t window_bits = kWindowBitsMax;  ///< 9..15, at most what was negotiated with each reader
  uint8_t mem_level = 8;                 ///< 1..9, zlib's
  int8_t level = 1;                      ///< 1..9, zlib's: speed first
  /// Each message may refer to the ones before: smaller, but every message must go to the same one reader in order.
  /// Without, a message stands alone: legal whatever was negotiated, so one result may go to many readers. A
  /// connection gets either its own takeover Deflater's messages or shared ones, never both.
  bool takeover = false;
};

class Deflater {
 public:
  explicit Deflater(const DeflaterOptions& options = {});

  /// Appends the compressed message, without the tail 00 00 ff ff, to `out`. The frame that carries it has RSV1 set.
  /// False when there is no memory: `out` is as before, and the message can go uncompressed.
  [[nodiscard]] bool deflate(std::string_view message, std::string& out);

  bool holds_memory() const { return stream_ != nullptr; }

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };

  bool begin();
  bool run(std::string_view message, std::string& out);

  std::unique_ptr<z_stream_s, End> stream_;
  DeflaterOptions options_;
};

}  // namespace kilat::ws
