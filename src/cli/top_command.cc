// `kilat top`: what a server does, read from /metrics every few seconds. --once --json is for scripts.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/http_get.h"
#include "cli/metrics_text.h"
#include "cli/target.h"
#include "cli/top_view.h"
#include "config/load.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

struct TopOptions {
  std::string config;
  std::string url;
  uint32_t interval_ms = 2'000;
  bool once = false;
  bool json = false;
};

struct Scrape {
  MetricsText text;
  uint64_t at_ms = 0;
};

Outcome<HttpAddress> find_address(const TopOptions& options) {
  if (!options.url.empty()) return HttpAddress{options.url, {}, false};
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  if (!loaded) {
    return std::unexpected(Failure{"the configuration is not valid", {}, {}, {"kilat check", "kilat top --url URL"}});
  }
  const std::string& listen = loaded->settings.metrics.listen;
  if (listen.empty()) {
    return std::unexpected(Failure{"the server shows no metrics",
                                   {},
                                   "metrics.listen is empty",
                                   {"metrics.listen = \"127.0.0.1:9601\"", "kilat top --url URL"}});
  }
  std::string host;
  uint16_t port = 0;
  config::split_listen(listen, host, port);
  return HttpAddress{local_url(host, port, {}), {}, false};
}

Outcome<Scrape> scrape(const HttpAddress& address) {
  const auto answer = http_get(address, "/metrics");
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) {
    return std::unexpected(
        Failure{"no metrics there", address.url + "/metrics", "status " + std::to_string(answer->status), {}});
  }
  return Scrape{MetricsText(answer->body), monotonic_ms()};
}

size_t terminal_rows() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

int top(const TopOptions& options) {
  const Outcome<HttpAddress> address = find_address(options);
  if (!address) return report(address.error());
  Outcome<Scrape> before = scrape(*address);
  if (!before) return report(before.error());
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && !options.json && !options.once;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
    Outcome<Scrape> now = scrape(*address);
    if (!now) return report(now.error());
    const double seconds = static_cast<double>(std::max<uint64_t>(1, now->at_ms - before->at_ms)) / 1e3;
    const TopFigures figures = top_figures(before->text, now->text, seconds);
    // Home, the page, and whatever is left below of an earlier one erased: nothing flickers.
    if (terminal) std::fputs("\x1b[H\x1b[J", stdout);
    std::fputs((options.json ? top_json(figures) : top_page(figures, terminal_rows())).c_str(), stdout);
    std::fflush(stdout);
    if (options.once || std::ferror(stdout) != 0) return 0;
    before = std::move(now);
  }
}

}  // namespace

Action install_top(CLI::App& command) {
  auto options = std::make_shared<TopOptions>();
  command.add_option("--config", options->config, "Configuration that names metrics.listen")->type_name("FILE");
  command.add_option("--url", options->url, "Listener for metrics, for example http://127.0.0.1:9601")
      ->type_name("URL");
  command.add_option("--interval-ms", options->interval_ms, "Time between two looks")
      ->type_name("MS")
      ->check(CLI::Range(100, 3'600'000));
  command.add_flag("--once", options->once, "One page, then end");
  command.add_flag("--json", options->json, "One JSON object a line");
  return [options] { return top(*options); };
}

}  // namespace kilat::cli
