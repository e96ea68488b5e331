// Masking of client frames (RFC 6455 section 5.3). Pure; any thread.
#pragma once

#include <cstdint>
#include <span>

namespace kilat::ws {

/// XORs `bytes` in place with `key` (the four key octets as they lie in memory), any alignment, any size. Returns the
/// key turned so that it fits the byte that follows: a payload may be unmasked in pieces.
uint32_t apply_mask(std::span<char> bytes, uint32_t key);

}  // namespace kilat::ws
