// Finding the server that runs on this machine, for commands that speak to it by signal. Main thread.
#pragma once

#include <string>

#include "cli/failure.h"
#include "config/settings.h"

namespace CLI {
class App;
}

namespace kilat::cli {

struct RunningOptions {
  std::string command = "reload";  ///< of `kilat`, for what is said to people
  int pid = 0;                     ///< --pid; 0: search
  std::string pid_file;            ///< --pid-file
  std::string config;              ///< --config
};

/// Adds --pid, --pid-file and --config; `options` must outlive the parsing.
void add_running_options(CLI::App& command, RunningOptions& options);

/// --pid, --pid-file, server.pid_file of the configuration, then whoever listens on the configured port, if it is
/// kilat.
Outcome<int> find_running(const RunningOptions& options);

/// The process that serves what `settings` say; 0 when there is none.
int find_running(const config::Settings& settings);

}  // namespace kilat::cli
