#include "cli/target.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "config/listen.h"
#include "config/load.h"
#include "config/text_rules.h"

namespace kilat::cli {
namespace {

std::string app_names(const config::Settings& settings) {
  std::string out;
  for (const hub::AppSettings& app : settings.apps) {
    if (out.size() > 200) return out + ", …";
    if (!out.empty()) out += ", ";
    out += app.id;
  }
  return out;
}

const hub::AppSettings* find_app(const config::Settings& settings, const std::string& name) {
  if (name.empty()) return &settings.apps.front();
  for (const hub::AppSettings& app : settings.apps) {
    if (app.id == name || app.key == name) return &app;
  }
  return nullptr;
}

// A plain address is preferred: a certificate rarely names the machine's own loopback.
std::string url_of(const config::ServerSettings& server) {
  const std::vector<config::Listen> all = config::listeners(server);
  auto chosen = std::ranges::find_if(all, &config::Listen::plain_tcp);
  if (chosen == all.end()) {
    chosen = std::ranges::find_if(all, [](const config::Listen& one) { return !one.local() && !one.proxy_protocol; });
  }
  if (chosen == all.end()) return local_url(server.host, server.port, server.path_prefix);
  return local_url(chosen->host, chosen->port, server.path_prefix, chosen->tls);
}

}  // namespace

void add_target_options(CLI::App& command, TargetOptions& options) {
  command.add_option("--config", options.config, "Configuration file")->type_name("FILE");
  command.add_option("--url", options.url, "Server, for example http://127.0.0.1:6001")->type_name("URL");
  command.add_option("--key", options.key, "Key of the app")->type_name("KEY");
  command.add_option("--secret", options.secret, "Secret of the app")->type_name("SECRET");
}

Outcome<ApiTarget> find_target(const TargetOptions& options) {
  ApiTarget out{options.url, options.app, {options.key, options.secret}};
  if (!options.url.empty() && !options.key.empty() && !options.secret.empty() && !options.app.empty()) return out;

  config::LoadRequest request;
  if (!options.config.empty()) request.file = options.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  if (!loaded) {
    std::string text = config::render(loaded.error());
    if (text.starts_with("error: ")) text.erase(0, 7);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return std::unexpected(Failure{std::move(text), {}, {}, {}});
  }
  const config::Settings& settings = loaded->settings;
  const hub::AppSettings* app = find_app(settings, options.app);
  if (app == nullptr && (options.key.empty() || options.secret.empty())) {
    return std::unexpected(Failure{"no app is called " + fit_for_terminal(options.app),
                                   loaded->path,
                                   "the configuration has: " + app_names(settings),
                                   {"name one of these", "--config FILE", "--key KEY --secret SECRET"}});
  }
  if (app != nullptr) {
    out.app_id = app->id;
    if (options.key.empty()) out.credentials.key = app->key;
    if (options.secret.empty()) out.credentials.secret = app->secret;
  }
  if (out.url.empty()) out.url = url_of(settings.server);
  return out;
}

std::string local_url(const std::string& host, uint16_t port, const std::string& path_prefix, bool tls) {
  std::string reachable = host;
  if (host == "0.0.0.0") reachable = "127.0.0.1";
  if (host == "::") reachable = "::1";
  return (tls ? "https://" : "http://") + config::join_listen(reachable, port) + path_prefix;
}

}  // namespace kilat::cli
