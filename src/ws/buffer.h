// Buffer: the bytes of a message that did not arrive in one piece, or was inflated.
// Owner: one Reader (or the caller of an Inflater), on that connection's shard.
// Lifetime: one message; an empty Buffer owns no heap memory.
// Bounds: the caller names the limit; capacity never passes it, nor twice the bytes received (kFirstCapacity at least).
// Invariant: kPadding readable bytes follow the last byte, whenever there is memory at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>

namespace kilat::ws {

/// Readable bytes behind every payload: a SIMD JSON parser loads whole registers and so reads over the end.
inline constexpr size_t kPadding = 64;

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

  /// The bytes; valid until the next call that is not const.
  std::span<char> view() { return {bytes_.get(), size_}; }

  /// Free bytes behind the content: write there, then commit(). Empty when the buffer is full.
  std::span<char> room() { return {bytes_.get() + size_, capacity_ - size_}; }
  void commit(size_t count) {
    size_ += static_cast<uint32_t>(count);
    clear_padding();
  }

  /// Makes room for `need` bytes in all, at most doubling what is there, never over `limit` unless `need` itself is.
  void grow(uint32_t need, uint32_t limit) {
    if (need <= capacity_ && bytes_) return;
    const uint32_t doubled = capacity_ > kHalf ? std::numeric_limits<uint32_t>::max() : capacity_ * 2;
    const uint32_t wanted = std::max(need, std::min(std::max(doubled, kFirstCapacity), limit));
    auto bytes = std::make_unique_for_overwrite<char[]>(size_t{wanted} + kPadding);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = wanted;
    clear_padding();
  }

  void append(std::span<const char> bytes, uint32_t limit) {
    if (bytes.empty()) return;
    grow(size_ + static_cast<uint32_t>(bytes.size()), limit);
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    commit(bytes.size());
  }

  /// Drops the last `count` bytes.
  void drop(uint32_t count) { size_ -= count; }

  void free() {
    bytes_.reset();
    size_ = capacity_ = 0;
  }

 private:
  static constexpr uint32_t kFirstCapacity = 256;
  static constexpr uint32_t kHalf = std::numeric_limits<uint32_t>::max() / 2;

  // What a parser reads over the end is the same in every run.
  void clear_padding() { std::memset(bytes_.get() + size_, 0, kPadding); }

  std::unique_ptr<char[]> bytes_;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;  // without the padding
};

}  // namespace kilat::ws
