// Statements: what is bound to them, and what is said when it could not be.
#include "store/database.h"

#include <gtest/gtest.h>

#include "unit/store/scratch.h"

namespace kilat::store {
namespace {

class DatabaseTest : public Scratch {
 protected:
  Database open() {
    write(file(), "");
    return good(Database::open(file()));
  }
};

TEST_F(DatabaseTest, EmptyTexts_AreNoNull) {
  Database database = open();
  Statement statement = good(database.prepare("SELECT ?1 IS NULL, ?2 IS NULL, ?3 IS NULL, ?4 IS NULL"));
  statement.bind(1, std::string_view()).bind_view(2, std::string_view()).bind_blob(3, std::string_view()).bind_null(4);
  EXPECT_TRUE(good(statement.step()));
  for (int column = 0; column < 3; ++column) EXPECT_EQ(statement.number(column), 0) << column;
  EXPECT_EQ(statement.number(3), 1);
}

TEST_F(DatabaseTest, ValueThatCannotBeBound_FailsTheStepAndNotTheNextOne) {
  Database database = open();
  sqlite3_limit(database.handle(), SQLITE_LIMIT_LENGTH, 100);
  Statement statement = good(database.prepare("SELECT ?1"));
  const std::string large(200, 'x');
  EXPECT_FALSE(statement.bind(1, large).step());
  EXPECT_TRUE(good(statement.bind(1, "small").step()));
  EXPECT_EQ(statement.text(0), "small");
  // It has given a row, and would go on with what it had.
  EXPECT_FALSE(statement.bind(1, "other").step());
  statement.reset();
  EXPECT_TRUE(good(statement.bind(1, "other").step()));
  EXPECT_EQ(statement.text(0), "other");
}

}  // namespace
}  // namespace kilat::store
