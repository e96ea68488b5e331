#include "config/app_database.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/suggest.h"
#include "config/value.h"

namespace kilat::config {
namespace {

constexpr std::string_view kRow = "apps.database";
constexpr std::array<std::string_view, 6> kColumns{
    "id", "key", "secret", "enabled", "previous_secret", "previous_until"};

void unknown_setting(Document& document, const Place& place, std::string_view name) {
  std::vector<std::string_view> known;
  for (const Row& row : schema()) {
    if (row.of_app() && is_stored_setting(row.name())) known.push_back(row.name());
  }
  const std::string_view near = nearest(name, known);
  add(document.diagnostics, {Severity::kError,
                             place,
                             "no setting of an app is called \"" + std::string(name) + "\"",
                             near.empty() ? std::string() : "did you mean \"" + std::string(near) + "\"?",
                             {}});
}

void apply_setting(Document& document, size_t index, std::string_view name, std::string_view text, const Place& place) {
  const Row* row = is_stored_setting(name) ? find_row("app." + std::string(name)) : nullptr;
  if (row == nullptr) return unknown_setting(document, place, name);
  auto value = parse_text(*row, text);
  if (value) return apply(document, *row, index, std::move(*value), place);
  add(document.diagnostics, {Severity::kError, place, std::string(row->key) + " " + value.error(), {}, {}});
}

// One more app of the document, with every value of `app`.
void append(Document& document, const store::StoredApp& app, const Place& place) {
  const size_t index = document.settings.apps.size();
  document.settings.apps.emplace_back();
  document.places[Document::app_key(index)] = place;
  const auto put = [&](std::string_view key, Value value) {
    apply(document, *find_row(key), index, std::move(value), place);
  };
  put("app.id", app.id);
  put("app.key", app.key);
  put("app.secret", app.secret);
  if (!app.enabled) put("app.enabled", false);
  if (!app.previous_secret.empty()) {
    put("app.previous_secret", app.previous_secret);
    put("app.previous_until", app.previous_until_s);
  }
  for (const auto& [name, text] : app.settings) apply_setting(document, index, name, text, place);
}

Place place_of(std::string_view database, std::string_view id) {
  return {.file = std::string(database) + ", app " + std::string(id), .text = {}};
}

// Where the file's apps stand in the document, by id or by key.
using Taken = std::unordered_map<std::string, size_t>;

// The same id or key in the file and in the database: neither goes before the other, so somebody has to decide.
bool clashes(Document& document, const store::StoredApp& app, const Place& place, const Taken& taken,
             const std::string& value, std::string_view field) {
  const auto found = taken.find(value);
  if (found == taken.end()) return false;
  const auto at = document.places.find(Document::app_key(found->second, field));
  const std::string where = at == document.places.end() ? "the configuration" : render(at->second);
  add(document.diagnostics, {Severity::kError,
                             place,
                             "this " + std::string(field) + " is also in " + where + ", of app \"" +
                                 document.settings.apps[found->second].id + "\"",
                             {},
                             {"kilat apps remove " + app.id + " --yes", "take the [[app]] out of the file"}});
  return true;
}

void place_file(Document& document, std::string_view row, std::string& file,
                const std::filesystem::path& working_directory) {
  if (file.empty()) return;
  const auto found = document.places.find(std::string(row));
  std::filesystem::path base = working_directory;
  if (found != document.places.end() && found->second.line > 0)
    base = std::filesystem::path(found->second.file).parent_path();
  std::error_code ignored;
  file = std::filesystem::absolute(base / file, ignored).lexically_normal().string();
}

}  // namespace

void place_files(Document& document, const std::filesystem::path& working_directory) {
  place_file(document, kRow, document.settings.app_store.database, working_directory);
  place_file(document, "history.file", document.settings.history.file, working_directory);
  place_file(document, "ingest.file", document.settings.ingest.file, working_directory);
}

void add_stored_apps(Document& document, uint64_t now_unix_s) {
  const std::string& database = document.settings.app_store.database;
  if (database.empty()) return;
  auto store = store::AppStore::open(database);
  auto apps = store ? store->all() : std::unexpected(std::move(store.error()));
  if (!apps) {
    std::vector<std::string> remedies = std::move(apps.error().remedies);
    std::error_code ignored;
    if (!std::filesystem::exists(database, ignored))
      remedies = {"kilat apps add NAME   (makes it)", "take apps.database out of the configuration"};
    add(document.diagnostics, {Severity::kError,
                               {.file = database, .text = {}},
                               "cannot use the database of apps: " + apps.error().why,
                               {},
                               std::move(remedies)});
    return;
  }
  document.stored_apps = true;
  Taken ids;
  Taken keys;
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    ids.emplace(document.settings.apps[i].id, i);
    keys.emplace(document.settings.apps[i].key, i);
  }
  for (store::StoredApp& app : *apps) {
    const Place place = place_of(database, app.id);
    if (clashes(document, app, place, ids, app.id, "id") || clashes(document, app, place, keys, app.key, "key"))
      continue;
    if (app.previous_until_s <= now_unix_s) app.previous_secret.clear();
    append(document, app, place);
  }
}

Diagnostics check_stored_app(const store::StoredApp& app, std::string_view origin) {
  Document document;
  append(document, app, {.file = std::string(origin), .text = {}});
  return std::move(document.diagnostics);
}

bool is_stored_setting(std::string_view name) {
  if (std::ranges::find(kColumns, name) != kColumns.end()) return false;
  return find_row("app." + std::string(name)) != nullptr;
}

}  // namespace kilat::config
