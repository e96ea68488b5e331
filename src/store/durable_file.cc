#include "store/durable_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/result.h"
#include "store/migrations.h"

namespace kilat::store {
namespace {

Outcome<void> create(const std::filesystem::path& file) {
  // An empty file is an empty database, so a crash at any moment from here on leaves nothing half made.
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno != EEXIST) return std::unexpected(Fault{std::strerror(errno), {}});
  if (descriptor >= 0) ::close(descriptor);
  return {};
}

Outcome<void> set_up(Database& database, const DurableFile::Options& options) {
  // SQLite opens what it may not write for reading, and would only say so when something is written.
  if (sqlite3_db_readonly(database.handle(), "main") != 0) {
    return std::unexpected(Fault{"the file and its folder must be writable", {}});
  }
  TRY(Statement wal, database.prepare("PRAGMA journal_mode = WAL"));
  TRY([[maybe_unused]] const bool row, wal.step());
  if (wal.text(0) != "wal") {
    return std::unexpected(Fault{"its file system does not allow SQLite's WAL mode", {}});
  }
  wal.reset();
  // Events are no secrets that must be wiped, so secure_delete would only cost. The WAL is checkpointed by us, after
  // those who wait for a commit have been told.
  const std::string pragmas =
      "PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = OFF;"
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
      "PRAGMA cache_size = -" +
      std::to_string(options.cache_kib);
  TRY_VOID(database.run(pragmas.c_str()));
  TRY_VOID(migrate(database, options.steps, options.application_id));
  // The first transaction that may write takes the exclusive lock, which is then kept.
  TRY(Transaction lock, Transaction::begin(database));
  return lock.commit();
}

}  // namespace

struct DurableFile::Statements {
  Statement checkpoint;
  Statement heal;
};

void DurableFile::Delete::operator()(Statements* statements) const {
  delete statements;
}

DurableFile::DurableFile(Database database, size_t steps) : database_(std::move(database)), steps_(steps) {
  sqlite3_wal_hook(
      database_.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<DurableFile*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
}

Outcome<std::unique_ptr<DurableFile>> DurableFile::open(const Options& options) {
  const auto attempt = [&]() -> Outcome<std::unique_ptr<DurableFile>> {
    TRY_VOID(create(options.file));
    TRY(Database database, Database::open(options.file, options.busy_ms, options.check_bytes_max));
    TRY_VOID(set_up(database, options));
    std::unique_ptr<DurableFile> out(new DurableFile(std::move(database), options.steps.size()));
    TRY_VOID(out->prepare_own());
    return out;
  };
  auto out = attempt();
  if (!out) {
    const std::string name = "'" + options.file.string() + "'";
    out.error().remedies = {
        "see who may write it, and who does: ls -l " + name + "; fuser " + name, "restore it from a backup",
        "move it and " + name + "-wal away: then " + std::string(options.begins_anew) + " begins anew"};
  }
  return out;
}

Outcome<void> DurableFile::prepare_own() {
  TRY(Statement checkpoint, prepare("PRAGMA wal_checkpoint(PASSIVE)"));
  TRY(Statement heal, prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
  sql_.reset(new Statements{std::move(checkpoint), std::move(heal)});
  return {};
}

Outcome<bool> DurableFile::step(Statement& statement) {
  auto out = statement.step();
  if (out) return out;
  if (out.error().damaged) damaged_ = true;
  statement.reset();
  return out;
}

Outcome<void> DurableFile::run(Statement& statement) {
  TRY([[maybe_unused]] const bool row, step(statement));
  statement.reset();
  return {};
}

int64_t DurableFile::last_rowid() const {
  return sqlite3_last_insert_rowid(database_.handle());
}

Outcome<void> DurableFile::checkpoint_if_due() {
  if (wal_pages_ < kCheckpointPages) return {};
  TRY_VOID(run(sql_->checkpoint));
  wal_pages_ = 0;
  return {};
}

Outcome<void> DurableFile::heal() {
  TRY([[maybe_unused]] const bool row, step(sql_->heal));
  const bool busy = sql_->heal.number(0) != 0;
  sql_->heal.reset();
  if (busy) return std::unexpected(Fault{"its WAL is in use", {}});
  wal_pages_ = 0;
  return {};
}

Outcome<void> DurableFile::probe() {
  TRY(Transaction transaction, begin());
  // Writing the number anew writes its page, although it stays the same.
  const std::string same = "PRAGMA user_version = " + std::to_string(steps_);
  TRY_VOID(database_.run(same.c_str()));
  return transaction.commit();
}

}  // namespace kilat::store
