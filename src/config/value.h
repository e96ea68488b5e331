// Values of settings: from text, to text, within their range. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "config/schema.h"

namespace kilat::config {

/// A number of this row with its unit: "64KiB", "30s", "5".
std::string format_number(const Row& row, uint64_t number);

/// A value as the environment or a flag gives it. Lists are comma-separated. The error says what was expected, without
/// the key's name. The value is not yet checked.
std::expected<Value, std::string> parse_text(const Row& row, std::string_view raw);

/// Whether `value` (of the right type) lies in the row's range; texts may be brought to normal form. Returns the rest
/// of a sentence that begins with the key ("is 64MiB; the largest allowed is 16MiB"), or "".
std::string check_value(const Row& row, Value& value);

/// The value as TOML would write it; a secret becomes "…", and a URL that may hold some is cut to what has none.
std::string format_value(const Row& row, const Value& value);

/// The value as a sentence has it: format_value without quotes around a text that needs none.
std::string plain_value(const Row& row, const Value& value);

/// What the row wants, for messages: "true or false", "a whole number", "a size such as 65536 or \"64KiB\"", …
std::string expected_form(const Row& row);

}  // namespace kilat::config
