// Making text of unknown origin fit for a log line or a terminal. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kilat {

/// `text` with every byte that is not part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

/// The longest start of `text` of at most `bytes_max` bytes that does not end inside a character.
std::string_view cut_utf8(std::string_view text, size_t bytes_max);

}  // namespace kilat
