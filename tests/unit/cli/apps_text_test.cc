#include "cli/apps_text.h"

#include <gtest/gtest.h>

#include <vector>

namespace kilat::cli {
namespace {

constexpr uint64_t kNow = 1'790'000'000;

store::StoredApp shop() {
  store::StoredApp out;
  out.id = "shop";
  out.key = "kd_1";
  out.secret = "canary-secret";
  out.created_s = 1'763'712'000;
  return out;
}

store::StoredApp rotating() {
  store::StoredApp out = shop();
  out.id = "news";
  out.previous_secret = "canary-previous";
  out.previous_until_s = kNow + 60;
  out.enabled = false;
  out.settings = {{"linger", "no"}, {"max_connections", "5"}};
  return out;
}

TEST(AppsText, Table_MasksSecretsAndKeepsItsColumns) {
  const std::vector<store::StoredApp> apps{rotating(), shop()};
  EXPECT_EQ(apps_table(apps, kNow),
            "ID    KEY   SECRET  STATE               CREATED                  SETTINGS\n"
            "news  kd_1  …       disabled, rotating  2025-11-21 08:00:00 UTC  linger=no max_connections=5\n"
            "shop  kd_1  …       enabled             2025-11-21 08:00:00 UTC\n");
  EXPECT_EQ(apps_table({}, kNow), "no apps\n");
}

TEST(AppsText, OneApp_ShowsItsSecretsOnlyWhenAsked) {
  EXPECT_EQ(app_text(rotating(), false, kNow, "  "),
            "  id        news\n"
            "  key       kd_1\n"
            "  secret    …\n"
            "  previous  … until 2026-09-21 14:14:20 UTC\n"
            "  state     disabled\n"
            "  created   2025-11-21 08:00:00 UTC\n"
            "  setting   linger=no\n"
            "  setting   max_connections=5\n");
  const std::string open = app_text(rotating(), true, kNow);
  EXPECT_NE(open.find("secret    canary-secret\n"), std::string::npos) << open;
  EXPECT_NE(open.find("previous  canary-previous until "), std::string::npos) << open;
}

TEST(AppsText, SecretBeforeThatHasEnded_IsNotShown) {
  store::StoredApp app = rotating();
  app.previous_until_s = kNow;
  EXPECT_EQ(app_text(app, true, kNow).find("previous"), std::string::npos);
  EXPECT_EQ(app_json(app, true, kNow).find("previous"), std::string::npos);
  EXPECT_EQ(apps_table(std::vector{app}, kNow).find("rotating"), std::string::npos);
}

TEST(AppsText, Json_HasNoSecretsUnlessAsked) {
  EXPECT_EQ(app_json(rotating(), false, kNow),
            R"({"id":"news","key":"kd_1","previous_until":1790000060,"enabled":false,"created":1763712000,)"
            R"("settings":{"linger":"no","max_connections":"5"}})");
  EXPECT_EQ(app_json(shop(), true, kNow),
            R"({"id":"shop","key":"kd_1","secret":"canary-secret","enabled":true,"created":1763712000,"settings":{}})");
}

TEST(AppsText, WhatATerminalWouldObey_IsShownAsText) {
  store::StoredApp app = shop();
  app.id = "a\x1b[31m";
  EXPECT_EQ(apps_table(std::vector{app}, kNow).find('\x1b'), std::string::npos);
  EXPECT_EQ(app_text(app, true, kNow).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kilat::cli
