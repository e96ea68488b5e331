#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/json_text.h"
#include "base/utf8_repair.h"
#include "cli/check_access.h"
#include "cli/command.h"
#include "config/diff.h"
#include "config/load.h"

namespace kilat::cli {
namespace {

using config::Diagnostic;
using config::Diagnostics;
using config::Severity;

struct CheckOptions {
  std::string file;
  std::string subject;  ///< a file, or with --who and --token a channel
  bool asks_access = false;
  AccessQuestion access;
  bool diff = false;
  bool json = false;
};

// The defaults, for the same apps: what names an app has no default.
config::Settings defaults_for(const config::Settings& settings) {
  config::Settings out;
  for (const hub::AppSettings& app : settings.apps) {
    hub::AppSettings plain;
    plain.id = app.id;
    plain.key = app.key;
    plain.secret = app.secret;
    out.apps.push_back(std::move(plain));
  }
  return out;
}

// "kilat.toml:7:1", "KILAT_SERVER_PORT"; "" for a default of the server whose names are read.
std::string origin_of(const config::Change& change, const config::Loaded& loaded) {
  std::string key = change.path;
  const auto& apps = loaded.settings.apps;
  for (size_t i = 0; i < apps.size() && !change.app_id.empty(); ++i) {
    const std::string prefix = "app." + change.app_id + ".";
    if (apps[i].id == change.app_id) key = config::Document::app_key(i, change.path.substr(prefix.size()));
  }
  auto found = loaded.places.find(key);
  if (found == loaded.places.end() && (key == "server.host" || key == "server.port"))
    found = loaded.places.find("server.listen");
  return found == loaded.places.end() ? std::string{} : config::render(found->second);
}

std::string name_of(const config::Loaded& loaded) {
  const std::string whose(config::dialect_name(loaded.dialect));
  if (loaded.source == config::Source::kEnvironment && !whose.empty())
    return (loaded.path.empty() ? "the environment" : loaded.path) + " (names of " + whose + ")";
  return loaded.path.empty() ? "the environment" : loaded.path;
}

std::string counted(size_t count, std::string_view one, std::string_view several) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : several);
}

void append_problems(std::string& out, const Diagnostics& list, Severity severity) {
  out += '[';
  for (const Diagnostic& entry : list) {
    if (entry.severity != severity) continue;
    if (out.back() != '[') out += ',';
    out += "{\"place\":" + json_string(repair_utf8(entry.place.file)) +
           ",\"line\":" + std::to_string(entry.place.line) + ",\"column\":" + std::to_string(entry.place.column) +
           ",\"message\":" + json_string(repair_utf8(entry.message)) +
           ",\"hint\":" + json_string(repair_utf8(entry.hint)) + ",\"remedies\":[";
    for (const std::string& remedy : entry.remedies)
      out += (out.back() == '[' ? "" : ",") + json_string(repair_utf8(remedy));
    out += "]}";
  }
  out += ']';
}

std::string json_report(const Diagnostics& problems, const config::Loaded* loaded) {
  std::string out = "{\"valid\":" + std::string(loaded != nullptr ? "true" : "false");
  if (loaded != nullptr) {
    out += ",\"source\":" + json_string(repair_utf8(name_of(*loaded))) +
           ",\"apps\":" + std::to_string(loaded->settings.apps.size());
    out += ",\"changes\":[";
    for (const config::Change& change : config::diff(defaults_for(loaded->settings), loaded->settings)) {
      if (out.back() != '[') out += ',';
      out += "{\"path\":" + json_string(change.path) + ",\"default\":" + json_string(change.before) +
             ",\"value\":" + json_string(change.after) +
             ",\"place\":" + json_string(repair_utf8(origin_of(change, *loaded))) +
             ",\"needs_restart\":" + (change.needs_restart ? "true" : "false") + "}";
    }
    out += ']';
  }
  out += ",\"errors\":";
  append_problems(out, problems, Severity::kError);
  out += ",\"warnings\":";
  append_problems(out, problems, Severity::kWarning);
  return out + "}\n";
}

void print_diff(const config::Loaded& loaded) {
  for (const config::Change& change : config::diff(defaults_for(loaded.settings), loaded.settings)) {
    const std::string origin = origin_of(change, loaded);
    std::printf("%s%s%s\n", config::describe(change).c_str(), origin.empty() ? "" : "    ", origin.c_str());
  }
}

int explain(const config::Loaded& loaded, const CheckOptions& options) {
  AccessQuestion question = options.access;
  question.channel = options.subject;
  const auto answer = explain_access(loaded, question);
  if (!answer) return report(answer.error());
  std::fputs(answer->text.c_str(), stdout);
  return answer->may_subscribe ? 0 : 1;
}

int succeed(const config::Loaded& loaded, const CheckOptions& options) {
  if (options.asks_access) return explain(loaded, options);
  if (options.json) {
    std::fputs(json_report(loaded.warnings, &loaded).c_str(), stdout);
    return 0;
  }
  std::fputs(config::render(loaded.warnings).c_str(), stderr);
  if (options.diff) {
    print_diff(loaded);
    return 0;
  }
  const size_t changes = config::diff(defaults_for(loaded.settings), loaded.settings).size();
  std::printf("%s is valid: %s, %s from the defaults%s\n", name_of(loaded).c_str(),
              counted(loaded.settings.apps.size(), "app", "apps").c_str(),
              changes == 0 ? "no setting differs" : counted(changes, "setting differs", "settings differ").c_str(),
              changes == 0 ? "" : " (kilat check --diff)");
  return 0;
}

// What `kilat serve` with the same file would say, in this environment, without starting anything or making files.
int check(const CheckOptions& options) {
  config::LoadRequest request;
  if (!options.file.empty()) request.file = options.file;
  if (options.file.empty() && !options.asks_access && !options.subject.empty()) request.file = options.subject;
  request.environment = config::process_environment();
  request.key_files = true;
  const auto loaded = config::load(request);
  if (loaded) return succeed(*loaded, options);
  if (options.json) {
    std::fputs(json_report(loaded.error(), nullptr).c_str(), stdout);
  } else {
    std::fputs(config::render(loaded.error()).c_str(), stderr);
  }
  return 1;
}

}  // namespace

Action install_check(CLI::App& command) {
  auto options = std::make_shared<CheckOptions>();
  command.add_option("FILE", options->subject,
                     "Configuration; else what kilat serve would find. With --who or --token: a channel");
  command.add_option("--config", options->file, "Configuration, as kilat serve takes it")->type_name("FILE");
  auto* who = command.add_option("--who", options->access.who, "Explain what somebody with these claims may do there")
                  ->type_name("JSON");
  auto* token = command.add_option("--token", options->access.token, "The same for the bearer of a token, checking it")
                    ->type_name("TOKEN");
  who->excludes(token);
  command.add_option("--app", options->access.app, "The app that is meant, where there are several")->type_name("ID");
  command.add_flag("--diff", options->diff, "Show what differs from the defaults, and where it was set");
  command.add_flag("--json", options->json, "As one JSON object, for programs");
  return [options, who, token] {
    options->asks_access = who->count() + token->count() > 0;
    return check(*options);
  };
}

}  // namespace kilat::cli
