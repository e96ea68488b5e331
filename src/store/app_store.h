// AppStore: the apps in a SQLite file, for `kilat apps` and for the load of the configuration.
// Owner: one thread, for one command or one load. Every change is one transaction; several processes may use the file
// at once. Bound: kAppsMax apps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"

namespace kilat::store {

struct StoredApp {
  std::string id;
  std::string key;
  std::string secret;
  std::string previous_secret;    ///< signs as well until previous_until_s; empty: none
  uint64_t previous_until_s = 0;  ///< seconds since 1970
  bool enabled = true;
  uint64_t created_s = 0;                       ///< seconds since 1970
  std::map<std::string, std::string> settings;  ///< name without "app." → value as a KILAT_ variable has it
};

class AppStore {
 public:
  static constexpr size_t kAppsMax = 10'000;

  /// Opens a file that exists, and brings it to the newest version.
  static Outcome<AppStore> open(const std::filesystem::path& file, uint32_t busy_ms = Database::kBusyMs);
  /// Makes the file, of mode 0600, if there is none. Its folder must exist. Of two processes at once both use the file
  /// of the first; nobody ever sees half of one.
  static Outcome<AppStore> open_or_create(const std::filesystem::path& file, uint32_t busy_ms = Database::kBusyMs);

  /// All apps, sorted by id.
  Outcome<std::vector<StoredApp>> all();
  Outcome<std::optional<StoredApp>> find(std::string_view id);

  /// Refused when the id or the key is taken, or the store is full.
  Outcome<void> add(const StoredApp& app);
  /// Gives the app a new secret. The present one stays valid until `previous_until_s` (seconds since 1970), not at all
  /// when that is 0; one that was valid beside it ends. False: no such app.
  Outcome<bool> rotate(std::string_view id, std::string_view secret, uint64_t previous_until_s);
  /// False: no such app.
  Outcome<bool> set_enabled(std::string_view id, bool enabled);
  /// Sets each name to its value, or takes the setting away where there is none. False: no such app.
  Outcome<bool> set(std::string_view id, const std::map<std::string, std::optional<std::string>>& settings);
  /// False: no such app.
  Outcome<bool> remove(std::string_view id);

 private:
  explicit AppStore(Database database) : database_(std::move(database)) {}
  Outcome<void> put_setting(std::string_view id, std::string_view name, std::string_view value);
  Outcome<bool> change(Statement& statement);

  Database database_;
};

}  // namespace kilat::store
