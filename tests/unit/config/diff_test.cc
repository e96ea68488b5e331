#include "config/diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "config/schema.h"

namespace kilat::config {
namespace {

hub::AppSettings app(std::string id, std::string key, std::string secret) {
  hub::AppSettings out;
  out.id = std::move(id);
  out.key = std::move(key);
  out.secret = std::move(secret);
  return out;
}

Settings two_apps() {
  Settings out;
  out.apps = {app("shop", "k", "first-secret"), app("blog", "l", "other")};
  return out;
}

std::string text(const std::vector<Change>& changes) {
  std::string out;
  for (const Change& change : changes) out += describe(change) + (change.needs_restart ? " (restart)\n" : "\n");
  return out;
}

TEST(Diff, EqualSettings_HaveNoChanges) {
  EXPECT_TRUE(diff(two_apps(), two_apps()).empty());
}

TEST(Diff, Values_AreShownAsPeopleWriteThem_WithWhatTheyNeed) {
  Settings after = two_apps();
  after.server.shards = 8;
  after.server.port = 7000;
  after.log.level = "debug";
  after.limits.message_bytes_max = 64 * 1024;
  after.http.cors_origins = {"https://a.example", "https://b.example"};
  after.apps[0].max_connections = 8000;
  EXPECT_EQ(text(diff(two_apps(), after)),
            "server.port 6001 -> 7000 (restart)\n"
            "server.shards 0 -> 8 (restart)\n"
            "http.cors_origins [\"*\"] -> [\"https://a.example\", \"https://b.example\"]\n"
            "limits.message_bytes_max 128KiB -> 64KiB\n"
            "log.level info -> debug\n"
            "app.shop.max_connections 0 -> 8000\n");
}

TEST(Diff, Secrets_AreNeverShown) {
  Settings after = two_apps();
  after.apps[0].secret = "second-secret";
  const auto changes = diff(two_apps(), after);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(describe(changes[0]), "app.shop.secret changed");
  for (const std::string& shown : {changes[0].before, changes[0].after})
    EXPECT_EQ(shown.find("secret"), std::string::npos);
}

TEST(Diff, SecretsInUrls_AreNeverShown) {
  Settings after = two_apps();
  after.apps[0].authorize.url = "http://me:pass@shop.example:8000/auth?key=hidden#x";
  after.apps[0].jwt.keys = {"/keys/a?b#c@d.pem", "https://me:pass@id.example/jwks.json?key=hidden"};
  EXPECT_EQ(text(diff(two_apps(), after)),
            "app.shop.jwt_keys [] -> [\"/keys/a?b#c@d.pem\", \"https://id.example/jwks.json\"]\n"
            "app.shop.authorize_url \"\" -> http://shop.example:8000/auth\n");
  Settings other = after;
  other.apps[0].authorize.url = "http://me:other@shop.example:8000/auth";
  EXPECT_EQ(text(diff(after, other)), "app.shop.authorize_url changed\n");
}

TEST(Diff, Apps_AreMatchedByIdWhateverTheirOrder) {
  Settings after = two_apps();
  std::ranges::reverse(after.apps);
  EXPECT_TRUE(diff(two_apps(), after).empty());
  after.apps[0].id = "news";
  EXPECT_EQ(text(diff(two_apps(), after)), "app.news added\napp.blog removed\n");
}

TEST(LivePart, RestartSettings_KeepTheirOldValueAndTheRestIsNew) {
  Settings after = two_apps();
  after.server.shards = 8;
  after.server.drain_ms = 1;
  after.apps[0].client_events = true;
  after.apps.push_back(app("news", "n", "s"));
  const Settings live = live_part(two_apps(), after);
  EXPECT_EQ(live.server.shards, 0U);
  EXPECT_EQ(live.server.drain_ms, 1U);
  EXPECT_TRUE(live.apps[0].client_events);
  EXPECT_EQ(text(diff(two_apps(), live)),
            "server.drain_ms 3s -> 1ms\napp.shop.client_events false -> true\napp.news added\n");
  EXPECT_EQ(text(diff(live, after)), "server.shards 0 -> 8 (restart)\n");
}

TEST(LivePart, EverySettingOfTheServer_IsEitherLiveOrKept) {
  for (const Change& change : diff(live_part(Settings{}, two_apps()), two_apps())) EXPECT_TRUE(change.needs_restart);
}

}  // namespace
}  // namespace kilat::config
