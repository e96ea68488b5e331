// One row of the command table, and the program that runs it. Main thread only.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace kilat::cli {

/// What a command does once its options are read. Returns the exit code of the process.
using Action = std::function<int()>;

struct Command {
  std::string_view name;
  std::string_view help;                 ///< one line, shown by `kilat --help`
  std::string_view example;              ///< a line a reader can copy
  Action (*install)(CLI::App& command);  ///< adds the options and returns what to run with them
};

/// The command table, in src/cli/commands.cc.
std::span<const Command> commands();

/// Adds a subcommand for each row; the actions are in the order of the rows. The options live as long as the actions.
std::vector<Action> add_commands(CLI::App& program, std::span<const Command> commands);

/// Runs the command that `argv` names. Exit codes: 0 done, 1 failed, 2 used wrongly.
int run(std::span<const Command> commands, int argc, const char* const* argv);

// The commands, each in the file of its name.
Action install_serve(CLI::App& command);
Action install_init(CLI::App& command);
Action install_check(CLI::App& command);
Action install_env(CLI::App& command);
Action install_reload(CLI::App& command);
Action install_stop(CLI::App& command);
Action install_health(CLI::App& command);
Action install_doctor(CLI::App& command);
Action install_top(CLI::App& command);
Action install_metrics(CLI::App& command);
Action install_publish(CLI::App& command);
Action install_tail(CLI::App& command);
Action install_feed(CLI::App& command);
Action install_demo(CLI::App& command);
Action install_bench(CLI::App& command);
Action install_apps(CLI::App& command);
Action install_jobs(CLI::App& command);
Action install_reasons(CLI::App& command);
Action install_config(CLI::App& command);
Action install_completion(CLI::App& command);
Action install_man(CLI::App& command);
Action install_version(CLI::App& command);

}  // namespace kilat::cli
