#include "store/migrations.h"

#include <array>
#include <string>

#include "base/result.h"

namespace kilat::store {
namespace {

// Values of settings are texts as a KILAT_ variable would have them; what they may be is the schema's business.
constexpr std::array<const char*, 1> kSteps{R"(
  CREATE TABLE app (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created INTEGER NOT NULL,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
  ) STRICT;
  CREATE TABLE app_setting (
    app TEXT NOT NULL REFERENCES app (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (app, name)
  ) STRICT, WITHOUT ROWID;
)"};

// Whether the file is ours, or still empty.
Outcome<bool> is_ours(Database& database, int64_t application_id) {
  TRY(const int64_t id, database.number("PRAGMA application_id"));
  if (id == application_id) return true;
  TRY(const int64_t objects, database.number("SELECT count(*) FROM sqlite_schema"));
  return id == 0 && objects == 0;
}

}  // namespace

std::span<const char* const> migrations() {
  return kSteps;
}

Outcome<void> migrate(Database& database, std::span<const char* const> steps, int64_t application_id) {
  const auto last = static_cast<int64_t>(steps.size());
  TRY(const bool ours, is_ours(database, application_id));
  if (!ours) {
    return std::unexpected(Fault{"it is the database of another program", {"name another file: --db FILE"}});
  }
  TRY(int64_t version, database.number("PRAGMA user_version"));
  while (version < last) {
    TRY(Transaction transaction, Transaction::begin(database));
    // Another process may have gone the step while this one waited.
    TRY(version, database.number("PRAGMA user_version"));
    if (version >= last) break;
    TRY_VOID(database.run(steps[static_cast<size_t>(version)]));
    ++version;
    const std::string stamp = "PRAGMA application_id = " + std::to_string(application_id) +
                              "; PRAGMA user_version = " + std::to_string(version);
    TRY_VOID(database.run(stamp.c_str()));
    TRY_VOID(transaction.commit());
  }
  if (version <= last) return {};
  return std::unexpected(Fault{"a newer kilat has written it (version " + std::to_string(version) +
                                   "; this one knows " + std::to_string(last) + ")",
                               {"use that kilat: kilat version", "restore the backup from before the upgrade"}});
}

}  // namespace kilat::store
