#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/random.h"
#include "cli/bench/plan.h"
#include "cli/bench/runner.h"
#include "cli/command.h"
#include "cli/process_signals.h"

namespace kilat::cli {
namespace {

// Descriptors beside those of the connections: standard streams, loop, signals, what libraries hold open.
constexpr uint64_t kOtherFiles = 32;

std::vector<std::string> remedies_for(const bench::Plan& plan, const std::string& error) {
  if (error.find("connect: ") != std::string::npos)
    return {"kilat serve", "--url ws://HOST:PORT", "--url wss://HOST:PORT"};
  if (error.starts_with("all connections were lost")) return {"look at the server's log"};
  if (error.starts_with("all publishers were lost")) {
    return {"look at the server's log", "let them send more: app.client_events_per_second = 0",
            "app.client_messages_per_second = 0", "--publishers N"};
  }
  if (error.find("the certificate is not trusted") != std::string::npos) {
    return {"--ca FILE, with the certificate of the authority", "--insecure"};
  }
  if (plan.tls && error.find("TLS") != std::string::npos) return {"--url ws://HOST:PORT, if the port is a plain one"};
  if (plan.via == bench::Via::kHttp)
    return {"compare app id, key and secret with the server's configuration", "--app-id ID --key KEY --secret SECRET"};
  return {"compare key and secret, and whether client events are allowed, with the server's configuration",
          "--key KEY --secret SECRET"};
}

int run_bench(const bench::Options& options) {
  Random random;
  const auto plan = bench::make_plan(options, static_cast<uint32_t>(random.next()));
  if (!plan) return report(plan.error());
  const uint64_t files = uint64_t{plan->shape.connections} + plan->shape.publishers + kOtherFiles;
  if (const uint64_t limit = raise_open_files(); limit < files) {
    return report({"cannot run the benchmark",
                   {},
                   "this process may open " + std::to_string(limit) + " files, and needs " + std::to_string(files),
                   {"ulimit -n " + std::to_string(files), "--connections N"}});
  }
  const auto address = bench::resolve(plan->host, plan->port);
  if (!address) return report(address.error());

  std::unique_ptr<bench::TlsClient> tls;
  if (plan->tls) {
    auto made = bench::TlsClient::make({.host = plan->host, .ca = plan->ca, .insecure = plan->insecure});
    if (!made) return report(made.error());
    tls = std::move(*made);
  }
  const auto runner = std::make_unique<bench::Runner>(*plan, *address, tls.get());
  const bench::Result result = runner->run();
  std::string text;
  if (options.json) {
    text = bench::report_json(*plan, result) + "\n";
  } else if (result.established > 0 || result.error.empty()) {
    text = bench::report_text(*plan, result);
  }
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (!result.error.empty()) {
    return report({"the benchmark failed", plan->url(), result.error, remedies_for(*plan, result.error)});
  }
  return result.ok() ? 0 : 1;
}

void add_load_options(CLI::App& command, bench::Options& options) {
  command.add_option("--connections", options.connections, "WebSocket connections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--channels", options.channels, "Channels; connection i reads channel i modulo this")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command.add_option("--payload", options.payload_bytes, "Bytes of an event's data")
      ->check(CLI::Range(static_cast<int>(bench::kPayloadBytesMin), static_cast<int>(bench::kPayloadBytesMax)))
      ->capture_default_str();
  command.add_option("--rate", options.rate, "Publishes a second in all, or max: as fast as --window allows")
      ->capture_default_str();
  command.add_option("--window", options.window, "With --rate max: publishes that not everybody has seen yet")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--via", options.via, "How to publish")
      ->check(CLI::IsMember({"client-events", "http"}))
      ->capture_default_str();
  command
      .add_option("--publishers", options.publishers,
                  "Connections that send client events; else as many as ten events a second each ask for")
      ->check(CLI::Range(1, 1'000'000));
  command.add_option("--http-connections", options.http_connections, "Connections to the HTTP API")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
}

void add_time_options(CLI::App& command, bench::Options& options) {
  command.add_option("--duration", options.duration_s, "Seconds that are measured")
      ->check(CLI::Range(0.1, 1'000'000.0))
      ->capture_default_str();
  command.add_option("--warmup", options.warmup_s, "Seconds of publishing before that")
      ->check(CLI::Range(0.0, 100'000.0))
      ->capture_default_str();
  command.add_option("--drain", options.drain_s, "Seconds without any arrival after which the rest counts as lost")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  command.add_option("--connect-rate", options.connect_rate, "Connections opened a second")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

}  // namespace

Action install_bench(CLI::App& command) {
  auto options = std::make_shared<bench::Options>();
  add_load_options(command, *options);
  add_time_options(command, *options);
  command.add_option("--host", options->host, "Server, instead of --url")->type_name("HOST");
  command.add_option("--port", options->port, "Its port; 6001 with --host alone")->type_name("PORT");
  auto* const ca =
      command.add_option("--ca", options->ca, "With wss: PEM file of certificates to trust instead of the system's")
          ->type_name("FILE");
  command.add_flag("--insecure", options->insecure, "With wss: take any certificate")->excludes(ca);
  command.add_option("--app-id", options->target.app, "Id of the app; else the first of the configuration")
      ->type_name("ID");
  command.add_flag("--json", options->json, "The result as one JSON object");
  add_target_options(command, options->target);
  return [options] { return run_bench(*options); };
}

}  // namespace kilat::cli
