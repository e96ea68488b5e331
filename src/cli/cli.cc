#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/command.h"

namespace kilat::cli {
namespace {

constexpr int kUsedWrongly = 2;

std::string footer(std::span<const Command> commands) {
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.name.size());
  std::string out = "Examples:\n";
  for (const Command& command : commands) {
    out += "  " + std::string(command.example) + "\n";
  }
  return out + "\nkilat COMMAND --help shows the options of a command.";
}

int run_unguarded(std::span<const Command> commands, int argc, const char* const* argv) {
  CLI::App program("Kilat: a self-hosted realtime server (Pusher protocol).", "kilat");
  program.require_subcommand(0, 1);
  program.footer(footer(commands));
  bool version = false;
  program.add_flag("--version", version, "Print version, compiler and libraries");

  const std::vector<Action> actions = add_commands(program, commands);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = program.exit(error);  // prints the help, or what is wrong with the command line
    return code == 0 ? 0 : kUsedWrongly;
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    const bool chosen = program.get_subcommand(std::string(commands[i].name))->parsed();
    if (chosen || (version && commands[i].name == "version")) return actions[i]();
  }
  std::fputs(program.help().c_str(), stdout);
  return 0;
}

}  // namespace

std::vector<Action> add_commands(CLI::App& program, std::span<const Command> commands) {
  std::vector<Action> actions;
  for (const Command& command : commands) {
    CLI::App* sub = program.add_subcommand(std::string(command.name), std::string(command.help));
    sub->footer("Example:\n  " + std::string(command.example));
    actions.push_back(command.install(*sub));
  }
  return actions;
}

int run(std::span<const Command> commands, int argc, const char* const* argv) {
  // The libraries under the commands may throw (out of memory, a bad option table); nothing leaves this function.
  try {
    return run_unguarded(commands, argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}

}  // namespace kilat::cli
