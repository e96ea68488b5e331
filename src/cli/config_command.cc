#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command.h"
#include "config/reference.h"

namespace kilat::cli {

Action install_config(CLI::App& command) {
  // One form exists so far; the flag names it, so that scripts keep working when there are more.
  command.add_flag("--markdown")->description("As a document (docs/configuration.md)");
  return [] {
    std::fputs(config::reference_markdown().c_str(), stdout);
    return 0;
  };
}

}  // namespace kilat::cli
