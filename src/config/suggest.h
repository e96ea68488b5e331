// "Did you mean …": the known word nearest to an unknown one. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace kilat::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. Words above 64 bytes are
/// compared by their first 64.
size_t edit_distance(std::string_view a, std::string_view b);

/// The nearest of `known` if it is near enough to be a slip of the pen, else "".
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace kilat::config
