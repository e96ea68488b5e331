#include "store/app_store.h"

#include <array>
#include <atomic>
#include <thread>

#include "unit/store/scratch.h"

namespace kilat::store {
namespace {

using AppStoreTest = Scratch;

StoredApp shop() {
  StoredApp out;
  out.id = "shop";
  out.key = "shop-key";
  out.secret = "canary-first";
  out.created_s = 1'700'000'000;
  out.settings = {{"event_bytes_max", "64KiB"}, {"max_connections", "5000"}};
  return out;
}

StoredApp named(const std::string& id) {
  StoredApp out = shop();
  out.id = id;
  out.key = id + "-key";
  return out;
}

TEST_F(AppStoreTest, App_IsReadBackAsItWasAdded_AlsoByAnotherProcess) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(named("zoo")));
  good(store.add(shop()));
  AppStore other = good(AppStore::open(file()));
  const std::vector<StoredApp> apps = good(other.all());
  ASSERT_EQ(apps.size(), 2U);
  EXPECT_EQ(apps[0].id, "shop");
  EXPECT_EQ(apps[0].key, "shop-key");
  EXPECT_EQ(apps[0].secret, "canary-first");
  EXPECT_EQ(apps[0].previous_secret, "");
  EXPECT_TRUE(apps[0].enabled);
  EXPECT_EQ(apps[0].created_s, 1'700'000'000U);
  EXPECT_EQ(apps[0].settings, shop().settings);
  EXPECT_EQ(apps[1].id, "zoo");
  EXPECT_FALSE(good(other.find("nobody")).has_value());
}

TEST_F(AppStoreTest, TextsWithAnyBytes_SurviveAsTheyAre) {
  AppStore store = good(AppStore::open_or_create(file()));
  StoredApp app = shop();
  app.secret = std::string("';--\"\0é%", 9);
  good(store.add(app));
  EXPECT_EQ(good(store.find("shop"))->secret, app.secret);
}

TEST_F(AppStoreTest, FilesHoldingSecrets_AreForTheirOwnerOnly) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(shop()));
  for (const auto& entry : std::filesystem::directory_iterator(directory_))
    EXPECT_EQ(mode(entry.path()), 0600U) << entry.path();
  EXPECT_TRUE(std::filesystem::exists(file("apps.db-wal")));
  ::chmod(file().c_str(), 0644);
  good(AppStore::open(file()));
  EXPECT_EQ(mode(file()), 0600U);
}

TEST_F(AppStoreTest, Creation_LeavesNothingBesideTheFile) {
  good(AppStore::open_or_create(file()));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) names.push_back(entry.path().filename());
  EXPECT_EQ(names, std::vector<std::string>{"apps.db"});
}

TEST_F(AppStoreTest, SameIdOrKeyTwice_IsRefusedWithTheNameOfTheOther) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(shop()));
  auto again = store.add(shop());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().why, "it already has an app shop");
  StoredApp same_key = named("other");
  same_key.key = "shop-key";
  again = store.add(same_key);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().why, "its app shop already has this key");
  EXPECT_EQ(good(store.all()).size(), 1U);
}

TEST_F(AppStoreTest, Rotation_KeepsTheSecretBefore_AndOnlyThatOne) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(shop()));
  EXPECT_TRUE(good(store.rotate("shop", "canary-second", 1'800'000'000)));
  auto app = good(store.find("shop"));
  EXPECT_EQ(app->secret, "canary-second");
  EXPECT_EQ(app->previous_secret, "canary-first");
  EXPECT_EQ(app->previous_until_s, 1'800'000'000U);

  EXPECT_TRUE(good(store.rotate("shop", "canary-third", 1'900'000'000)));
  app = good(store.find("shop"));
  EXPECT_EQ(app->previous_secret, "canary-second");

  EXPECT_TRUE(good(store.rotate("shop", "canary-fourth", 0)));
  app = good(store.find("shop"));
  EXPECT_EQ(app->secret, "canary-fourth");
  EXPECT_EQ(app->previous_secret, "");
  EXPECT_EQ(app->previous_until_s, 0U);
}

TEST_F(AppStoreTest, Changes_AreKept_AndSayWhenThereIsNoSuchApp) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(shop()));
  EXPECT_TRUE(good(store.set_enabled("shop", false)));
  EXPECT_FALSE(good(store.find("shop"))->enabled);
  EXPECT_TRUE(good(store.set_enabled("shop", true)));
  EXPECT_TRUE(good(store.find("shop"))->enabled);
  EXPECT_TRUE(good(store.set("shop", {{"max_connections", "7"}, {"event_bytes_max", std::nullopt}, {"linger", "no"}})));
  const std::map<std::string, std::string> expected{{"linger", "no"}, {"max_connections", "7"}};
  EXPECT_EQ(good(store.find("shop"))->settings, expected);

  EXPECT_FALSE(good(store.set_enabled("nobody", false)));
  EXPECT_FALSE(good(store.rotate("nobody", "s", 0)));
  EXPECT_FALSE(good(store.set("nobody", {{"linger", "no"}})));
  EXPECT_FALSE(good(store.remove("nobody")));
}

TEST_F(AppStoreTest, RemovedApp_TakesItsSettingsAlong) {
  AppStore store = good(AppStore::open_or_create(file()));
  good(store.add(shop()));
  EXPECT_TRUE(good(store.remove("shop")));
  StoredApp plain = shop();
  plain.settings.clear();
  good(store.add(plain));
  EXPECT_TRUE(good(store.find("shop"))->settings.empty());
}

TEST_F(AppStoreTest, RotatedAndRemovedSecrets_DoNotStayInTheFile) {
  {
    AppStore store = good(AppStore::open_or_create(file()));
    good(store.add(shop()));
    good(store.add(named("other")));
    good(store.rotate("other", "fresh", 0));
    good(store.remove("shop"));
  }  // the last connection writes the log back into the file
  std::ifstream in(file(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_NE(bytes.find("fresh"), std::string::npos);
  EXPECT_EQ(bytes.find("canary"), std::string::npos);
}

TEST_F(AppStoreTest, ManyWriters_CreateOneFileAndLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 8;
  std::atomic<int> failures{0};
  std::array<std::thread, kThreads> writers;
  for (int i = 0; i < kThreads; ++i) {
    writers[static_cast<size_t>(i)] = std::thread([&, i] {
      // Like processes, each with connections of its own.
      for (int j = 0; j < kEach; ++j) {
        auto store = AppStore::open_or_create(file(), 60'000);
        if (!store || !store->add(named("app-" + std::to_string(i) + "-" + std::to_string(j)))) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  AppStore store = good(AppStore::open(file()));
  EXPECT_EQ(good(store.all()).size(), static_cast<size_t>(kThreads * kEach));
}

TEST_F(AppStoreTest, WriterThatDoesNotEnd_IsNamedAfterTheWait_AndReadersGoOn) {
  AppStore store = good(AppStore::open_or_create(file(), 1));
  good(store.add(shop()));
  Database other = good(Database::open(file()));
  const Transaction held = good(Transaction::begin(other));
  const auto refused = store.add(named("late"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, "another process is writing to it");
  EXPECT_EQ(refused.error().remedies[0], "try again");
  EXPECT_EQ(good(store.all()).size(), 1U);
}

TEST_F(AppStoreTest, FileThatIsNoDatabase_SaysSoAndWhatToDo) {
  write(file(), std::string(8192, 'x'));
  const auto store = AppStore::open(file());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().why, "it is not a SQLite database, or damaged");
  EXPECT_EQ(store.error().remedies.size(), 2U);
}

TEST_F(AppStoreTest, DamagedFile_SaysHowToSaveIt_AndIsNeverHalfRead) {
  {
    AppStore store = good(AppStore::open_or_create(file()));
    for (int i = 0; i < 200; ++i) good(store.add(named("app-" + std::to_string(i))));
  }
  {
    std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);
    bytes << std::string(8192, '\xff');
  }
  const auto store = AppStore::open(file());
  ASSERT_FALSE(store);
  EXPECT_TRUE(store.error().why.starts_with("the file is damaged (")) << store.error().why;
  EXPECT_EQ(store.error().remedies[0], "restore it from a backup");
  EXPECT_NE(store.error().remedies[1].find("sqlite3 '" + file().string() + "' .recover"), std::string::npos);
}

TEST_F(AppStoreTest, MissingFileOrFolder_IsAFaultWithTheReason) {
  EXPECT_EQ(AppStore::open(file()).error().why, "No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(file()));
  const auto created = AppStore::open_or_create(file("no/such/apps.db"));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().remedies[0], "mkdir -p '" + file("no/such").string() + "'");
}

TEST_F(AppStoreTest, NamesThatSqliteKnowsOtherwise_AreFilesHere) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_);
  good(good(AppStore::open_or_create(":memory:")).add(shop()));
  EXPECT_EQ(good(good(AppStore::open(":memory:")).all()).size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(file(":memory:")));
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace kilat::store
