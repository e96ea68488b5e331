// Database, Statement, Transaction: one connection to a SQLite file, and nothing of what it holds.
// Owner: one thread, for the time of one command or one load; never a shard. The file is in WAL mode, so that a reader
// and a writer do not wait for each other; writers wait for each other, at most kBusyMs.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "store/fault.h"

namespace kilat::store {

class Database;

/// A prepared statement. Indices of parameters begin at 1, of columns at 0, as in SQLite. What could not be bound (no
/// memory, a text that is too long) is said by the next step(), which then does nothing.
class Statement {
 public:
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, int64_t number);
  /// The same as text and as a blob, without a copy: it must stay until the statement is done.
  Statement& bind_view(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);

  /// True: there is a row, and the columns can be read. False: the statement is done.
  Outcome<bool> step();
  /// Makes the statement ready to run again; it keeps what is bound. Until then one that has given a row holds its read
  /// transaction open.
  void reset() { sqlite3_reset(statement_.get()); }

  std::string text(int column) const;  ///< "" for NULL
  /// The same without a copy, until the next step() or reset().
  std::string_view view(int column) const;
  int64_t number(int column) const;  ///< 0 for NULL

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement& bound(int code);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = SQLITE_OK;  ///< or why something could not be bound
};

/// Resets a statement at the end of a scope, in which something may throw: one that has given a row takes no new
/// values, and would go on with the old ones.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  static constexpr uint32_t kBusyMs = 5'000;

  /// Opens a file that exists; checks that it is whole, unless it is larger than `check_bytes_max`, because that takes
  /// the time of reading it. `busy_ms`: how long to wait for another writer.
  static Outcome<Database> open(const std::filesystem::path& file, uint32_t busy_ms = kBusyMs,
                                uint64_t check_bytes_max = UINT64_MAX);

  /// `sql` must be one statement.
  Outcome<Statement> prepare(std::string_view sql);
  /// Any number of statements, without parameters and rows.
  Outcome<void> run(const char* sql);
  /// One statement that gives one number.
  Outcome<int64_t> number(std::string_view sql);
  /// Rows that the last statement has changed.
  int changes() const { return sqlite3_changes(connection_.get()); }
  /// For what SQLite offers besides statements. Never null, never to be closed.
  sqlite3* handle() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Outcome<void> check();

  std::unique_ptr<sqlite3, Close> connection_;
};

/// A transaction that may write: it begins at once, so that of two writers one waits before it has read anything.
/// Rolled back unless commit() was called and succeeded.
class Transaction {
 public:
  static Outcome<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  Outcome<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

}  // namespace kilat::store
