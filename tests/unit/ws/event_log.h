// Feeds a Reader and writes down what it answers, for tests and fuzz targets: two ways of splitting the same bytes must
// give the same log.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ws/reader.h"

namespace kilat::ws {

struct LoggedEvent {
  Event::Kind kind;
  std::string payload;
  uint16_t close_code;
  Reason reason;

  bool operator==(const LoggedEvent&) const = default;
};

using EventLog = std::vector<LoggedEvent>;

/// Bytes in a heap block of their own with exactly the padding that is promised, so that a sanitizer sees every read
/// and write outside.
class PaddedBytes {
 public:
  explicit PaddedBytes(std::string_view bytes) : bytes_(new char[bytes.size() + kPadding]), size_(bytes.size()) {
    bytes.copy(bytes_.get(), bytes.size());
    std::memset(bytes_.get() + size_, '#', kPadding);
  }
  std::span<char> span() { return {bytes_.get(), size_}; }
  bool padding_untouched() const {
    for (size_t i = 0; i < kPadding; ++i) {
      if (bytes_[size_ + i] != '#') return false;
    }
    return true;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

/// Reads the bytes that a SIMD parser would read behind the payload.
inline unsigned touch_padding(std::span<char> payload) {
  unsigned sum = 0;
  for (size_t i = 0; i < kPadding; ++i) sum += static_cast<unsigned char>(payload.data()[payload.size() + i]);
  return sum;
}

/// Feeds one piece and appends its events. False once the reader failed.
inline bool feed(Reader& reader, std::string_view piece, EventLog& log) {
  PaddedBytes bytes(piece);
  std::span<char> in = bytes.span();
  while (true) {
    const Event event = reader.next(in);
    if (event.kind == Event::Kind::kNeedMore) return in.empty() && bytes.padding_untouched();
    if (event.kind != Event::Kind::kError) {
      [[maybe_unused]] volatile unsigned sink = touch_padding(event.payload);
    }
    log.push_back({event.kind, {event.payload.begin(), event.payload.end()}, event.close_code, event.reason});
    if (event.kind == Event::Kind::kError) return false;
  }
}

/// Feeds `bytes` in pieces of `piece` bytes.
inline EventLog read_in_pieces(Reader reader, std::string_view bytes, size_t piece) {
  EventLog log;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    if (!feed(reader, bytes.substr(at, piece), log)) break;
  }
  return log;
}

inline EventLog read_whole(Reader reader, std::string_view bytes) {
  EventLog log;
  feed(reader, bytes, log);
  return log;
}

/// Feeds `bytes` in two pieces.
inline EventLog read_split(Reader reader, std::string_view bytes, size_t at) {
  EventLog log;
  if (feed(reader, bytes.substr(0, at), log)) feed(reader, bytes.substr(at), log);
  return log;
}

}  // namespace kilat::ws
