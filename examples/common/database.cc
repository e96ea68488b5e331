#include "common/database.h"

namespace examples {
namespace {

[[noreturn]] void fail(sqlite3* connection, std::string_view what) {
  throw DatabaseError(std::string(what) + ": " + sqlite3_errmsg(connection));
}

}  // namespace

Statement::Statement(sqlite3* connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK) {
    fail(connection, sql);
  }
  statement_.reset(statement);
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result != SQLITE_ROW && result != SQLITE_DONE) fail(connection_, sqlite3_sql(statement_.get()));
  return result == SQLITE_ROW;
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

void Statement::bind(int position, std::int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), position, value) != SQLITE_OK) fail(connection_, "bind");
}

void Statement::bind(int position, double value) {
  if (sqlite3_bind_double(statement_.get(), position, value) != SQLITE_OK) fail(connection_, "bind");
}

void Statement::bind(int position, std::string_view value) {
  // An empty view may have no address, which SQLite would take for a null.
  const char* text = value.empty() ? "" : value.data();
  if (sqlite3_bind_text64(statement_.get(), position, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) {
    fail(connection_, "bind");
  }
}

void Statement::bind(int position, std::nullptr_t) {
  if (sqlite3_bind_null(statement_.get(), position) != SQLITE_OK) fail(connection_, "bind");
}

Database::Database(const std::filesystem::path& file) {
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  connection_.reset(connection);
  if (result != SQLITE_OK) fail(connection, file.string());
  script("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000;");
}

void Database::script(const char* sql) {
  if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(connection_.get(), sql);
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.script("rollback");
  } catch (const DatabaseError&) {  // SQLite has rolled back by itself
  }
}

void Transaction::commit() {
  database_.script("commit");
  open_ = false;
}

}  // namespace examples
