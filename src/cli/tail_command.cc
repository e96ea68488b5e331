#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/tail_line.h"
#include "cli/target.h"

namespace kilat::cli {
namespace {

struct TailOptions {
  TargetOptions target;
  std::string channel;
  std::string event;
  bool json = false;
};

void print_line(std::string_view line, bool json) {
  const std::string text = json ? std::string(line) : format_tail_line(line);
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

// Ends only when the server refuses for good; a lost server is waited for.
int tail(const TailOptions& options) {
  auto target = find_target(options.target);
  if (!target) return report(target.error());
  ApiClient client(std::move(*target));
  Parameters parameters;
  if (!options.channel.empty()) parameters["channel"] = options.channel;
  if (!options.event.empty()) parameters["event"] = options.event;

  Backoff backoff;
  bool said_away = false;
  LineSplitter lines([&](std::string_view line) { print_line(line, options.json); });
  for (;;) {
    lines.reset();
    const auto answer = client.stream("/tail", parameters, [&](std::string_view bytes) {
      if (said_away) std::fprintf(stderr, "kilat tail: connected again\n");
      said_away = false;
      backoff.reset();
      lines.feed(bytes);
      std::fflush(stdout);
    });
    const bool worth_waiting = !answer || answer->status == 200 || answer->status == 429 || answer->status >= 500;
    if (!worth_waiting) return report(client.refusal("cannot tail " + client.target().app_id, *answer));
    if (!said_away) {
      const std::string why = !answer                 ? answer.error().why
                              : answer->status == 200 ? std::string("the server ended the stream")
                                                      : "status " + std::to_string(answer->status);
      std::fprintf(stderr, "kilat tail: %s at %s; trying again\n", why.c_str(), client.target().url.c_str());
      said_away = true;
    }
    std::this_thread::sleep_for(backoff.next());
  }
}

}  // namespace

Action install_tail(CLI::App& command) {
  auto options = std::make_shared<TailOptions>();
  command.add_option("APP", options->target.app, "Id of the app")->required();
  command.add_option("--channel", options->channel, "Only channels like this; * is a wildcard")->type_name("PATTERN");
  command.add_option("--event", options->event, "Only events like this; * is a wildcard")->type_name("PATTERN");
  command.add_flag("--json", options->json, "The lines as the server sends them");
  add_target_options(command, options->target);
  return [options] { return tail(*options); };
}

}  // namespace kilat::cli
