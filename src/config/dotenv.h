// The .env file of a Laravel application (or of Soketi) as environment entries. Pure function; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kilat::config {

/// The assignments of `text` as "NAME=value" entries, in order. Takes what phpdotenv takes: "export" before a name,
/// comments, single and double quotes, \n \" \\ \$ inside double ones, ${NAME} from earlier lines or `environment`.
/// Lines that are no assignment are left out: the file belongs to somebody else.
std::vector<std::string> parse_dotenv(std::string_view text, std::span<const std::string> environment);

}  // namespace kilat::config
