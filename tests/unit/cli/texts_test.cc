#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/reason.h"
#include "cli/banner.h"
#include "cli/failure.h"
#include "cli/reason_text.h"
#include "cli/target.h"

namespace kilat::cli {
namespace {

config::Loaded development() {
  config::Loaded out;
  out.source = config::Source::kDevelopment;
  out.path = ".kilat/dev.toml";
  hub::AppSettings app;
  app.id = "dev";
  app.key = "kd_1";
  app.secret = "ks_31415926";
  out.settings.apps.push_back(app);
  return out;
}

TEST(Banner, Development_NamesAddressesAppAndFile_ButNotTheSecret) {
  const std::string text = banner(development(), {"127.0.0.1", 6001, 2});
  EXPECT_NE(text.find("(2 shards, epoll, TLS off)    no kilat.toml found: development mode\n"), std::string::npos);
  EXPECT_NE(text.find("  WebSocket   ws://127.0.0.1:6001/app/kd_1"), std::string::npos);
  EXPECT_NE(text.find("  Publish     http://127.0.0.1:6001/apps/dev/events\n"), std::string::npos);
  EXPECT_NE(text.find("secret ks_••••••••\n"), std::string::npos);
  EXPECT_NE(text.find("  Saved to    ./.kilat/dev.toml (mode 0600)"), std::string::npos);
  EXPECT_NE(text.find("kilat publish dev chat hello"), std::string::npos);
  EXPECT_EQ(text.find("31415926"), std::string::npos);
  EXPECT_EQ(text.find("Live page"), std::string::npos);
}

TEST(Banner, LivePage_HasALineOnlyWhenServed) {
  config::Loaded loaded = development();
  loaded.settings.server.live_page = true;
  loaded.settings.server.path_prefix = "/ws";
  EXPECT_NE(banner(loaded, {"0.0.0.0", 80, 1}).find("  Live page   http://127.0.0.1:80/ws/live/\n"), std::string::npos);
}

TEST(Banner, FileWithSeveralApps_ShowsTheFirstAndTheRestAsANumber) {
  config::Loaded loaded = development();
  loaded.source = config::Source::kFile;
  loaded.path = "kilat.toml";
  loaded.settings.apps.push_back(loaded.settings.apps[0]);
  const std::string text = banner(loaded, {"::1", 6001, 2});
  EXPECT_NE(text.find("configuration: kilat.toml"), std::string::npos);
  EXPECT_NE(text.find("and 1 more"), std::string::npos);
  EXPECT_NE(text.find("ws://[::1]:6001/app/"), std::string::npos);
  EXPECT_EQ(text.find("Saved to"), std::string::npos);
}

TEST(Target, WildcardAddresses_AreReachedOverLoopback) {
  EXPECT_EQ(local_url("0.0.0.0", 6001, ""), "http://127.0.0.1:6001");
  EXPECT_EQ(local_url("::", 6001, "/ws"), "http://[::1]:6001/ws");
  EXPECT_EQ(local_url("10.0.0.5", 80, ""), "http://10.0.0.5:80");
}

TEST(Target, UrlKeyAndSecret_NeedNoConfiguration) {
  const auto target = find_target({"shop", "/nonexistent", "http://h:1", "k", "s"});
  ASSERT_TRUE(target);
  EXPECT_EQ(target->app_id, "shop");
  EXPECT_EQ(target->url, "http://h:1");
  EXPECT_EQ(target->credentials.secret, "s");
}

TEST(Failure, Text_HasWhatWhereWhyAndWaysOut) {
  EXPECT_EQ(
      render(Failure{"cannot publish to chat", "POST http://h/", "connection refused", {"kilat serve", "--url URL"}}),
      "error: cannot publish to chat: connection refused\n"
      "  at    POST http://h/\n"
      "  try   kilat serve\n"
      "  or    --url URL\n");
}

TEST(Reasons, Json_HasEveryRowWithItsCodes) {
  const auto rows = boost::json::parse(reasons_json()).as_array();
  EXPECT_EQ(rows.size() + 1, reason_table().size());
  for (const auto& row : rows) {
    if (row.at("id").as_string() == "internal") {
      EXPECT_TRUE(row.at("pusher_code").is_null());
    }
    if (row.at("id").as_string() == "client_closed") {
      EXPECT_EQ(row.at("pusher_code").as_int64(), 0);
      EXPECT_EQ(row.at("close_code").as_int64(), 1000);
      EXPECT_EQ(row.at("client").as_string(), "up_to_client");
    }
  }
}

TEST(Reasons, CommittedDocument_IsWhatTheTableSays) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../../docs/reasons.md");
  const std::string committed{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(committed, reasons_markdown()) << "run: kilat reasons --markdown > docs/reasons.md";
}

}  // namespace
}  // namespace kilat::cli
