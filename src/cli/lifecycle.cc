#include "cli/lifecycle.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

#include "app/reload.h"
#include "app/systemd.h"
#include "base/clock.h"
#include "base/log.h"

namespace kilat::cli {
namespace {

struct Outcome {
  bool succeeded = false;
  std::string text;  ///< lines for people
};

Outcome refused(std::string why) {
  app::ReloadReport report;
  report.outcome = app::ReloadReport::Outcome::kRefused;
  report.why = std::move(why);
  app::log_reload(report);
  return {false, "error: nothing was changed: " + report.why + "\n"};
}

Outcome refused(const config::Diagnostics& diagnostics, bool human) {
  for (const config::Diagnostic& diagnostic : diagnostics) {
    const bool error = diagnostic.severity == config::Severity::kError;
    log::event(error ? log::Level::kError : log::Level::kWarn, error ? "config_error" : "config_warning",
               {{"file", diagnostic.place.file},
                {"line", diagnostic.place.line},
                {"column", diagnostic.place.column},
                {"message", diagnostic.message},
                {"hint", diagnostic.hint},
                {"source", diagnostic.place.text}});
  }
  const std::string text = config::render(diagnostics);
  if (human) std::fputs(text.c_str(), stderr);
  Outcome outcome = refused("the configuration is not valid");
  return {false, text + outcome.text};
}

// In this order, so that everything that can be refused is refused before anything is changed.
Outcome reload(app::Server& server, const config::LoadRequest& request, bool human) {
  auto loaded = config::load(request);
  if (!loaded) {
    server.count_refused_reload();
    return refused(loaded.error(), human);
  }
  if (auto certificates = server.reload_certificates(); !certificates) {
    server.count_refused_reload();
    return refused(certificates.error().detail);
  }
  const app::ReloadReport report = server.reload(loaded->settings);
  app::log_reload(report);
  Outcome outcome{report.outcome != app::ReloadReport::Outcome::kRefused, config::render(loaded->warnings)};
  for (const std::string& line : app::describe(report)) outcome.text += "reload: " + line + "\n";
  return outcome;
}

class Drain {
 public:
  Drain(app::Server& server, uint32_t drain_ms) : connections_(server.connections()) {
    log::event(log::Level::kInfo, "draining",
               {{"connections", connections_}, {"ms", drain_ms}, {"reason", reason_row(Reason::kServerDraining).id}});
    app::systemd::notify("STOPPING=1\nSTATUS=draining: " + std::to_string(connections_) + " connections");
    server.drain();
  }

  void log_end(const app::Server& server) const {
    log::event(log::Level::kInfo, "drained",
               {{"connections", connections_}, {"cut_off", server.cut_off()}, {"ms", monotonic_ms() - begin_ms_}});
  }

 private:
  uint64_t begin_ms_ = monotonic_ms();
  uint32_t connections_;
};

}  // namespace

void run_until_stopped(app::Server& server, ProcessSignals& signals, const config::LoadRequest& request, bool human) {
  app::systemd::notify("READY=1\nSTATUS=ready");
  std::thread joiner([&] {
    server.join();
    signals.finish();
  });
  std::optional<Drain> drain;
  for (ProcessSignals::Event event = signals.wait(); event.kind != ProcessSignals::Kind::kFinished;
       event = signals.wait()) {
    if (event.kind == ProcessSignals::Kind::kReload) {
      app::systemd::notify_reloading();
      const Outcome outcome = reload(server, request, human);
      app::systemd::notify("READY=1");
      app::tell_reload_outcome(event.sender, outcome.succeeded, outcome.text);
    } else if (event.kind == ProcessSignals::Kind::kDump) {
      log::document(log::Level::kInfo, "state", server.dump_state());
    } else if (drain) {
      log::event(log::Level::kWarn, "stopping", {{"why", "second signal"}});
      server.stop();
    } else {
      drain.emplace(server, server.drain_ms());
    }
  }
  joiner.join();
  if (drain) drain->log_end(server);
  log::event(log::Level::kInfo, "stopped");
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  // Written beside and renamed, so that nobody reads half a number.
  const std::string temporary = path_ + ".new";
  {
    std::ofstream file(temporary);
    file << ::getpid() << '\n';
  }
  if (std::rename(temporary.c_str(), path_.c_str()) == 0) return;
  log::event(log::Level::kWarn, "pid_file_unwritable", {{"path", path_}});
  path_.clear();
}

PidFile::~PidFile() {
  // A process that has taken over has written its own number.
  if (!path_.empty() && read_pid_file(path_) == ::getpid()) std::remove(path_.c_str());
}

int read_pid_file(const std::string& path) {
  int pid = 0;
  if (!path.empty()) std::ifstream(path) >> pid;
  return pid > 0 ? pid : 0;
}

}  // namespace kilat::cli
