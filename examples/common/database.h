// SQLite for the examples: a connection, statements bound by position, transactions. Errors are exceptions.
// A Database and its statements belong to one thread at a time; the examples use theirs on a Worker only.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace examples {

struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A prepared statement with its values bound. Must not outlive its Database.
class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql);

  /// Goes to the next row. False: there is none. Throws DatabaseError.
  bool step();
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  std::string text(int column) const;
  bool null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

  void bind(int position, std::int64_t value);
  void bind(int position, double value);
  void bind(int position, std::string_view value);
  void bind(int position, std::nullptr_t);
  template <std::integral Value>
  void bind(int position, Value value) {
    bind(position, static_cast<std::int64_t>(value));
  }
  void bind(int position, const char* value) { bind(position, std::string_view(value)); }
  void bind(int position, const std::string& value) { bind(position, std::string_view(value)); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  /// Opens or makes the file, with a write-ahead log and foreign keys.
  explicit Database(const std::filesystem::path& file);

  /// Runs statements without values, such as a schema.
  void script(const char* sql);
  /// Prepares a statement, and binds values to ?1, ?2, …
  template <typename... Values>
  Statement query(std::string_view sql, const Values&... values) {
    Statement statement(connection_.get(), sql);
    [[maybe_unused]] int position = 0;
    (statement.bind(++position, values), ...);
    return statement;
  }
  /// Runs a statement to its end, and returns how many rows it changed.
  template <typename... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    Statement statement = query(sql, values...);
    while (statement.step()) {
    }
    return sqlite3_changes64(connection_.get());
  }
  std::int64_t last_id() const { return sqlite3_last_insert_rowid(connection_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

/// All or nothing: what ran since is undone unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.script("begin immediate"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace examples
