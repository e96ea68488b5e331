#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/json_text.h"
#include "base/utf8_repair.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "config/starter.h"
#include "config/toml_reader.h"

namespace kilat::cli {
namespace {

// Options become text of a file: the file's own reader says whether they are fit for it.
int init(const config::StarterOptions& options) {
  const std::string text = config::starter_file(options);
  config::Document document = config::read_toml(text, "what kilat init would print");
  config::validate(document);
  if (config::has_errors(document.diagnostics)) {
    std::fputs(config::render(document.diagnostics).c_str(), stderr);
    return 1;
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Action install_init(CLI::App& command) {
  auto options = std::make_shared<config::StarterOptions>();
  command.add_option("--listen", options->listen, "Address and port")->type_name("HOST:PORT")->capture_default_str();
  command.add_option("--app", options->app_id, "Id of the app")->type_name("ID")->capture_default_str();
  return [options] { return init(*options); };
}

}  // namespace kilat::cli
