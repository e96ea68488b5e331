#include "config/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/clock.h"
#include "config/app_database.h"
#include "config/dev_file.h"
#include "config/dotenv.h"
#include "config/foreign.h"
#include "config/listen.h"
#include "config/soketi_json.h"
#include "config/text_rules.h"
#include "config/token_key_files.h"
#include "config/toml_reader.h"

namespace kilat::config {
namespace {

namespace fs = std::filesystem;

std::unexpected<Diagnostics> refused(std::string message, std::vector<std::string> remedies) {
  return std::unexpected(Diagnostics{{Severity::kError, {}, std::move(message), {}, std::move(remedies)}});
}

// A file that exists but cannot be read is an error further on, not a reason to look elsewhere.
std::optional<fs::path> find_file(const LoadRequest& request) {
  if (request.file) return fs::path(*request.file);
  for (const fs::path& candidate : {request.working_directory / "kilat.toml", request.system_file}) {
    std::error_code ignored;
    if (fs::exists(candidate, ignored)) return candidate;
  }
  return std::nullopt;
}

std::string shown(const fs::path& path) {
  return path.lexically_normal().string();
}

bool app_from_environment(const std::vector<Override>& overrides) {
  const auto given = [&](const char* key) {
    return std::ranges::any_of(overrides, [&](const Override& entry) { return entry.key == key; });
  };
  return given("apps.database") || std::ranges::all_of(std::array{"app.id", "app.key", "app.secret"}, given);
}

std::expected<Document, Diagnostics> read_file(const fs::path& path, std::span<const std::string> variables) {
  auto text = read_whole_file(path, kFileBytesMax);
  if (!text)
    return refused(text.error(), {"kilat serve --config FILE", "kilat serve   (in a folder with a kilat.toml)"});
  return is_soketi_json(*text) ? read_soketi_json(*text, shown(path)) : read_toml(*text, shown(path), variables);
}

// The foreign names of the environment and, behind them, of ./.env.
ForeignSettings with_dotenv(const LoadRequest& request) {
  std::vector<std::string> entries = request.environment;
  if (const auto text = read_whole_file(request.working_directory / ".env", kFileBytesMax)) {
    std::vector<std::string> more = parse_dotenv(*text, request.environment);
    // Of two lines the later counts, of two entries the first.
    std::ranges::reverse(more);
    std::ranges::move(more, std::back_inserter(entries));
  }
  return foreign_environment(entries);
}

std::expected<Document, Diagnostics> read_dev_file(const LoadRequest& request, std::string& path) {
  const fs::path expected_path = dev_file_path(request.working_directory);
  std::error_code ignored;
  if (!request.make_dev_app && !fs::exists(expected_path, ignored)) {
    return refused(
        "no configuration: neither ./kilat.toml nor " + request.system_file.string() + " nor ./.kilat/dev.toml exists",
        {"kilat serve   (in this folder, starts development mode)", "--config FILE",
         "--url http://HOST:PORT --key KEY --secret SECRET"});
  }
  auto file = open_dev_file(request.working_directory);
  if (!file) return refused("development mode: " + file.error(), {"kilat serve --config FILE"});
  path = shown(file->path);
  return read_toml(file->text, path);
}

// A development key guards nothing that a stranger could reach, so development mode stays on this machine.
void refuse_public_host(Document& document) {
  const std::vector<Listen> all = listeners(document.settings.server);
  const auto open = std::ranges::find_if(all, [](const Listen& one) { return !one.local() && !is_loopback(one.host); });
  if (open == all.end()) return;
  const std::string& host = open->host;
  const auto place = document.places.find("server.host");
  const Place from = place == document.places.end() ? Place{} : place->second;
  add(document.diagnostics,
      {Severity::kError,
       {.file = from.file, .text = {}},
       "host " + host + " needs a configuration file: without one kilat runs in development mode, on loopback only",
       {},
       {"kilat serve   (127.0.0.1, development app)",
        "kilat init --listen " + join_listen(host, open->port) + " > kilat.toml",
        "KILAT_APP_ID=… KILAT_APP_KEY=… KILAT_APP_SECRET=… kilat serve --host " + host}});
}

// Where a development app was made or a file was written for Kilat, .env is only what the application connects with.
bool app_in_dotenv(const LoadRequest& request, ForeignSettings& foreign, std::string& path) {
  std::error_code ignored;
  if (fs::exists(dev_file_path(request.working_directory), ignored)) return false;
  ForeignSettings wider = with_dotenv(request);
  if (!wider.has_app) return false;
  foreign = std::move(wider);
  path = ".env";
  return true;
}

// Half an app of another server beside the development app would be neither. Soketi would fill the gaps with the
// credentials of its manual, which everybody knows.
void drop_credentials(ForeignSettings& foreign) {
  if (foreign.dialect == Dialect::kNone) return;
  std::string given;
  std::erase_if(foreign.overrides, [&](const Override& entry) {
    if (!is_required(*find_row(entry.key))) return false;
    given += (given.empty() ? "" : ", ") + entry.from;
    return true;
  });
  const std::string name(dialect_name(foreign.dialect));
  const std::string missing = foreign.dialect == Dialect::kSoketi
                                  ? "SOKETI_DEFAULT_APP_ID, _KEY and _SECRET"
                                  : "REVERB_APP_ID, REVERB_APP_KEY and REVERB_APP_SECRET";
  add(foreign.warnings, {Severity::kWarning,
                         {.file = given, .text = {}},
                         "the variables of " + name + " give no whole app, so Kilat makes one for development",
                         {},
                         {"set " + missing, "kilat init > kilat.toml"}});
}

void require_app(Document& document, const std::string& path) {
  // After a syntax error nothing is known about the apps.
  if (!document.settings.apps.empty() || has_errors(document.diagnostics)) return;
  if (const std::string& database = document.settings.app_store.database; !database.empty()) {
    // Apps may come while the server runs.
    add(document.diagnostics, {Severity::kWarning,
                               {.file = database, .text = {}},
                               "there is no app yet, so nobody can connect",
                               {},
                               {"kilat apps add NAME --reload"}});
    return;
  }
  add(document.diagnostics, {Severity::kError,
                             {.file = path, .text = {}},
                             "there is no app, so nobody could connect",
                             {},
                             {"add [[app]] with id, key and secret (kilat init prints one)",
                              "set KILAT_APP_ID, KILAT_APP_KEY, KILAT_APP_SECRET"}});
}

}  // namespace

std::expected<Loaded, Diagnostics> load(const LoadRequest& request) {
  Loaded out;
  const std::vector<Override> environment = environment_overrides(request.environment, out.warnings);
  ForeignSettings foreign = foreign_environment(request.environment);

  std::expected<Document, Diagnostics> document;
  if (request.text) {
    document = read_toml(*request.text, "the text", request.variables);
  } else if (const auto file = find_file(request)) {
    out.source = Source::kFile;
    out.path = shown(*file);
    document = read_file(*file, request.variables);
    if (document && document->foreign) foreign = with_dotenv(request);
  } else if (app_from_environment(environment)) {
    out.source = Source::kEnvironment;
  } else if (foreign.has_app || app_in_dotenv(request, foreign, out.path)) {
    out.source = Source::kEnvironment;
    out.dialect = foreign.dialect;
    document->settings.apps.emplace_back();
    set_defaults(*document, out.dialect, std::nullopt);
    set_defaults(*document, out.dialect, 0);
  } else {
    out.source = Source::kDevelopment;
    drop_credentials(foreign);
    document = read_dev_file(request, out.path);
  }
  if (!document) return std::unexpected(std::move(document.error()));

  // Laravel's names only say what an application connects with, so they give way to any other app.
  const bool fallback = foreign.dialect == Dialect::kLaravel && out.dialect != Dialect::kLaravel;
  if (!fallback || document->settings.apps.empty()) apply_foreign(*document, foreign);
  apply_overrides(*document, environment);
  apply_overrides(*document, request.flags);
  place_files(*document, request.working_directory);
  if (request.stored_apps) add_stored_apps(*document, unix_ms() / 1'000);
  place_key_files(*document, request.working_directory);
  if (request.key_files) check_key_files(*document);
  require_app(*document, out.path);
  if (out.source == Source::kDevelopment) refuse_public_host(*document);
  validate(*document);

  Diagnostics all = std::move(document->diagnostics);
  for (Diagnostics* more : {&foreign.warnings, &out.warnings}) {
    for (Diagnostic& warning : *more) add(all, std::move(warning));
  }
  if (has_errors(all)) return std::unexpected(std::move(all));
  out.warnings = std::move(all);
  out.settings = std::move(document->settings);
  out.places = std::move(document->places);
  return out;
}

std::vector<std::string> process_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

}  // namespace kilat::config
