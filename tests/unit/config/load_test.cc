#include "config/load.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "config/dev_file.h"
#include "config/reference.h"

namespace kilat::config {
namespace {

namespace fs = std::filesystem;

class Load : public testing::Test {
 protected:
  Load() {
    char pattern[] = "/tmp/kilat-load-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    request_.working_directory = directory_;
    request_.system_file = directory_ / "etc" / "kilat.toml";
  }
  ~Load() override { fs::remove_all(directory_); }

  void write(const fs::path& name, std::string_view text) {
    fs::create_directories((directory_ / name).parent_path());
    std::ofstream(directory_ / name) << text;
  }

  Loaded good() {
    auto loaded = load(request_);
    EXPECT_TRUE(loaded) << (loaded ? "" : render(loaded.error()));
    return loaded.value_or(Loaded{});
  }

  std::string bad() {
    const auto loaded = load(request_);
    EXPECT_FALSE(loaded);
    return loaded ? "" : render(loaded.error());
  }

  static mode_t mode(const fs::path& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }

  fs::path directory_;
  LoadRequest request_;
};

constexpr std::string_view kApp = "[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n";
constexpr std::string_view kTwoApps =
    "[[app]]\nid = \"a\"\nkey = \"k\"\nsecret = \"s\"\n[[app]]\nid = \"b\"\nkey = \"l\"\nsecret = \"t\"\n";

TEST_F(Load, FileBesideTheServer_IsFoundBeforeTheSystemFile) {
  write("etc/kilat.toml", std::string("server.port = 2\n") + std::string(kApp));
  EXPECT_EQ(good().settings.server.port, 2);
  write("kilat.toml", std::string("server.port = 1\n") + std::string(kApp));
  const Loaded loaded = good();
  EXPECT_EQ(loaded.settings.server.port, 1);
  EXPECT_EQ(loaded.source, Source::kFile);
  write("other.toml", std::string("server.port = 3\n") + std::string(kApp));
  request_.file = directory_ / "other.toml";
  EXPECT_EQ(good().settings.server.port, 3);
}

TEST_F(Load, MissingConfigFile_IsNamedWithTheReason) {
  request_.file = "/nonexistent/kilat.toml";
  EXPECT_EQ(bad(),
            "error: cannot read /nonexistent/kilat.toml: No such file or directory\n"
            "  try   kilat serve --config FILE\n"
            "  or    kilat serve   (in a folder with a kilat.toml)\n");
}

TEST_F(Load, Environment_OverridesTheFile_AndFlagsOverrideBoth) {
  write("kilat.toml", std::string("server.port = 1\nlog.level = \"warn\"\n") + std::string(kApp));
  request_.environment = {"PATH=/bin", "KILAT_SERVER_PORT=2", "KILAT_LOG_LEVEL=debug", "KILAT_APP_MAX_CONNECTIONS=7"};
  request_.flags = {{"server.port", "3", "--port"}};
  const Settings settings = good().settings;
  EXPECT_EQ(settings.server.port, 3);
  EXPECT_EQ(settings.log.level, "debug");
  EXPECT_EQ(settings.apps[0].max_connections, 7U);
}

TEST_F(Load, EverySource_GoesBeforeTheNext) {
  write("kilat.toml",
        "[server]\nport = 1\nshards = 1\nmax_connections = 1\n[http]\nbody_bytes_max = 2000\n" + std::string(kApp));
  request_.flags = {{"server.port", "4", "--port"}};
  request_.environment = {"KILAT_SERVER_PORT=3", "KILAT_SERVER_SHARDS=3", "REVERB_SERVER_PORT=2",
                          "REVERB_MAX_REQUEST_SIZE=3000"};
  const Settings settings = good().settings;
  EXPECT_EQ(settings.server.port, 4);
  EXPECT_EQ(settings.server.shards, 3U);
  EXPECT_EQ(settings.http.body_bytes_max, 3'000U);
  EXPECT_EQ(settings.server.max_connections, 1U);
  EXPECT_EQ(settings.server.drain_ms, 3'000U);
}

TEST_F(Load, ForeignApp_NeedsNoFile_AndKeepsTheOtherServersDefaults) {
  request_.environment = {"REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s"};
  const Loaded loaded = good();
  EXPECT_EQ(loaded.source, Source::kEnvironment);
  EXPECT_EQ(loaded.dialect, Dialect::kReverb);
  EXPECT_EQ(loaded.settings.server.host, "0.0.0.0");
  EXPECT_EQ(loaded.settings.server.port, 8080);
  ASSERT_EQ(loaded.settings.apps.size(), 1U);
  EXPECT_EQ(loaded.settings.apps[0].secret, "s");
  EXPECT_TRUE(loaded.settings.apps[0].client_events);
}

TEST_F(Load, LaravelNames_CountOnlyWhereNothingElseGivesAnApp) {
  request_.environment = {"PUSHER_APP_ID=p", "PUSHER_APP_KEY=pk", "PUSHER_APP_SECRET=ps"};
  Loaded loaded = good();
  EXPECT_EQ(loaded.dialect, Dialect::kLaravel);
  EXPECT_EQ(loaded.settings.apps.at(0).key, "pk");
  EXPECT_EQ(loaded.settings.server.host, "127.0.0.1");
  write("kilat.toml", kApp);
  loaded = good();
  EXPECT_EQ(loaded.settings.apps.at(0).key, "k");
  EXPECT_EQ(render(loaded.warnings), "");
}

TEST_F(Load, DotenvFile_CountsOnlyWithoutAFileAndWithoutADevelopmentApp) {
  write(".env", "REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\nREVERB_APP_KEY=later\n");
  const Loaded loaded = good();
  EXPECT_EQ(loaded.path, ".env");
  EXPECT_EQ(loaded.settings.apps.at(0).key, "later");
  request_.environment = {"REVERB_APP_KEY=real"};
  EXPECT_EQ(good().settings.apps.at(0).key, "real");
  request_.environment.clear();
  write(".kilat/dev.toml", kApp);
  EXPECT_EQ(good().source, Source::kDevelopment);
  write("kilat.toml", kTwoApps);
  EXPECT_EQ(good().settings.apps.size(), 2U);
}

TEST_F(Load, SoketiJson_IsKnownByItsText_AndItsEnvironmentGoesBefore) {
  write("config.json", R"({"port": 1, "appManager.array.apps": [{"id": "a", "key": "k", "secret": "s"}]})");
  write(".env", "SOKETI_PORT=2\nSOKETI_SHUTDOWN_GRACE_PERIOD=5\n");
  request_.file = directory_ / "config.json";
  request_.environment = {"SOKETI_SHUTDOWN_GRACE_PERIOD=6"};
  const Loaded loaded = good();
  EXPECT_EQ(loaded.settings.server.port, 2);
  EXPECT_EQ(loaded.settings.server.drain_ms, 6U);
  EXPECT_EQ(render(loaded.warnings), "");
}

TEST_F(Load, HalfAForeignApp_IsNotMixedWithTheDevelopmentApp) {
  request_.make_dev_app = true;
  request_.environment = {"SOKETI_DEFAULT_APP_ID=app-id", "SOKETI_PORT=7"};
  const Loaded loaded = good();
  EXPECT_EQ(loaded.settings.apps.at(0).id, "dev");
  EXPECT_EQ(loaded.settings.server.port, 7);
  EXPECT_NE(render(loaded.warnings).find("SOKETI_DEFAULT_APP_ID: warning: the variables of Soketi give no whole app"),
            std::string::npos);
}

TEST_F(Load, SecretOfAManual_OnAPublicAddress_IsAWarning) {
  write("kilat.toml", "[[app]]\nid = \"app-id\"\nkey = \"app-key\"\nsecret = \"app-secret\"\n");
  EXPECT_EQ(render(good().warnings), "");
  request_.flags = {{"server.host", "0.0.0.0", "--host"}};
  EXPECT_NE(render(good().warnings).find("app \"app-id\" has a secret that everybody knows"), std::string::npos);
}

TEST_F(Load, BadEnvironment_NamesTheVariable) {
  write("kilat.toml", kApp);
  request_.environment = {"KILAT_SERVER_PORT=high"};
  EXPECT_EQ(bad(), "KILAT_SERVER_PORT: error: server.port must be a whole number, not \"high\"\n");
}

TEST_F(Load, BadFlag_NamesTheFlag) {
  write("kilat.toml", kApp);
  request_.flags = {{"server.port", "70000", "--port"}};
  EXPECT_EQ(bad(), "--port: error: server.port is 70000; the largest allowed is 65535\n");
}

TEST_F(Load, UnknownVariable_IsAWarningWithASuggestion) {
  write("kilat.toml", kApp);
  request_.environment = {"KILAT_SERVER_PROT=1"};
  EXPECT_EQ(render(good().warnings),
            "KILAT_SERVER_PROT: warning: no setting has this name; ignored\n  did you mean KILAT_SERVER_PORT?\n");
}

TEST_F(Load, AppVariables_WithSeveralApps_AreRefused) {
  write("kilat.toml", kTwoApps);
  request_.environment = {"KILAT_APP_KEY=x"};
  EXPECT_EQ(bad(), "KILAT_APP_KEY: error: sets the only app, but the configuration has 2; set it in the file\n");
}

TEST_F(Load, AppFromTheEnvironment_NeedsNoFile_AndMayListenAnywhere) {
  request_.environment = {"KILAT_APP_ID=a", "KILAT_APP_KEY=k", "KILAT_APP_SECRET=s"};
  request_.flags = {{"server.host", "0.0.0.0", "--host"}};
  const Loaded loaded = good();
  EXPECT_EQ(loaded.source, Source::kEnvironment);
  EXPECT_EQ(loaded.settings.server.host, "0.0.0.0");
  EXPECT_EQ(loaded.settings.apps.at(0).secret, "s");
  EXPECT_FALSE(fs::exists(directory_ / ".kilat"));
}

TEST_F(Load, FileWithoutApps_IsRefused) {
  write("kilat.toml", "server.port = 1\n");
  EXPECT_NE(bad().find("there is no app, so nobody could connect"), std::string::npos);
}

TEST_F(Load, DevelopmentMode_MakesAnAppOnceAndKeepsIt) {
  request_.make_dev_app = true;
  const Loaded first = good();
  EXPECT_EQ(first.source, Source::kDevelopment);
  ASSERT_EQ(first.settings.apps.size(), 1U);
  const hub::AppSettings& app = first.settings.apps[0];
  EXPECT_EQ(app.id, "dev");
  EXPECT_EQ(app.key.size(), 13U);
  EXPECT_TRUE(app.key.starts_with("kd_"));
  EXPECT_EQ(app.secret.size(), 35U);
  EXPECT_TRUE(app.secret.starts_with("ks_"));
  EXPECT_TRUE(app.client_events);
  EXPECT_TRUE(app.subscription_count);
  EXPECT_EQ(first.settings.server.host, "127.0.0.1");

  const Loaded second = good();
  EXPECT_EQ(second.settings.apps.at(0).key, app.key);
  EXPECT_EQ(second.settings.apps.at(0).secret, app.secret);
}

TEST_F(Load, DevelopmentFile_IsForItsOwnerOnly) {
  request_.make_dev_app = true;
  good();
  EXPECT_EQ(mode(directory_ / ".kilat"), 0700U);
  EXPECT_EQ(mode(dev_file_path(directory_)), 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_ / ".kilat"), fs::directory_iterator()), 1);

  fs::permissions(dev_file_path(directory_), fs::perms(0644));
  good();
  EXPECT_EQ(mode(dev_file_path(directory_)), 0600U);
}

TEST_F(Load, DevelopmentMode_OnAPublicAddress_IsRefusedWithRemedies) {
  request_.make_dev_app = true;
  request_.flags = {{"server.host", "0.0.0.0", "--host"}};
  EXPECT_EQ(bad(),
            "--host: error: host 0.0.0.0 needs a configuration file: without one kilat runs in development mode, on "
            "loopback only\n"
            "  try   kilat serve   (127.0.0.1, development app)\n"
            "  or    kilat init --listen 0.0.0.0:6001 > kilat.toml\n"
            "  or    KILAT_APP_ID=… KILAT_APP_KEY=… KILAT_APP_SECRET=… kilat serve --host 0.0.0.0\n");
}

TEST_F(Load, Clients_NeverMakeADevelopmentApp) {
  EXPECT_NE(bad().find("no configuration"), std::string::npos);
  EXPECT_FALSE(fs::exists(directory_ / ".kilat"));
}

TEST(Reference, CommittedDocument_IsWhatTheSchemaSays) {
  const fs::path path = fs::path(__FILE__).parent_path() / "../../../docs/configuration.md";
  std::ifstream file(path);
  const std::string committed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(committed, reference_markdown()) << "run: kilat config --markdown > docs/configuration.md";
}

}  // namespace
}  // namespace kilat::config
