// Utf8: checks text for UTF-8 (RFC 3629) as it comes in, in pieces of any size.
// Owner: one Reader; lifetime: one message. Three bytes of state, no heap.
// Refuses overlong forms, surrogates and everything over U+10FFFF at the first byte that cannot belong to any
// character, which RFC 6455 section 8.1 wants for failing at once.
#pragma once

#include <cstdint>
#include <span>

namespace kilat::ws {

class Utf8 {
 public:
  /// Checks the next bytes. False at the first wrong one; it stays false from then on.
  bool feed(std::span<const char> bytes);

  /// Whether the text may end here: no character is cut, nothing was wrong.
  bool complete() const { return need_ == 0; }

 private:
  static constexpr uint8_t kFailed = 0xff;

  uint8_t need_ = 0;  // continuation bytes that the open character still lacks
  uint8_t low_ = 0;   // range of the next one
  uint8_t high_ = 0;
};

/// Whether `bytes` as a whole is UTF-8.
bool is_utf8(std::span<const char> bytes);

}  // namespace kilat::ws
