// stress: drives a real server with a seeded mix of everything and checks every message against a model, or churns
// connections for a long time and looks for what is not given back. docs/testing.md.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "stress/options.h"

int main(int argc, char** argv) {
  kilat::stress::Options options;
  CLI::App command("Self-checking stress test of kilat serve");
  command.add_option("--binary", options.binary, "The kilat program")->required()->check(CLI::ExistingFile);
  command.add_option("--seed", options.seed, "Chooses settings and operations");
  command.add_option("--seconds", options.seconds, "How long the mix runs");
  command.add_option("--shards", options.shards, "Threads of the server");
  command.add_option("--clients", options.clients, "Connections at once; default 80, 2000 for the soak");
  command.add_option("--soak", options.soak_seconds, "Churn connections for so many seconds instead");
  CLI11_PARSE(command, argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  try {
    return options.soak_seconds > 0 ? kilat::stress::run_soak(options) : kilat::stress::run_chaos(options);
  } catch (const std::exception& error) {
    std::printf("FAILED, seed %llu: %s\n", static_cast<unsigned long long>(options.seed), error.what());
    return 1;
  }
}
