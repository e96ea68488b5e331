#include "ws/mask.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace kilat::ws {
namespace {

void xor_word(char* at, uint64_t key) {
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  word ^= key;
  std::memcpy(at, &word, sizeof(word));
}

// The key for the byte `count` places further on.
uint32_t turn(uint32_t key, size_t count) {
  const int bits = static_cast<int>(count % 4) * 8;
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

}  // namespace

uint32_t apply_mask(std::span<char> bytes, uint32_t key) {
  const uint64_t wide = uint64_t{key} << 32 | key;
  char* at = bytes.data();
  size_t left = bytes.size();
  // Four independent words a turn: the compiler makes two or one vector operations of them.
  for (; left >= 32; left -= 32, at += 32) {
    xor_word(at, wide);
    xor_word(at + 8, wide);
    xor_word(at + 16, wide);
    xor_word(at + 24, wide);
  }
  for (; left >= 8; left -= 8, at += 8) xor_word(at, wide);
  char octets[4];
  std::memcpy(octets, &key, sizeof(octets));
  for (size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ octets[i % 4]);
  return turn(key, bytes.size());
}

}  // namespace kilat::ws
