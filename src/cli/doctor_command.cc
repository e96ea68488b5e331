// `kilat doctor`: is this machine fit to run the server that the configuration describes? Exit codes: 0 no check failed
// (there may be warnings), 1 one did.
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timex.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "app/certificates.h"
#include "base/clock.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/failure.h"
#include "cli/running.h"
#include "config/load.h"
#include "metrics/process.h"

namespace kilat::cli {
namespace {

struct DoctorOptions {
  std::string config;
  bool json = false;
};

uint64_t number_in(const char* path) {
  uint64_t value = 0;
  std::ifstream(path) >> value;
  return value;
}

DoctorFacts look(const config::Settings& settings) {
  DoctorFacts facts;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.open_files_max = limit.rlim_max;
  facts.max_connections = settings.server.max_connections;
  facts.somaxconn = number_in("/proc/sys/net/core/somaxconn");
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> facts.port_range_begin >> facts.port_range_end;
  facts.port = settings.server.port;
  facts.unix_s = unix_ms() / 1'000;
  timex time{};
  facts.clock_synchronised = ::adjtimex(&time) != TIME_ERROR;
  char byte = 0;
  facts.entropy_ready = ::getrandom(&byte, 1, GRND_NONBLOCK) == 1;
  facts.memory_bytes = metrics::memory_limit_bytes();
  facts.budget_bytes = settings.limits.shard_budget_bytes;
  facts.shards =
      settings.server.shards != 0 ? settings.server.shards : std::max(1u, std::thread::hardware_concurrency());
  const auto certificates = app::load_certificates(settings.tls);
  if (!certificates) {
    facts.tls = true;
    facts.tls_error = certificates.error().detail;
  } else if (*certificates) {
    facts.tls = true;
    facts.tls_expires_s = (*certificates)->expires_unix_s();
  }
  return facts;
}

int doctor(const DoctorOptions& options) {
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  std::vector<Check> checks;
  if (!loaded) {
    checks.push_back(
        {Verdict::kFail, "configuration", "is not valid; the rest is judged by the defaults", "kilat check"});
  } else {
    checks.push_back({Verdict::kOk, "configuration", loaded->path.empty() ? "environment" : loaded->path, {}});
    const int pid = find_running(loaded->settings);
    checks.push_back({Verdict::kOk, "server", pid == 0 ? "does not run" : "runs, pid " + std::to_string(pid), {}});
  }
  for (Check& check : examine(look(loaded ? loaded->settings : config::Settings{}))) checks.push_back(std::move(check));
  if (options.json) {
    std::fputs(checks_json(checks).c_str(), stdout);
  } else {
    for (const Check& check : checks) std::fputs(render(check).c_str(), stdout);
  }
  return std::ranges::any_of(checks, [](const Check& check) { return check.verdict == Verdict::kFail; }) ? 1 : 0;
}

}  // namespace

Action install_doctor(CLI::App& command) {
  auto options = std::make_shared<DoctorOptions>();
  command.add_option("--config", options->config, "Configuration to judge by")->type_name("FILE");
  command.add_flag("--json", options->json, "As a JSON array");
  return [options] { return doctor(*options); };
}

}  // namespace kilat::cli
