// KILAT_CHECK: an assertion that stays on in release builds. For invariants of our own code, never for input.
#pragma once

namespace kilat {

/// Prints the broken invariant with its place and ends the process.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace kilat

#define KILAT_CHECK(condition)                               \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::kilat::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
