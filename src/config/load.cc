#include "config/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/dev_file.h"
#include "config/text_rules.h"
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
  return std::ranges::all_of(std::array{"app.id", "app.key", "app.secret"}, [&](const char* key) {
    return std::ranges::any_of(overrides, [&](const Override& given) { return given.key == key; });
  });
}

std::expected<Document, Diagnostics> read_file(const fs::path& path) {
  auto text = read_whole_file(path, kFileBytesMax);
  if (!text)
    return refused(text.error(), {"kilat serve --config FILE", "kilat serve   (in a folder with a kilat.toml)"});
  return read_toml(*text, shown(path));
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
  const std::string& host = document.settings.server.host;
  if (is_loopback(host)) return;
  const auto place = document.places.find("server.host");
  const Place from = place == document.places.end() ? Place{} : place->second;
  add(document.diagnostics,
      {Severity::kError,
       {.file = from.file, .text = {}},
       "host " + host + " needs a configuration file: without one kilat runs in development mode, on loopback only",
       {},
       {"kilat serve   (127.0.0.1, development app)",
        "write kilat.toml with [server] listen = \"" + join_listen(host, document.settings.server.port) +
            "\" and an [[app]] with id, key and secret",
        "KILAT_APP_ID=… KILAT_APP_KEY=… KILAT_APP_SECRET=… kilat serve --host " + host}});
}

void require_app(Document& document, const std::string& path) {
  // After a syntax error nothing is known about the apps.
  if (!document.settings.apps.empty() || has_errors(document.diagnostics)) return;
  add(document.diagnostics,
      {Severity::kError,
       {.file = path, .text = {}},
       "there is no app, so nobody could connect",
       {},
       {"add [[app]] with id, key and secret", "set KILAT_APP_ID, KILAT_APP_KEY, KILAT_APP_SECRET"}});
}

}  // namespace

std::expected<Loaded, Diagnostics> load(const LoadRequest& request) {
  Loaded out;
  const std::vector<Override> environment = environment_overrides(request.environment, out.warnings);

  std::expected<Document, Diagnostics> document;
  if (const auto file = find_file(request)) {
    out.source = Source::kFile;
    out.path = shown(*file);
    document = read_file(*file);
  } else if (app_from_environment(environment)) {
    out.source = Source::kEnvironment;
  } else {
    out.source = Source::kDevelopment;
    document = read_dev_file(request, out.path);
  }
  if (!document) return std::unexpected(std::move(document.error()));

  apply_overrides(*document, environment);
  apply_overrides(*document, request.flags);
  require_app(*document, out.path);
  if (out.source == Source::kDevelopment) refuse_public_host(*document);
  validate(*document);
  if (has_errors(document->diagnostics)) {
    Diagnostics all = std::move(document->diagnostics);
    for (Diagnostic& warning : out.warnings) add(all, std::move(warning));
    return std::unexpected(std::move(all));
  }
  out.settings = std::move(document->settings);
  return out;
}

std::vector<std::string> process_environment() {
  std::vector<std::string> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

}  // namespace kilat::config
