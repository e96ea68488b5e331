// Small texts that several examples read and make. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace examples {

/// The text as a whole number in decimal; nothing for anything else, spaces and numbers over 64 bits included.
std::optional<std::int64_t> whole_number(std::string_view text);

/// So many random bytes in hexadecimal. Throws std::runtime_error where there are none.
std::string random_hex(std::size_t bytes);

}  // namespace examples
