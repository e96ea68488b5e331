#include "store/migrations.h"

#include <array>

#include "store/app_store.h"
#include "unit/store/scratch.h"

namespace kilat::store {
namespace {

struct Migrations : Scratch {
  // An empty file is an empty database to SQLite.
  Database empty() {
    write(file(), "");
    return good(Database::open(file()));
  }
};

constexpr std::array kTwo{"CREATE TABLE first (a INTEGER) STRICT", "ALTER TABLE first ADD COLUMN b TEXT"};

TEST_F(Migrations, EmptyFile_GoesAllStepsAndIsStamped) {
  Database database = empty();
  good(migrate(database, kTwo));
  EXPECT_EQ(good(database.number("PRAGMA user_version")), 2);
  EXPECT_EQ(good(database.number("PRAGMA application_id")), kApplicationId);
  good(database.run("INSERT INTO first (a, b) VALUES (1, 'x')"));
}

TEST_F(Migrations, OlderFile_GoesOnlyTheStepsItLacks_AndKeepsItsRows) {
  Database database = empty();
  good(migrate(database, std::span(kTwo).first(1)));
  good(database.run("INSERT INTO first (a) VALUES (7)"));
  good(migrate(database, kTwo));
  good(migrate(database, kTwo));
  EXPECT_EQ(good(database.number("SELECT a FROM first WHERE b IS NULL")), 7);
  EXPECT_EQ(good(database.number("PRAGMA user_version")), 2);
}

TEST_F(Migrations, StepThatFails_LeavesTheFileAsTheStepBeforeLeftIt) {
  Database database = empty();
  constexpr std::array kBroken{kTwo[0], "CREATE TABLE second (a INTEGER) STRICT; CREATE TABLE first (a INTEGER)"};
  EXPECT_FALSE(migrate(database, kBroken));
  EXPECT_EQ(good(database.number("PRAGMA user_version")), 1);
  EXPECT_EQ(good(database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'second'")), 0);
}

TEST_F(Migrations, FileOfANewerKilat_IsRefusedAndSaysWhatToDo) {
  Database database = empty();
  good(migrate(database, kTwo));
  const auto outcome = migrate(database, std::span(kTwo).first(1));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().why, "a newer kilat has written it (version 2; this one knows 1)");
  EXPECT_FALSE(outcome.error().remedies.empty());
}

TEST_F(Migrations, DatabaseOfAnotherProgram_IsLeftAlone) {
  Database database = empty();
  good(database.run("CREATE TABLE customers (name TEXT); PRAGMA user_version = 0"));
  const auto outcome = migrate(database, migrations());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().why, "it is the database of another program");
  EXPECT_EQ(good(database.number("SELECT count(*) FROM sqlite_schema")), 1);
}

TEST_F(Migrations, ValuesOfTheWrongType_AreRefusedByTheTables) {
  Database database = empty();
  good(migrate(database, migrations()));
  EXPECT_FALSE(database.run("INSERT INTO app (id, key, secret, created) VALUES ('a', 'k', 's', 'yesterday')"));
  EXPECT_FALSE(database.run("INSERT INTO app (id, key, secret, created, enabled) VALUES ('a', 'k', 's', 1, 2)"));
  EXPECT_FALSE(database.run("INSERT INTO app (id, key, secret, created) VALUES ('a', 'k', NULL, 1)"));
  EXPECT_FALSE(database.run("INSERT INTO app_setting (app, name, value) VALUES ('nobody', 'linger', 'true')"));
  good(database.run("INSERT INTO app (id, key, secret, created) VALUES ('a', 'k', 's', 1)"));
}

}  // namespace
}  // namespace kilat::store
