// Finding the raw text of a value inside JSON that is known to be valid, so that it can be carried over byte for byte.
// Pure functions; any thread. On invalid JSON the results are meaningless but stay inside the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace kilat {

/// The raw text of the value of member number `index` (from 0) of the object `json`, counted as they are written.
/// Nothing when there are fewer or `json` is no object.
std::optional<std::string_view> raw_member(std::string_view json, size_t index);

/// Where the value ends that begins at `at`, below the size of `json`.
size_t raw_value_end(std::string_view json, size_t at);

/// The raw text of element number `index` (from 0) of the array `json`; nothing when there are fewer or it is no array.
std::optional<std::string_view> raw_element(std::string_view json, size_t index);

/// The raw texts of the elements of the array `json`; empty when it is no array.
std::vector<std::string_view> raw_elements(std::string_view json);

}  // namespace kilat
