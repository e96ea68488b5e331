#include "store/database.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/result.h"

namespace kilat::store {
namespace {

Fault damaged(const std::string& file, const std::string& detail) {
  return {"the file is damaged (" + detail + ")",
          {"restore it from a backup", "save what can be read: sqlite3 '" + file + "' .recover | sqlite3 new.db",
           "move it away and begin again: kilat apps add NAME"},
          true};
}

// `code` is a result of SQLite for `connection`, which may be null when there was no memory for one.
Fault fault_of(sqlite3* connection, int code) {
  const char* name = connection == nullptr ? nullptr : sqlite3_db_filename(connection, "main");
  const std::string file = name == nullptr ? "" : name;
  const std::string detail = connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
  switch (code & 0xff) {  // the rest is SQLite's extended code
    case SQLITE_NOTADB:
      return {"it is not a SQLite database, or damaged",
              {"name another file: --db FILE", "restore it from a backup"},
              true};
    case SQLITE_CORRUPT: return damaged(file, detail);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {"another process is writing to it", {"try again", "fuser '" + file + "'"}};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {detail + "; the file and its folder must be writable",
              {"run it as the user of the server: sudo -u kilat kilat apps …", "ls -ld '" + file + "'"}};
    case SQLITE_FULL: return {"the disk is full", {"df -h"}};
    default: return {detail, {"try again", "the system's log"}};
  }
}

std::unexpected<Fault> failed(sqlite3* connection, int code) {
  return std::unexpected(fault_of(connection, code));
}

// Not a null pointer, which SQLite takes for NULL.
const char* begin_of(std::string_view text) {
  return text.empty() ? "" : text.data();
}

}  // namespace

Statement& Statement::bind(int parameter, std::string_view text) {
  return bound(
      sqlite3_bind_text64(statement_.get(), parameter, begin_of(text), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::bind(int parameter, int64_t number) {
  return bound(sqlite3_bind_int64(statement_.get(), parameter, number));
}

Statement& Statement::bind_view(int parameter, std::string_view text) {
  return bound(
      sqlite3_bind_text64(statement_.get(), parameter, begin_of(text), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  return bound(sqlite3_bind_blob64(statement_.get(), parameter, begin_of(bytes), bytes.size(), SQLITE_STATIC));
}

Statement& Statement::bind_null(int parameter) {
  return bound(sqlite3_bind_null(statement_.get(), parameter));
}

Statement& Statement::bound(int code) {
  if (bound_ == SQLITE_OK) bound_ = code;
  return *this;
}

Outcome<bool> Statement::step() {
  if (const int wrong = std::exchange(bound_, SQLITE_OK); wrong != SQLITE_OK) {
    return failed(sqlite3_db_handle(statement_.get()), wrong);
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failed(sqlite3_db_handle(statement_.get()), code);
}

std::string Statement::text(int column) const {
  return std::string(view(column));
}

std::string_view Statement::view(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Outcome<Database> Database::open(const std::filesystem::path& file, uint32_t busy_ms, uint64_t check_bytes_max) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return std::unexpected(Fault{std::strerror(errno), {}});
  // The secrets in it are for its owner only. SQLite gives the files beside it the same mode.
  if ((facts.st_mode & 077) != 0) ::chmod(file.c_str(), 0600);

  std::error_code ignored;
  // An absolute path is never taken for SQLite's own names, such as :memory:.
  const std::filesystem::path path = std::filesystem::absolute(file, ignored);
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database out(connection);
  if (code != SQLITE_OK) return failed(connection, code);
  sqlite3_busy_timeout(connection, static_cast<int>(busy_ms));
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  TRY_VOID(out.run("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON"));
  if (static_cast<uint64_t>(facts.st_size) <= check_bytes_max) TRY_VOID(out.check());
  return out;
}

Outcome<void> Database::check() {
  TRY(Statement statement, prepare("PRAGMA quick_check(1)"));
  TRY(const bool row, statement.step());
  if (!row || statement.text(0) == "ok") return {};
  return std::unexpected(damaged(sqlite3_db_filename(connection_.get(), "main"), statement.text(0)));
}

Outcome<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return failed(connection_.get(), code);
  return Statement(statement);
}

Outcome<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(connection_.get(), code);
  return {};
}

Outcome<int64_t> Database::number(std::string_view sql) {
  TRY(Statement statement, prepare(sql));
  TRY([[maybe_unused]] const bool row, statement.step());
  return statement.number(0);
}

Outcome<Transaction> Transaction::begin(Database& database) {
  TRY_VOID(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) [[maybe_unused]]
    const auto undone = database_->run("ROLLBACK");
}

Outcome<void> Transaction::commit() {
  TRY_VOID(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace kilat::store
