#include <gtest/gtest.h>

#include "hub/app_table.h"

namespace kilat::hub {
namespace {

AppSettings app(std::string id, std::string key) {
  AppSettings settings;
  settings.id = std::move(id);
  settings.key = std::move(key);
  settings.secret = "secret";
  return settings;
}

TEST(AppTableReload, CopyForAnotherShard_HasOwnSettingsAndTheSameCounters) {
  AppTable one({app("1", "a")});
  AppTable other(one);
  one[0].connections = 5;
  EXPECT_EQ(other[0].connections, 5u);
  one.connections() = 7;
  EXPECT_EQ(other.connections(), 7u);
  AppSettings changed = app("1", "b");
  one.apply({changed});
  EXPECT_EQ(one[0].settings.key, "b");
  EXPECT_EQ(other[0].settings.key, "a");
}

TEST(AppTableReload, NewApp_IsFoundOnlyOnceApplied) {
  AppTable table({app("1", "a")});
  const std::vector<AppSettings> wanted{app("1", "a"), app("2", "b")};
  const auto newcomers = table.newcomers(wanted);
  ASSERT_EQ(newcomers.size(), 1u);
  table.extend(newcomers);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.by_id("2"), nullptr);
  EXPECT_EQ(table.by_key("b"), nullptr);
  EXPECT_TRUE(table.apply(wanted).empty());
  ASSERT_NE(table.by_id("2"), nullptr);
  EXPECT_EQ(table.by_id("2")->index, 1u);
}

TEST(AppTableReload, ChangedKey_ReplacesTheOldOne) {
  AppTable table({app("1", "a")});
  EXPECT_TRUE(table.apply({app("1", "b")}).empty());
  EXPECT_EQ(table.by_key("a"), nullptr);
  ASSERT_NE(table.by_key("b"), nullptr);
  EXPECT_EQ(table.by_key("b")->index, 0u);
}

TEST(AppTableReload, RemovedAndDisabledApps_AreNamedOnce) {
  AppTable table({app("1", "a"), app("2", "b"), app("3", "c")});
  AppSettings disabled = app("3", "c");
  disabled.enabled = false;
  EXPECT_EQ(table.apply({app("1", "a"), disabled}), (std::vector<AppIndex>{1, 2}));
  EXPECT_EQ(table.by_id("2"), nullptr);
  EXPECT_FALSE(table[1].present);
  EXPECT_TRUE(table.apply({app("1", "a"), disabled}).empty());
}

TEST(AppTableReload, AppThatComesBack_HasItsIndexAgain) {
  AppTable table({app("1", "a"), app("2", "b")});
  table.apply({app("1", "a")});
  EXPECT_TRUE(table.newcomers({app("1", "a"), app("2", "b")}).empty());
  table.apply({app("1", "a"), app("2", "z")});
  ASSERT_NE(table.by_key("z"), nullptr);
  EXPECT_EQ(table.by_key("z")->index, 1u);
  EXPECT_EQ(table.size(), 2u);
}

TEST(AppTableReload, KeyThatMovesFromOneAppToAnother_NamesTheNewOwner) {
  AppTable table({app("1", "a"), app("2", "b")});
  table.apply({app("1", "b"), app("2", "a")});
  EXPECT_EQ(table.by_key("b")->settings.id, "1");
  EXPECT_EQ(table.by_key("a")->settings.id, "2");
}

}  // namespace
}  // namespace kilat::hub
