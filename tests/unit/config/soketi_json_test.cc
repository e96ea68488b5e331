#include "config/soketi_json.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat::config {
namespace {

Document read(std::string_view text) {
  Document document = read_soketi_json(text, "config.json");
  validate(document);
  return document;
}

constexpr std::string_view kNested = R"({
  "debug": true,
  "port": 7001,
  "cors": {"origin": ["https://a.example", "https://b.example"]},
  "eventLimits": {"maxBatchSize": 20, "maxPayloadInKb": "50"},
  "appManager": {"driver": "array", "array": {"apps": [
    {"id": "shop", "key": "k", "secret": "s", "maxConnections": 0, "enableClientMessages": true, "webhooks": []},
    {"AppId": 2, "AppKey": "l", "AppSecret": "t", "max_connections": 7, "maxEventBatchSize": 5, "enabled": "false"}
  ]}}
})";

TEST(SoketiJson, NestedOptions_BecomeSettings) {
  const Document document = read(kNested);
  EXPECT_EQ(render(document.diagnostics), "");
  const Settings& settings = document.settings;
  EXPECT_EQ(settings.server.port, 7001);
  EXPECT_EQ(settings.log.level, "debug");
  EXPECT_EQ(settings.http.cors_origins, (std::vector<std::string>{"https://a.example", "https://b.example"}));
  ASSERT_EQ(settings.apps.size(), 2U);
  EXPECT_EQ(settings.apps[0].id, "shop");
  EXPECT_EQ(settings.apps[0].max_connections, 0U);
  EXPECT_TRUE(settings.apps[0].client_events);
  EXPECT_EQ(settings.apps[0].batch_max, 20U);
  EXPECT_EQ(settings.apps[0].event_bytes_max, 51'200U);
  EXPECT_EQ(settings.apps[1].id, "2");
  EXPECT_EQ(settings.apps[1].max_connections, 7U);
  EXPECT_EQ(settings.apps[1].batch_max, 5U);
  EXPECT_FALSE(settings.apps[1].enabled);
}

TEST(SoketiJson, DottedOptions_MeanTheSame) {
  const Document document = read(
      R"({"appManager.array.apps.0.id": "a", "appManager.array": {"apps.0.key": "k"}, "appManager.array.apps.0.secret": "s",
          "presence.maxMembersPerChannel": 3})");
  EXPECT_EQ(render(document.diagnostics), "");
  ASSERT_EQ(document.settings.apps.size(), 1U);
  EXPECT_EQ(document.settings.apps[0].key, "k");
  EXPECT_EQ(document.settings.apps[0].presence_members_max, 3U);
}

TEST(SoketiJson, Defaults_AreSoketisWhereOursAreStricter) {
  const Document document = read(kNested);
  EXPECT_EQ(document.settings.server.host, "0.0.0.0");
  EXPECT_EQ(document.settings.apps[0].client_events_per_second, 0U);
  EXPECT_TRUE(document.settings.apps[0].client_events_on_public);
}

TEST(SoketiJson, BadValue_IsShownWhereItStands) {
  EXPECT_EQ(render(read("{\n  \"port\": \"high\",\n"
                        "  \"appManager.array.apps\": [{\"id\": \"a\", \"key\": \"k\", \"secret\": \"s\"}]\n}")
                       .diagnostics),
            "config.json:2:11: error: server.port must be a whole number, not \"high\"\n"
            "    2 |   \"port\": \"high\",\n"
            "      |           ^^^^^^\n");
}

TEST(SoketiJson, UnknownAndUnsupportedOptions_AreWarnings) {
  const std::string text =
      render(read(R"({"prot": 1, "adapter": {"driver": "redis", "redis": {"prefix": "x"}}})").diagnostics);
  EXPECT_NE(text.find("no option of Soketi that Kilat knows is called prot; ignored"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean port?"), std::string::npos);
  EXPECT_NE(text.find("adapter.driver has no effect: this server is a node of its own"), std::string::npos);
  EXPECT_NE(text.find("adapter.redis.prefix has no effect"), std::string::npos);
}

TEST(SoketiJson, BrokenJson_IsRefusedWithItsPlace) {
  for (const char* text : {"{", "{\"port\": }", "{\"port\": 1,}", "{\"port\": 01}", "{\"a\": tru}", "{} x",
                           "{\"a\": \"\\q\"}", "{\"port\" 1}", "{\"a\": [1, }"}) {
    const Document document = read_soketi_json(text, "c.json");
    EXPECT_TRUE(has_errors(document.diagnostics)) << text;
    EXPECT_NE(render(document.diagnostics).find("this is not valid JSON"), std::string::npos) << text;
  }
}

TEST(SoketiJson, DeepNesting_IsRefused) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{\"a\":";
  text += "1" + std::string(100, '}');
  EXPECT_TRUE(has_errors(read_soketi_json(text, "c.json").diagnostics));
}

TEST(SoketiJson, Secrets_NeverReachAMessage) {
  const std::string text =
      render(read(R"({"appManager.array.apps": [{"id": "a/b", "key": "k", "AppSecret": "canary", "max": 1}],
    "database": {"redis": {"password": "canary"}}, "SECRET": "canary"})")
                 .diagnostics);
  EXPECT_NE(text.find("app.id"), std::string::npos);
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

TEST(SoketiJson, KindOfFile_IsKnownByItsFirstCharacter) {
  EXPECT_TRUE(is_soketi_json(" \n{}"));
  EXPECT_TRUE(is_soketi_json("\xEF\xBB\xBF{}"));
  for (const char* text : {"", "[server]", "a = {}", "# {"}) EXPECT_FALSE(is_soketi_json(text)) << text;
}

}  // namespace
}  // namespace kilat::config
