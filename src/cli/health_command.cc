// `kilat health`: for HEALTHCHECK lines of containers, probes and scripts. Exit codes: 0 ready, 1 the server says it is
// not, 3 nobody answered.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/http_get.h"
#include "cli/target.h"
#include "config/listen.h"
#include "config/load.h"

namespace kilat::cli {
namespace {

constexpr int kNotReady = 1;
constexpr int kNoAnswer = 3;

struct HealthOptions {
  std::string config;
  std::string url;
  bool live = false;
  bool quiet = false;
  uint32_t timeout_ms = 5'000;
};

// The first address of the configuration, as this machine reaches it.
Outcome<HttpAddress> find_address(const HealthOptions& options) {
  if (!options.url.empty()) return HttpAddress{options.url, {}, false};
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  if (!loaded) {
    return std::unexpected(
        Failure{"the configuration is not valid", {}, {}, {"kilat check", "kilat health --url URL"}});
  }
  const config::Listen listen = config::listeners(loaded->settings.server).front();
  HttpAddress address;
  address.unix_socket = listen.path;
  address.trust_any = listen.tls;
  address.url = listen.local() ? "http://localhost" : local_url(listen.host, listen.port, {});
  if (listen.tls) address.url.insert(4, "s");
  return address;
}

int health(const HealthOptions& options) {
  const Outcome<HttpAddress> address = find_address(options);
  if (!address) return report(address.error()), kNoAnswer;
  const auto answer = http_get(*address, options.live ? "/health/live" : "/health/ready", options.timeout_ms);
  if (!answer) return report(answer.error()), kNoAnswer;
  if (!options.quiet) std::printf("%s\n", fit_for_terminal(answer->body.substr(0, 4096)).c_str());
  return answer->status == 200 ? 0 : kNotReady;
}

}  // namespace

Action install_health(CLI::App& command) {
  auto options = std::make_shared<HealthOptions>();
  command.add_option("--config", options->config, "Configuration that names the address")->type_name("FILE");
  command.add_option("--url", options->url, "Server, for example http://127.0.0.1:6001")->type_name("URL");
  command.add_option("--timeout-ms", options->timeout_ms, "How long to wait for an answer")->type_name("MS");
  command.add_flag("--live", options->live, "Ask whether it lives, not whether it is ready");
  command.add_flag("--quiet", options->quiet,
                   "Print nothing; the exit code says it: 0 ready, 1 not ready, 3 no answer");
  return [options] { return health(*options); };
}

}  // namespace kilat::cli
