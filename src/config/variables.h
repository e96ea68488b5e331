// ${NAME} in the texts of a configuration file: the value of an environment variable, so that secrets need not stand in
// the file. ${NAME:-text} gives the text where the variable is missing or empty; $${ stands for ${ itself.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kilat::config {

/// No text grows beyond this.
inline constexpr size_t kExpandedBytesMax = 256 * 1024;

/// The value of `name` among entries "NAME=value": the first there is.
std::optional<std::string_view> find_variable(std::span<const std::string> entries, std::string_view name);

/// The text with its variables replaced. Values are taken as they are, never expanded again. The error completes a
/// sentence that begins with the setting: a variable that is missing, a brace that is, a text that gets too long.
std::expected<std::string, std::string> expand_variables(std::string_view text, std::span<const std::string> variables);

}  // namespace kilat::config
