// What fuzz targets that act out a story read their choices from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kilat::testing {

/// Bytes of a fuzz target as choices; what is missing is 0.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return left_.empty(); }
  uint8_t byte() {
    if (left_.empty()) return 0;
    const auto value = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  std::string_view text() {
    const size_t size = byte();
    const std::string_view piece = left_.substr(0, size);
    left_.remove_prefix(piece.size());
    return piece;
  }
  std::string_view pick(std::span<const std::string_view> from) { return from[byte() % from.size()]; }

 private:
  std::string_view left_;
};

}  // namespace kilat::testing
