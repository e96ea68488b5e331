#include "cli/running.h"

#include <signal.h>

#include <CLI/CLI.hpp>

#include "cli/lifecycle.h"
#include "cli/port_probe.h"
#include "config/load.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

bool alive(int pid) {
  return pid > 0 && ::kill(pid, 0) == 0;
}

}  // namespace

int find_running(const config::Settings& settings) {
  if (const int pid = read_pid_file(settings.server.pid_file); alive(pid)) return pid;
  if (settings.server.port == 0) return 0;
  const auto owner = owner_of_port(settings.server.port);
  return owner && owner->name == "kilat" ? owner->pid : 0;
}

void add_running_options(CLI::App& command, RunningOptions& options) {
  command.add_option("--pid", options.pid, "Process number of the server")->type_name("PID");
  command.add_option("--pid-file", options.pid_file, "File with that number")->type_name("FILE");
  command.add_option("--config", options.config, "Configuration that names the pid file or the port")
      ->type_name("FILE");
}

Outcome<int> find_running(const RunningOptions& options) {
  const std::string command = "kilat " + options.command;
  const std::string with_pid = command + " --pid PID";
  if (options.pid != 0) {
    if (alive(options.pid)) return options.pid;
    return std::unexpected(Failure{"no process " + std::to_string(options.pid) + " to speak to",
                                   {},
                                   "it does not run, or belongs to another user",
                                   {"ps -C kilat", "sudo"}});
  }
  if (!options.pid_file.empty()) {
    const int pid = read_pid_file(options.pid_file);
    if (alive(pid)) return pid;
    return std::unexpected(Failure{"no server is known by " + options.pid_file,
                                   {},
                                   pid == 0 ? "the file holds no number" : "its process does not run",
                                   {with_pid}});
  }
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  // Only where the server is is wanted: a file with an error may still say so, but not for sure.
  const auto loaded = config::load(request);
  if (!loaded) {
    return std::unexpected(
        Failure{"cannot tell where the server is: the configuration is not valid", {}, {}, {"kilat check", with_pid}});
  }
  if (const int pid = find_running(loaded->settings); pid != 0) return pid;
  const config::ServerSettings& server = loaded->settings.server;
  return std::unexpected(Failure{"no server runs on " + config::join_listen(server.host, server.port),
                                 {},
                                 {},
                                 {"kilat serve", with_pid, command + " --config FILE"}});
}

}  // namespace kilat::cli
