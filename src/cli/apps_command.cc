// `kilat apps`: the apps in the SQLite file of apps.database. It changes the file only; the server reads it again at a
// reload.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/quantity.h"
#include "base/result.h"
#include "cli/apps_text.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/reload_request.h"
#include "cli/running.h"
#include "config/app_database.h"
#include "config/credentials.h"
#include "config/load.h"
#include "config/value.h"
#include "store/app_store.h"

namespace kilat::cli {
namespace {

namespace fs = std::filesystem;
using store::AppStore;
using store::StoredApp;

constexpr uint64_t kKeepMaxS = 365 * 86'400;

struct AppsOptions {
  std::string database;
  RunningOptions running;
  bool reload = false;
  bool json = false;
  std::string id;
  std::string key;
  std::string secret;
  std::vector<std::string> settings;  ///< "name=value"
  std::vector<std::string> unset;
  std::string keep = "24h";
  bool with_secret = false;
  bool yes = false;
};

struct Target {
  std::string file;                      ///< absolute
  bool configured = false;               ///< the configuration names this file
  std::vector<hub::AppSettings> others;  ///< apps of the configuration file
};

Failure failed(const std::string& what, const std::string& file, store::Fault fault) {
  return {what, file, std::move(fault.why), std::move(fault.remedies)};
}

Failure no_such_app(const std::string& id, const std::string& file) {
  return {"no app is called " + fit_for_terminal(id), file, {}, {"kilat apps list"}};
}

uint64_t now_s() {
  return unix_ms() / 1'000;
}

Outcome<Target> find_database(const AppsOptions& options) {
  config::LoadRequest request;
  if (!options.running.config.empty()) request.file = options.running.config;
  request.environment = config::process_environment();
  request.stored_apps = false;
  auto loaded = config::load(request);
  Target out;
  if (loaded) {
    out.file = loaded->settings.app_store.database;
    out.others = std::move(loaded->settings.apps);
  }
  if (!options.database.empty()) {
    std::error_code ignored;
    std::string given = fs::absolute(options.database, ignored).lexically_normal().string();
    out.configured = given == out.file;
    out.file = std::move(given);
    return out;
  }
  if (!loaded) {
    return std::unexpected(Failure{"cannot tell where the database of apps is: the configuration is not valid",
                                   options.running.config,
                                   {},
                                   {"kilat check", "--config FILE", "--db FILE"}});
  }
  if (out.file.empty()) {
    return std::unexpected(Failure{
        "the configuration names no database of apps",
        loaded->path,
        {},
        {"add to the configuration:  [apps]  database = \"kilat.db\"", "KILAT_APPS_DATABASE=FILE", "--db FILE"}});
  }
  out.configured = true;
  return out;
}

Outcome<AppStore> open_existing(const Target& target) {
  auto store = AppStore::open(target.file);
  if (store) return std::move(*store);
  std::error_code ignored;
  if (!fs::exists(target.file, ignored)) store.error().remedies = {"kilat apps add NAME   (makes it)", "--db FILE"};
  return std::unexpected(failed("cannot use the database of apps", target.file, std::move(store.error())));
}

Outcome<StoredApp> find_app(AppStore& store, const Target& target, const std::string& id) {
  auto app = store.find(id);
  if (!app) return std::unexpected(failed("cannot read app " + id, target.file, std::move(app.error())));
  if (!*app) return std::unexpected(no_such_app(id, target.file));
  return std::move(**app);
}

// The file is changed; now the server must hear of it. Notes go to standard error beside JSON.
int finish(const AppsOptions& options, const Target& target) {
  std::FILE* out = options.json ? stderr : stdout;
  if (!target.configured) {
    std::fprintf(out, "note: the configuration does not name this file: [apps] database = %s, or KILAT_APPS_DATABASE\n",
                 json_string(fit_for_terminal(target.file)).c_str());
  }
  if (options.reload) return request_reload(options.running, out);
  std::fputs("next: kilat reload   (the running server does not know yet)\n", out);
  return 0;
}

void print_app(const AppsOptions& options, const StoredApp& app, bool with_secret) {
  const std::string text =
      options.json ? app_json(app, with_secret, now_s()) + "\n" : app_text(app, with_secret, now_s(), "  ");
  std::fputs(text.c_str(), stdout);
}

// "name=value" into `app`; what is wrong with one that has no "=".
Outcome<void> take_settings(const std::vector<std::string>& settings, StoredApp& app) {
  for (const std::string& entry : settings) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(Failure{fit_for_terminal(entry) + " is not name=value", {}, {}, {"max_connections=5000"}});
    }
    app.settings[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return {};
}

Outcome<void> check_others(const Target& target, const StoredApp& app) {
  for (const hub::AppSettings& other : target.others) {
    if (other.id != app.id && other.key != app.key) continue;
    return std::unexpected(Failure{"cannot add app " + app.id,
                                   "app " + fit_for_terminal(other.id) + " of the configuration file",
                                   other.id == app.id ? "it has the same id" : "it has the same key",
                                   {"choose another", "take the [[app]] out of the file"}});
  }
  return {};
}

Outcome<int> add_app(const AppsOptions& options) {
  TRY(const Target target, find_database(options));
  StoredApp app;
  app.id = options.id;
  app.key = options.key.empty() ? config::fresh_key() : options.key;
  app.secret = options.secret.empty() ? config::fresh_secret() : options.secret;
  app.created_s = now_s();
  TRY_VOID(take_settings(options.settings, app));
  if (const config::Diagnostics wrong = config::check_stored_app(app, "kilat apps add"); !wrong.empty()) {
    std::fputs(config::render(wrong).c_str(), stderr);
    return 1;
  }
  TRY_VOID(check_others(target, app));
  const std::string what = "cannot add app " + app.id;
  auto store = AppStore::open_or_create(target.file);
  if (!store) return std::unexpected(failed(what, target.file, std::move(store.error())));
  if (auto added = store->add(app); !added) {
    return std::unexpected(failed(what, target.file, std::move(added.error())));
  }
  if (!options.json) std::printf("app %s added to %s\n", app.id.c_str(), fit_for_terminal(target.file).c_str());
  print_app(options, app, true);
  return finish(options, target);
}

Outcome<int> list_apps(const AppsOptions& options) {
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  const auto apps = store.all();
  if (!apps) return std::unexpected(failed("cannot list the apps", target.file, apps.error()));
  if (!options.json) {
    std::fputs(apps_table(*apps, now_s()).c_str(), stdout);
    return 0;
  }
  std::string out = "[";
  for (const StoredApp& app : *apps) out += (out.size() > 1 ? ",\n " : "") + app_json(app, false, now_s());
  std::fputs((out + "]\n").c_str(), stdout);
  return 0;
}

Outcome<int> show_app(const AppsOptions& options) {
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  TRY(const StoredApp app, find_app(store, target, options.id));
  print_app(options, app, options.with_secret);
  return 0;
}

Outcome<uint64_t> keep_s(const std::string& text) {
  const auto ms = text == "0" ? std::optional<uint64_t>(0) : parse_duration_ms(text);
  if (ms && *ms / 1'000 <= kKeepMaxS) return (*ms + 999) / 1'000;
  return std::unexpected(Failure{"--keep " + fit_for_terminal(text) + " is not a time of at most 365d",
                                 {},
                                 {},
                                 {"--keep 24h", "--keep 0   (the old secret ends at once)"}});
}

Outcome<int> rotate_app(const AppsOptions& options) {
  TRY(const uint64_t keep, keep_s(options.keep));
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  TRY(const StoredApp before, find_app(store, target, options.id));
  const uint64_t now = now_s();
  const auto rotated = store.rotate(options.id, config::fresh_secret(), keep == 0 ? 0 : now + keep);
  if (!rotated) return std::unexpected(failed("cannot rotate app " + options.id, target.file, rotated.error()));
  TRY(const StoredApp app, find_app(store, target, options.id));
  if (before.previous_until_s > now) {
    std::fputs("note: a rotation was under way; the secret before the last one ends with the reload\n", stderr);
  }
  if (!options.json) std::printf("app %s has a new secret\n", app.id.c_str());
  print_app(options, app, true);
  return finish(options, target);
}

Outcome<int> set_app(const AppsOptions& options) {
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  TRY(StoredApp app, find_app(store, target, options.id));
  StoredApp given;
  TRY_VOID(take_settings(options.settings, given));
  std::map<std::string, std::optional<std::string>> changes(given.settings.begin(), given.settings.end());
  for (const std::string& name : options.unset) changes.emplace(name, std::nullopt);
  for (const auto& [name, value] : changes) {
    if (value) {
      app.settings[name] = *value;
    } else if (app.settings.erase(name) == 0) {
      return std::unexpected(Failure{"app " + app.id + " has no setting " + fit_for_terminal(name),
                                     target.file,
                                     {},
                                     {"kilat apps show " + app.id}});
    }
  }
  if (const config::Diagnostics wrong = config::check_stored_app(app, "kilat apps set"); !wrong.empty()) {
    std::fputs(config::render(wrong).c_str(), stderr);
    return 1;
  }
  const auto done = store.set(options.id, changes);
  if (!done) return std::unexpected(failed("cannot change app " + options.id, target.file, done.error()));
  if (!*done) return std::unexpected(no_such_app(options.id, target.file));
  print_app(options, app, false);
  return finish(options, target);
}

Outcome<int> switch_app(const AppsOptions& options, bool enabled) {
  const std::string verb = enabled ? "enable" : "disable";
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  const auto done = store.set_enabled(options.id, enabled);
  if (!done) return std::unexpected(failed("cannot " + verb + " app " + options.id, target.file, done.error()));
  if (!*done) return std::unexpected(no_such_app(options.id, target.file));
  std::printf("app %s is %sd\n", options.id.c_str(), verb.c_str());
  return finish(options, target);
}

Outcome<int> disable_app(const AppsOptions& options) {
  return switch_app(options, false);
}

Outcome<int> enable_app(const AppsOptions& options) {
  return switch_app(options, true);
}

Outcome<int> remove_app(const AppsOptions& options) {
  TRY(const Target target, find_database(options));
  TRY(AppStore store, open_existing(target));
  TRY(const StoredApp app, find_app(store, target, options.id));
  if (!options.yes) {
    return std::unexpected(Failure{"nothing was removed: app " + app.id + " would lose its secret and its connections",
                                   target.file,
                                   {},
                                   {"kilat apps remove " + app.id + " --yes", "kilat apps disable " + app.id}});
  }
  const auto done = store.remove(options.id);
  if (!done) return std::unexpected(failed("cannot remove app " + options.id, target.file, done.error()));
  if (!*done) return std::unexpected(no_such_app(options.id, target.file));
  std::printf("app %s is removed\n", options.id.c_str());
  return finish(options, target);
}

void take_json(CLI::App& command, AppsOptions& options) {
  command.add_flag("--json", options.json, "As JSON, for programs");
}

void take_set(CLI::App& command, AppsOptions& options) {
  command.add_option("SETTING", options.settings, "Settings of [[app]], as name=value")->type_name("NAME=VALUE");
  command.add_option("--unset", options.unset, "Take a setting away: its default holds again")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

void take_add(CLI::App& command, AppsOptions& options) {
  command.add_option("--key", options.key, "Public key; else a fresh one")->type_name("KEY");
  command.add_option("--secret", options.secret, "Secret; else a fresh one. Others on this machine may see it here")
      ->type_name("SECRET");
  command.add_option("--set", options.settings, "A setting of [[app]], any number of times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  take_json(command, options);
}

void take_show(CLI::App& command, AppsOptions& options) {
  command.add_flag("--secret", options.with_secret, "Print the secrets too");
  take_json(command, options);
}

void take_rotate(CLI::App& command, AppsOptions& options) {
  command.add_option("--keep", options.keep, "How long the old secret stays valid; 0: not at all")
      ->type_name("TIME")
      ->capture_default_str();
  take_json(command, options);
}

void take_remove(CLI::App& command, AppsOptions& options) {
  command.add_flag("--yes", options.yes, "Really");
}

struct Verb {
  const char* name;
  const char* help;
  bool of_app;   ///< names an app
  bool changes;  ///< so that a reload follows
  void (*take)(CLI::App& command, AppsOptions& options);
  Outcome<int> (*run)(const AppsOptions& options);
};

constexpr std::array kVerbs = std::to_array<Verb>({
    {"add", "Add an app, and print its key and secret.", true, true, take_add, add_app},
    {"list", "List the apps, without secrets.", false, false, take_json, list_apps},
    {"show", "Show one app.", true, false, take_show, show_app},
    {"set", "Change settings of an app.", true, true, take_set, set_app},
    {"rotate", "Give an app a new secret; the old one stays valid for a while.", true, true, take_rotate, rotate_app},
    {"disable", "Refuse an app; its connections are closed.", true, true, nullptr, disable_app},
    {"enable", "Serve an app again.", true, true, nullptr, enable_app},
    {"remove", "Remove an app; its connections are closed.", true, true, take_remove, remove_app},
});

void install_verb(CLI::App& command, const Verb& verb, AppsOptions& options) {
  CLI::App* sub = command.add_subcommand(verb.name, verb.help);
  if (verb.of_app) sub->add_option("ID,--id", options.id, "Id of the app")->type_name("ID")->required();
  if (verb.take != nullptr) verb.take(*sub, options);
  sub->add_option("--db", options.database, "The database; else apps.database of the configuration")->type_name("FILE");
  sub->add_option("--config", options.running.config, "Configuration; else what kilat serve would find")
      ->type_name("FILE");
  if (!verb.changes) return;
  sub->add_flag("--reload", options.reload, "Have the running server read it at once");
  sub->add_option("--pid", options.running.pid, "Process number of that server")->type_name("PID");
  sub->add_option("--pid-file", options.running.pid_file, "File with that number")->type_name("FILE");
}

}  // namespace

Action install_apps(CLI::App& command) {
  auto options = std::make_shared<AppsOptions>();
  command.require_subcommand(1);
  for (const Verb& verb : kVerbs) install_verb(command, verb, *options);
  return [options, &command] {
    for (const Verb& verb : kVerbs) {
      if (!command.get_subcommand(verb.name)->parsed()) continue;
      const Outcome<int> code = verb.run(*options);
      return code ? *code : report(code.error());
    }
    return 0;
  };
}

}  // namespace kilat::cli
