#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "cli/command.h"
#include "cli/command_text.h"

namespace kilat::cli {

Action install_completion(CLI::App& command) {
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "The shell to complete in")
      ->required()
      ->check(CLI::IsMember(std::set<std::string>{"bash", "zsh", "fish"}));
  const CLI::App* program = command.get_parent();
  return [shell, program] {
    std::fputs(completion_script(*program, *shell).c_str(), stdout);
    return 0;
  };
}

}  // namespace kilat::cli
