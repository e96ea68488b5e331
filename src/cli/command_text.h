// Completion scripts and manual pages, made from the commands and their options as CLI11 knows them, so that they
// cannot differ from what is parsed. Main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace kilat::cli {

/// The completion script for "bash", "zsh" or "fish"; "" for any other shell.
std::string completion_script(const CLI::App& program, std::string_view shell);

/// The names of all pages: "kilat", "kilat-serve", …, "kilat.toml".
std::vector<std::string> man_page_names(const CLI::App& program);

/// "1" for commands, "5" for kilat.toml.
std::string_view man_section(std::string_view page);

/// The page in roff, with or without the "kilat-" of a command; "" when there is none of this name.
std::string man_page(const CLI::App& program, std::string_view page);

}  // namespace kilat::cli
