#include "store/app_store.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/result.h"
#include "store/migrations.h"

namespace kilat::store {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, key, secret, previous_secret, previous_until, enabled, created FROM app ";

StoredApp app_of(const Statement& row) {
  StoredApp out;
  out.id = row.text(0);
  out.key = row.text(1);
  out.secret = row.text(2);
  out.previous_secret = row.text(3);
  out.previous_until_s = static_cast<uint64_t>(row.number(4));
  out.enabled = row.number(5) != 0;
  out.created_s = static_cast<uint64_t>(row.number(6));
  return out;
}

Fault cannot_create(const std::filesystem::path& file, int code) {
  const std::string folder = file.has_parent_path() ? file.parent_path().string() : ".";
  Fault out{std::string(std::strerror(code)), {}};
  if (code == ENOENT) out.remedies = {"mkdir -p '" + folder + "'"};
  if (code == EACCES || code == EROFS || code == EPERM) {
    out.remedies = {"run it as the user of the server: sudo -u kilat kilat apps …", "ls -ld '" + folder + "'"};
  }
  return out;
}

// The whole file is made under another name and then gives itself this one: link() fails where the name exists.
Outcome<void> create(const std::filesystem::path& file) {
  std::string draft = file.string() + ".XXXXXX";
  const int descriptor = ::mkstemp(draft.data());  // mode 0600
  if (descriptor < 0) return std::unexpected(cannot_create(file, errno));
  ::close(descriptor);
  const auto fill = [&draft]() -> Outcome<void> {
    TRY(Database database, Database::open(draft));
    TRY_VOID(database.run("PRAGMA journal_mode = WAL"));
    return migrate(database, migrations());
  };
  Outcome<void> done = fill();
  if (done && ::link(draft.c_str(), file.c_str()) != 0 && errno != EEXIST) {
    done = std::unexpected(cannot_create(file, errno));
  }
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((draft + suffix).c_str());
  return done;
}

}  // namespace

Outcome<AppStore> AppStore::open(const std::filesystem::path& file, uint32_t busy_ms) {
  TRY(Database database, Database::open(file, busy_ms));
  TRY_VOID(migrate(database, migrations()));
  return AppStore(std::move(database));
}

Outcome<AppStore> AppStore::open_or_create(const std::filesystem::path& file, uint32_t busy_ms) {
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT) TRY_VOID(create(file));
  return open(file, busy_ms);
}

Outcome<std::vector<StoredApp>> AppStore::all() {
  // One read transaction, so that apps and settings are of the same moment.
  TRY_VOID(database_.run("BEGIN"));
  const auto read = [this]() -> Outcome<std::vector<StoredApp>> {
    std::vector<StoredApp> out;
    TRY(Statement apps, database_.prepare(std::string(kColumns) + "ORDER BY id"));
    for (;;) {
      TRY(const bool row, apps.step());
      if (!row) break;
      if (out.size() == kAppsMax) {
        return std::unexpected(
            Fault{"it holds more than " + std::to_string(kAppsMax) + " apps", {"kilat apps remove ID"}});
      }
      out.push_back(app_of(apps));
    }
    TRY(Statement settings, database_.prepare("SELECT app, name, value FROM app_setting ORDER BY app"));
    auto app = out.begin();
    for (;;) {
      TRY(const bool row, settings.step());
      if (!row) return out;
      const std::string id = settings.text(0);
      while (app != out.end() && app->id < id) ++app;
      if (app != out.end() && app->id == id) app->settings.emplace(settings.text(1), settings.text(2));
    }
  };
  auto out = read();
  [[maybe_unused]] const auto ended = database_.run("ROLLBACK");
  return out;
}

Outcome<std::optional<StoredApp>> AppStore::find(std::string_view id) {
  TRY(std::vector<StoredApp> apps, all());
  for (StoredApp& app : apps) {
    if (app.id == id) return std::optional(std::move(app));
  }
  return std::optional<StoredApp>();
}

Outcome<void> AppStore::add(const StoredApp& app) {
  TRY(Transaction transaction, Transaction::begin(database_));
  TRY(const int64_t count, database_.number("SELECT count(*) FROM app"));
  if (count >= static_cast<int64_t>(kAppsMax)) {
    return std::unexpected(Fault{"it is full: " + std::to_string(kAppsMax) + " apps", {"kilat apps remove ID"}});
  }
  TRY(Statement taken, database_.prepare("SELECT id, id = ?1 FROM app WHERE id = ?1 OR key = ?2"));
  TRY(const bool row, taken.bind(1, app.id).bind(2, app.key).step());
  if (row) {
    const std::string other = taken.text(0);
    if (taken.number(1) != 0) {
      return std::unexpected(
          Fault{"it already has an app " + other, {"kilat apps show " + other, "choose another id"}});
    }
    return std::unexpected(Fault{"its app " + other + " already has this key", {"choose another key, or none"}});
  }
  TRY(Statement insert,
      database_.prepare("INSERT INTO app (id, key, secret, enabled, created) VALUES (?, ?, ?, ?, ?)"));
  insert.bind(1, app.id).bind(2, app.key).bind(3, app.secret).bind(4, int64_t{app.enabled});
  TRY([[maybe_unused]] const bool more, insert.bind(5, static_cast<int64_t>(app.created_s)).step());
  for (const auto& [name, value] : app.settings) TRY_VOID(put_setting(app.id, name, value));
  return transaction.commit();
}

Outcome<void> AppStore::put_setting(std::string_view id, std::string_view name, std::string_view value) {
  TRY(Statement put, database_.prepare("INSERT OR REPLACE INTO app_setting (app, name, value) VALUES (?, ?, ?)"));
  TRY([[maybe_unused]] const bool more, put.bind(1, id).bind(2, name).bind(3, value).step());
  return {};
}

Outcome<bool> AppStore::change(Statement& statement) {
  TRY([[maybe_unused]] const bool more, statement.step());
  return database_.changes() > 0;
}

Outcome<bool> AppStore::rotate(std::string_view id, std::string_view secret, uint64_t previous_until_s) {
  // Right-hand sides see the row as it was.
  TRY(Statement update, database_.prepare("UPDATE app SET previous_secret = iif(?2 IS NULL, NULL, secret), "
                                          "previous_until = ?2, secret = ?3 WHERE id = ?1"));
  update.bind(1, id).bind(3, secret);
  if (previous_until_s == 0) {
    update.bind_null(2);
  } else {
    update.bind(2, static_cast<int64_t>(previous_until_s));
  }
  return change(update);
}

Outcome<bool> AppStore::set_enabled(std::string_view id, bool enabled) {
  TRY(Statement update, database_.prepare("UPDATE app SET enabled = ?2 WHERE id = ?1"));
  return change(update.bind(1, id).bind(2, int64_t{enabled}));
}

Outcome<bool> AppStore::set(std::string_view id, const std::map<std::string, std::optional<std::string>>& settings) {
  TRY(Transaction transaction, Transaction::begin(database_));
  TRY(Statement known, database_.prepare("SELECT 1 FROM app WHERE id = ?"));
  TRY(const bool row, known.bind(1, id).step());
  if (!row) return false;
  for (const auto& [name, value] : settings) {
    if (value) {
      TRY_VOID(put_setting(id, name, *value));
      continue;
    }
    TRY(Statement drop, database_.prepare("DELETE FROM app_setting WHERE app = ? AND name = ?"));
    TRY([[maybe_unused]] const bool more, drop.bind(1, id).bind(2, name).step());
  }
  TRY_VOID(transaction.commit());
  return true;
}

Outcome<bool> AppStore::remove(std::string_view id) {
  TRY(Statement remove, database_.prepare("DELETE FROM app WHERE id = ?"));
  return change(remove.bind(1, id));
}

}  // namespace kilat::store
