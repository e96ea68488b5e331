#include "config/credentials.h"

#include <string_view>

#include "base/random.h"

namespace kilat::config {
namespace {

std::string random_hex(size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  Random random;
  std::string out;
  uint64_t pool = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (i % 16 == 0) pool = random.next();
    out += kHex[pool & 15];
    pool >>= 4;
  }
  return out;
}

}  // namespace

std::string fresh_key() {
  return "kd_" + random_hex(10);
}

std::string fresh_secret() {
  return "ks_" + random_hex(32);
}

}  // namespace kilat::config
