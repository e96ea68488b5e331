#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "cli/command.h"
#include "cli/env_text.h"
#include "cli/failure.h"
#include "config/load.h"

namespace kilat::cli {
namespace {

struct EnvOptions {
  std::string form;
  std::string config;
  std::string app;
  std::string host;
};

const hub::AppSettings* find_app(const config::Settings& settings, const std::string& id) {
  for (const hub::AppSettings& app : settings.apps) {
    if (id.empty() || app.id == id) return &app;
  }
  return nullptr;
}

int env(const EnvOptions& options) {
  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  if (!loaded) {
    std::fputs(config::render(loaded.error()).c_str(), stderr);
    return 1;
  }
  const config::Settings& settings = loaded->settings;
  const hub::AppSettings* app = find_app(settings, options.app);
  if (app == nullptr)
    return report({"no app is called " + fit_for_terminal(options.app), loaded->path, {}, {"kilat check --diff"}});
  Endpoint endpoint = endpoint_of(settings.server);
  if (!options.host.empty()) endpoint.host = options.host;

  std::string text;
  if (options.form == "laravel") text = laravel_lines(endpoint, *app);
  if (options.form == "reverb") text = reverb_lines(endpoint, *app);
  if (options.form == "node") text = node_lines(endpoint, *app, settings.server.path_prefix);
  if (options.form == "nginx") text = nginx_lines(endpoint, settings);
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

Action install_env(CLI::App& command) {
  auto options = std::make_shared<EnvOptions>();
  command.add_option("FORM", options->form, "What it is for")
      ->required()
      ->check(CLI::IsMember(std::set<std::string>{"laravel", "nginx", "node", "reverb"}));
  command.add_option("--config", options->config, "Configuration file")->type_name("FILE");
  command.add_option("--app", options->app, "Id of the app; else the first of the configuration")->type_name("ID");
  command.add_option("--host", options->host, "Name under which applications reach this server")->type_name("HOST");
  return [options] { return env(*options); };
}

}  // namespace kilat::cli
