// The life of `kilat serve` between ready and stopped: signals, reloads, the drain, and what systemd hears of it.
// Main thread only.
#pragma once

#include <cstdint>
#include <string>

#include "app/server.h"
#include "cli/process_signals.h"
#include "config/load.h"

namespace kilat::cli {

/// Serves until the server has ended. SIGTERM and SIGINT: drain, and at the second one stop at once. SIGHUP: reads what
/// `request` names again and puts it into effect. SIGUSR1: writes the state to the log. `human`: the log is for people,
/// so that errors of the configuration are shown with their source lines.
void run_until_stopped(app::Server& server, ProcessSignals& signals, const config::LoadRequest& request, bool human);

/// The number of this process in a file, as long as the object lives. Without a path nothing happens; a file that
/// cannot be written is a warning in the log.
class PidFile {
 public:
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
};

/// The number in a pid file; 0 when there is none.
int read_pid_file(const std::string& path);

}  // namespace kilat::cli
