// The apps of the SQLite file that apps.database names, on their way into a Document: every value goes through the same
// schema as the file's. Main thread, at start, at a reload, and for commands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "config/document.h"
#include "store/app_store.h"

namespace kilat::config {

/// Makes apps.database, history.file and ingest.file absolute: what the configuration file says counts from its folder,
/// what an environment variable or a flag says from `working_directory`.
void place_files(Document& document, const std::filesystem::path& working_directory);

/// Adds the apps of apps.database behind those of the file; nothing where that is empty. An id or key that the document
/// has already, a value that the schema refuses, and a file that cannot be used are errors in the document. A previous
/// secret that has ended at `now_unix_s` is left out.
void add_stored_apps(Document& document, uint64_t now_unix_s);

/// What the schema says about one app, named `origin` in messages; empty when it may be stored.
Diagnostics check_stored_app(const store::StoredApp& app, std::string_view origin);

/// Whether `name` is a setting that an app of the database may have: a row of [[app]] but for those with a column of
/// their own (id, key, secret, enabled, previous_secret, previous_until).
bool is_stored_setting(std::string_view name);

}  // namespace kilat::config
