// From options and configuration to the server and app that a client command speaks to. Main thread.
#pragma once

#include <string>

#include "cli/api_client.h"
#include "cli/failure.h"

namespace CLI {
class App;
}

namespace kilat::cli {

struct TargetOptions {
  std::string app;  ///< id or key; "" is the first app of the configuration
  std::string config;
  std::string url;
  std::string key;
  std::string secret;
};

/// Adds --config, --url, --key and --secret; `options` must outlive the parsing.
void add_target_options(CLI::App& command, TargetOptions& options);

/// With --url, --key and --secret no configuration is read; else it is searched as `kilat serve` does (and
/// ./.kilat/dev.toml, which is never created here), and the given options replace what it says.
Outcome<ApiTarget> find_target(const TargetOptions& options);

/// The URL a client on this machine uses for a server that listens on `host`: the wildcard addresses become loopback.
std::string local_url(const std::string& host, uint16_t port, const std::string& path_prefix, bool tls = false);

}  // namespace kilat::cli
