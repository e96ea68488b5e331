// Fresh keys and secrets of apps, from the kernel's randomness. Any thread.
#pragma once

#include <string>

namespace kilat::config {

/// "kd_" and 10 hexadecimal digits: public, so only unique.
std::string fresh_key();

/// "ks_" and 32 hexadecimal digits: 128 bits that nobody can guess.
std::string fresh_secret();

}  // namespace kilat::config
