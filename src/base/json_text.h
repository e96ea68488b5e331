// Writing JSON text. Reading it is the business of the layers that use simdjson.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kilat {

/// Appends `text` as a JSON string with its quotes. `text` must be valid UTF-8 (all input is checked where it enters).
void append_json_string(std::string& out, std::string_view text);

/// Appends the inside of a JSON string: `text` escaped, without quotes.
void append_json_escaped(std::string& out, std::string_view text);

/// Appends a number in decimal.
void append_json_number(std::string& out, uint64_t value);

/// `text` as a JSON string with its quotes.
std::string json_string(std::string_view text);

}  // namespace kilat
