// A hash for tables whose keys are chosen by strangers: without the seed, colliding keys cannot be prepared.
// In the manner of Wang Yi's wyhash: 16 bytes a step through a 64 x 64 -> 128 bit multiplication.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/random.h"

namespace kilat {

namespace detail {

inline uint64_t load_bytes(const char* at, size_t count) {
  uint64_t value = 0;
  std::memcpy(&value, at, count);
  return value;
}

inline uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace detail

/// The seed of this process, drawn when it starts. Any thread.
inline const uint64_t kHashSeed = Random().next();

/// All 64 bits depend on all of `text` and on `seed`. Any thread.
inline uint64_t keyed_hash(std::string_view text, uint64_t seed) {
  constexpr uint64_t kA = 0xa0761d6478bd642f;
  constexpr uint64_t kB = 0xe7037ed1a0b428db;
  uint64_t hash = seed ^ detail::mix(seed ^ kA, text.size() ^ kB);
  while (text.size() > 16) {
    hash = detail::mix(detail::load_bytes(text.data(), 8) ^ kA, detail::load_bytes(text.data() + 8, 8) ^ hash);
    text.remove_prefix(16);
  }
  const size_t first = text.size() < 8 ? text.size() : 8;
  const uint64_t low = detail::load_bytes(text.data(), first);
  const uint64_t high = detail::load_bytes(text.data() + first, text.size() - first);
  return detail::mix(hash ^ kB, detail::mix(low ^ kA, high ^ hash ^ seed));
}

}  // namespace kilat
