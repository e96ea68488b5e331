#include "config/app_database.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "config/diff.h"
#include "config/load.h"

namespace kilat::config {
namespace {

namespace fs = std::filesystem;
using store::AppStore;
using store::StoredApp;

constexpr std::string_view kApp = "[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n";
constexpr std::string_view kDatabase = "[apps]\ndatabase = \"apps.db\"\n";

class AppDatabase : public testing::Test {
 protected:
  AppDatabase() {
    char pattern[] = "/tmp/kilat-apps-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    request_.file = directory_ / "kilat.toml";
    request_.system_file = directory_ / "none.toml";
    request_.working_directory = directory_ / "elsewhere";
    fs::create_directory(request_.working_directory);
  }
  ~AppDatabase() override { fs::remove_all(directory_); }

  void write(std::string_view text) { std::ofstream(directory_ / "kilat.toml") << text; }

  AppStore store() {
    auto opened = AppStore::open_or_create(directory_ / "apps.db");
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().why);
    return std::move(*opened);
  }

  void put(const StoredApp& app) { EXPECT_TRUE(store().add(app)); }

  Loaded good() {
    auto loaded = load(request_);
    EXPECT_TRUE(loaded) << (loaded ? "" : render(loaded.error()));
    return loaded.value_or(Loaded{});
  }

  std::string bad() {
    const auto loaded = load(request_);
    EXPECT_FALSE(loaded);
    std::string text = loaded ? "" : render(loaded.error());
    for (size_t at = text.find(directory_); at != std::string::npos; at = text.find(directory_))
      text.replace(at, directory_.string().size(), "DIR");
    return text;
  }

  fs::path directory_;
  LoadRequest request_;
};

StoredApp shop() {
  StoredApp out;
  out.id = "shop";
  out.key = "shop-key";
  out.secret = "canary";
  out.settings = {
      {"max_connections", "5000"}, {"event_bytes_max", "64KiB"}, {"allowed_origins", "a.example, b.example"}};
  return out;
}

TEST_F(AppDatabase, AppsOfTheDatabase_StandBehindThoseOfTheFile) {
  write(std::string(kDatabase) + std::string(kApp));
  put(shop());
  const Settings settings = good().settings;
  ASSERT_EQ(settings.apps.size(), 2U);
  EXPECT_EQ(settings.apps[0].id, "a");
  EXPECT_EQ(settings.apps[1].id, "shop");
  EXPECT_EQ(settings.apps[1].secret, "canary");
  EXPECT_EQ(settings.apps[1].max_connections, 5000U);
  EXPECT_EQ(settings.apps[1].event_bytes_max, 64U * 1024);
  EXPECT_EQ(settings.apps[1].allowed_origins, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_TRUE(settings.apps[1].enabled);
}

TEST_F(AppDatabase, PathInTheFile_CountsFromItsFolder_AndInTheEnvironmentFromTheWorkingOne) {
  write(std::string(kDatabase) + std::string(kApp));
  put(shop());
  EXPECT_EQ(good().settings.app_store.database, (directory_ / "apps.db").string());
  request_.environment = {"KILAT_APPS_DATABASE=../apps.db"};
  EXPECT_EQ(good().settings.app_store.database, (directory_ / "apps.db").string());
  EXPECT_EQ(good().settings.apps.size(), 2U);
}

TEST_F(AppDatabase, DatabaseInTheEnvironment_NeedsNoFile) {
  put(shop());
  request_.file.reset();
  request_.environment = {"KILAT_APPS_DATABASE=../apps.db", "KILAT_SERVER_HOST=0.0.0.0"};
  const Loaded loaded = good();
  EXPECT_EQ(loaded.source, Source::kEnvironment);
  ASSERT_EQ(loaded.settings.apps.size(), 1U);
  EXPECT_EQ(loaded.settings.apps[0].id, "shop");
}

TEST_F(AppDatabase, EmptyDatabase_IsAWarning_BecauseAppsMayCome) {
  write(kDatabase);
  store();
  const Loaded loaded = good();
  EXPECT_TRUE(loaded.settings.apps.empty());
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_EQ(loaded.warnings[0].message, "there is no app yet, so nobody can connect");
}

TEST_F(AppDatabase, SameIdOrKeyInBoth_IsAnErrorWithBothPlaces) {
  write(std::string(kDatabase) + std::string(kApp));
  StoredApp same_id = shop();
  same_id.id = "a";
  put(same_id);
  StoredApp same_key = shop();
  same_key.key = "k";
  put(same_key);
  EXPECT_EQ(bad(),
            "DIR/apps.db, app a: error: this id is also in DIR/kilat.toml:4:6, of app \"a\"\n"
            "  try   kilat apps remove a --yes\n"
            "  or    take the [[app]] out of the file\n"
            "DIR/apps.db, app shop: error: this key is also in DIR/kilat.toml:5:7, of app \"a\"\n"
            "  try   kilat apps remove shop --yes\n"
            "  or    take the [[app]] out of the file\n"
            "2 errors\n");
}

TEST_F(AppDatabase, ValuesThatTheSchemaRefuses_AreErrorsOfTheirApp_WithoutSecrets) {
  write(std::string(kDatabase) + std::string(kApp));
  StoredApp app = shop();
  app.settings = {{"event_bytes_max", "1GiB"}, {"max_conections", "5"}, {"secret", "canary"}};
  put(app);
  const std::string text = bad();
  EXPECT_NE(text.find("DIR/apps.db, app shop: error: app.event_bytes_max is 1GiB; the largest allowed is 16MiB"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("no setting of an app is called \"max_conections\""), std::string::npos) << text;
  EXPECT_NE(text.find("no setting of an app is called \"secret\""), std::string::npos) << text;
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

TEST_F(AppDatabase, MissingOrDamagedDatabase_RefusesTheWholeConfiguration) {
  write(std::string(kDatabase) + std::string(kApp));
  EXPECT_EQ(bad(),
            "DIR/apps.db: error: cannot use the database of apps: No such file or directory\n"
            "  try   kilat apps add NAME   (makes it)\n"
            "  or    take apps.database out of the configuration\n");
  std::ofstream(directory_ / "apps.db") << std::string(8192, 'x');
  EXPECT_NE(bad().find("cannot use the database of apps: it is not a SQLite database, or damaged"), std::string::npos);
  request_.stored_apps = false;
  EXPECT_EQ(good().settings.apps.size(), 1U);
}

TEST_F(AppDatabase, SecretBefore_IsLoadedUntilItsEnd) {
  write(std::string(kDatabase) + std::string(kApp));
  put(shop());
  ASSERT_TRUE(store().rotate("shop", "canary-new", 4'000'000'000));
  Settings settings = good().settings;
  EXPECT_EQ(settings.apps[1].secret, "canary-new");
  EXPECT_EQ(settings.apps[1].previous_secret, "canary");
  EXPECT_EQ(settings.apps[1].previous_until_s, 4'000'000'000U);

  ASSERT_TRUE(store().rotate("shop", "canary-newer", 1'000));
  settings = good().settings;
  EXPECT_EQ(settings.apps[1].secret, "canary-newer");
  EXPECT_EQ(settings.apps[1].previous_secret, "");
  EXPECT_EQ(settings.apps[1].previous_until_s, 0U);
}

TEST_F(AppDatabase, SecretBefore_CanStandInTheFileToo_AndIsMaskedInADiff) {
  write(kApp);
  const Settings before = good().settings;
  write(std::string(kApp) + "previous_secret = \"canary-old\"\nprevious_until = 1790000000\n");
  const Settings after = good().settings;
  EXPECT_EQ(after.apps[0].previous_secret, "canary-old");
  EXPECT_EQ(after.apps[0].previous_until_s, 1'790'000'000U);
  const std::vector<Change> changes = diff(before, after);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(describe(changes[0]), "app.a.previous_secret changed");
  EXPECT_EQ(describe(changes[1]), "app.a.previous_until 0 -> 1790000000");
  EXPECT_FALSE(changes[0].needs_restart || changes[1].needs_restart);
}

TEST(StoredApps, CheckBeforeStoring_SaysWhatTheLoadWouldSay) {
  EXPECT_TRUE(check_stored_app(shop(), "test").empty());
  StoredApp app = shop();
  app.id = "a/b";
  app.settings["linger"] = "maybe";
  const std::string text = render(check_stored_app(app, "kilat apps add"));
  EXPECT_NE(text.find("kilat apps add: error: app.id "), std::string::npos) << text;
  EXPECT_NE(text.find("app.linger must be true or false, not \"maybe\""), std::string::npos) << text;
  EXPECT_TRUE(is_stored_setting("linger"));
  for (const char* name : {"id", "key", "secret", "enabled", "previous_secret", "previous_until", "nonsense", ""})
    EXPECT_FALSE(is_stored_setting(name)) << name;
}

TEST_F(AppDatabase, NamespacesOfSocketIo_FindStoredAppsAndWarnOfMissingOnes) {
  const std::string file = std::string(kDatabase) + "[socketio]\napp = \"shop\"\nnamespaces = [\"/x app=shop\"]\n";
  write(file + std::string(kApp));
  put(shop());
  EXPECT_EQ(render(good().warnings), "");
  EXPECT_TRUE(store().remove("shop"));
  const std::string warnings = render(good().warnings);
  EXPECT_NE(warnings.find("kilat.toml:4:7: warning: socketio.app names the app \"shop\""), std::string::npos)
      << warnings;
  EXPECT_NE(warnings.find("socketio.namespaces: \"/x\" names the app"), std::string::npos) << warnings;
  // Whoever changes the database has not read it.
  request_.stored_apps = false;
  EXPECT_EQ(render(good().warnings), "");
}

}  // namespace
}  // namespace kilat::config
