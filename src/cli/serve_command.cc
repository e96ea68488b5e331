#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/server.h"
#include "app/systemd.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/banner.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/lifecycle.h"
#include "cli/port_probe.h"
#include "cli/process_signals.h"
#include "cli/running.h"
#include "config/listen.h"
#include "config/load.h"
#include "config/log_start.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

// The flags of `serve` that stand for settings; their text is checked by the schema like every other source.
struct Flag {
  const char* name;
  const char* key;
  const char* help;
};

constexpr std::array kFlags = std::to_array<Flag>({
    {"--port", "server.port", "TCP port; 0: the kernel picks one"},
    {"--host", "server.host", "IP address to listen on"},
    {"--shards", "server.shards", "Threads; 0: one per hardware thread"},
    {"--log-level", "log.level", "debug, info, warn or error"},
    {"--log-format", "log.format", "auto, human or json"},
});

struct ServeOptions {
  std::array<std::string, kFlags.size()> values;
  std::string config;
  bool live = false;
  bool replace = false;
};

config::LoadRequest load_request(const ServeOptions& options) {
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  request.make_dev_app = true;
  request.key_files = true;
  for (size_t i = 0; i < kFlags.size(); ++i) {
    if (!options.values[i].empty()) request.flags.push_back({kFlags[i].key, options.values[i], kFlags[i].name});
  }
  if (options.live) request.flags.push_back({"server.live_page", "true", "--live"});
  return request;
}

Failure cannot_listen(const config::ServerSettings& server, int code) {
  Failure out{"cannot listen on " + config::join_listen(server.host, server.port), {}, std::strerror(code), {}};
  if (code == EADDRINUSE) {
    out.why = "address already in use";
    const auto owner = owner_of_port(server.port);
    if (owner) out.why += " (by " + fit_for_terminal(owner->name) + ", pid " + std::to_string(owner->pid) + ")";
    if (const uint16_t port = free_port_after(server.host, server.port))
      out.remedies.push_back("kilat serve --port " + std::to_string(port));
    const bool ours = owner && owner->name == "kilat";
    out.remedies.push_back(ours ? "kilat stop --pid " + std::to_string(owner->pid) : "end the other process");
  } else if (code == EACCES) {
    out.remedies = {"a port above 1023: kilat serve --port 6001",
                    "let the system grant it: setcap cap_net_bind_service=+ep"};
  } else {
    out.remedies = {"an address of this machine: ip address", "kilat serve --host 127.0.0.1"};
  }
  return out;
}

Failure cannot_start(const config::ServerSettings& server, const Error& error) {
  const ReasonRow& row = reason_row(error.reason);
  Failure out{"cannot start the server", config::join_listen(server.host, server.port), error.detail, {}};
  if (out.why.empty()) out.why = row.text;
  if (!row.remedy.empty()) out.remedies.emplace_back(row.remedy);
  return out;
}

Listening listening_of(const app::Server& server) {
  Listening out{.host = server.host(),
                .port = server.port(),
                .shards = server.shards(),
                .tls = false,
                .addresses = {},
                .metrics_port = server.metrics_port()};
  for (const config::Listen& listen : server.listeners()) {
    if (!out.addresses.empty()) out.addresses += ", ";
    out.addresses += listen.text();
    if (!listen.local() && listen.port == out.port) out.tls = listen.tls;
  }
  return out;
}

void announce(const config::Loaded& loaded, const Listening& listening, uint64_t elapsed_ms) {
  const config::LogSettings& settings = loaded.settings.log;
  if (config::human_output(settings, STDERR_FILENO) || ::isatty(STDOUT_FILENO) == 1) {
    const time_t seconds = ::time(nullptr);
    tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 16> stamp{};
    strftime(stamp.data(), stamp.size(), "%H:%M:%S", &local);
    std::printf("%s%s ready in %llu ms\n", banner(loaded, listening).c_str(), stamp.data(),
                static_cast<unsigned long long>(elapsed_ms));
    std::fflush(stdout);
  }
  log::event(log::Level::kInfo, "ready",
             {{"host", listening.host},
              {"port", listening.port},
              {"listen", listening.addresses},
              {"shards", listening.shards},
              {"metrics_port", listening.metrics_port},
              {"ms", elapsed_ms}});
}

// The server whose place this one takes is asked to go only now: its clients come back to a server that is ready.
void send_away(int pid) {
  if (pid == 0) return;
  const bool told = ::kill(pid, SIGTERM) == 0;
  log::event(told ? log::Level::kInfo : log::Level::kWarn, told ? "took_over" : "take_over_failed", {{"pid", pid}});
}

int serve(const ServeOptions& options) {
  const uint64_t begin = monotonic_ms();
  auto loaded = config::load(load_request(options));
  if (!loaded) {
    std::fputs(config::render(loaded.error()).c_str(), stderr);
    return 1;
  }
  std::fputs(config::render(loaded->warnings).c_str(), stderr);
  const config::ServerSettings& settings = loaded->settings.server;
  config::start_log(loaded->settings.log);
  raise_open_files();
  ProcessSignals signals;

  app::Server::StartOptions start{.sockets = app::systemd::take_listening_sockets()};
  const int before = options.replace ? find_running(loaded->settings) : 0;
  start.beside = before != 0;
  if (settings.port != 0 && !start.beside && start.sockets.empty()) {
    const std::vector<config::Listen> all = config::listeners(settings);
    const bool wanted = std::ranges::any_of(all, [](const config::Listen& one) { return !one.local(); });
    if (const int code = wanted ? probe_address(settings.host, settings.port) : 0) {
      return report(cannot_listen(settings, code));
    }
  }
  auto server = app::Server::start(loaded->settings, start);
  if (!server) return report(cannot_start(settings, server.error()));
  const PidFile pid_file(settings.pid_file);
  announce(*loaded, listening_of(**server), monotonic_ms() - begin);
  send_away(before);
  run_until_stopped(**server, signals, load_request(options),
                    config::human_output(loaded->settings.log, STDERR_FILENO));
  return 0;
}

}  // namespace

Action install_serve(CLI::App& command) {
  auto options = std::make_shared<ServeOptions>();
  command.add_option("--config", options->config, "Configuration file; else ./kilat.toml, /etc/kilat/kilat.toml")
      ->type_name("FILE");
  for (size_t i = 0; i < kFlags.size(); ++i) command.add_option(kFlags[i].name, options->values[i], kFlags[i].help);
  command.add_flag("--live", options->live, "Serve the live telemetry page at /live/");
  command.add_flag("--replace", options->replace,
                   "Start beside the server that runs, and have it drain once this one is ready");
  return [options] { return serve(*options); };
}

}  // namespace kilat::cli
