#include "config/foreign.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/load.h"
#include "config/schema.h"

namespace kilat::config {
namespace {

std::map<std::string, std::string> values(const ForeignSettings& given) {
  std::map<std::string, std::string> out;
  for (const Override& entry : given.overrides) out[entry.key] = entry.value;
  return out;
}

std::map<std::string, std::string> values(const std::vector<std::string>& environment) {
  return values(foreign_environment(environment));
}

std::string warnings(const std::vector<std::string>& environment) {
  return render(foreign_environment(environment).warnings);
}

TEST(ForeignTable, EveryRow_LeadsToASettingOrSaysWhatHappens) {
  for (const ForeignRow& row : foreign_table()) {
    EXPECT_FALSE(row.variable.empty() && row.option.empty());
    EXPECT_NE(row.key.empty(), row.note.empty()) << row.variable << row.option;
    EXPECT_TRUE(row.key.empty() || find_row(row.key) != nullptr) << row.key;
  }
  for (const ForeignDefault& entry : foreign_defaults()) ASSERT_NE(find_row(entry.key), nullptr) << entry.key;
}

TEST(ForeignTable, NoName_OccursTwice) {
  std::set<std::string_view> names;
  for (const ForeignRow& row : foreign_table()) {
    EXPECT_TRUE(row.variable.empty() || names.insert(row.variable).second) << row.variable;
    EXPECT_TRUE(row.option.empty() || names.insert(row.option).second) << row.option;
  }
}

TEST(ForeignTable, OptionsOfAnApp_AreFoundInEverySpelling) {
  const ForeignRow* row = find_foreign_option("apps.maxConnections");
  ASSERT_NE(row, nullptr);
  for (const char* spelling : {"apps.MaxConnections", "apps.max_connections"})
    EXPECT_EQ(find_foreign_option(spelling), row) << spelling;
  EXPECT_EQ(find_foreign_option("apps.AppSecret"), find_foreign_option("apps.secret"));
  EXPECT_EQ(find_foreign_option("apps.max_read_req_per_sec"), find_foreign_option("apps.maxReadRequestsPerSecond"));
  EXPECT_EQ(find_foreign_option("apps.nonsense"), nullptr);
}

TEST(Foreign, SoketiVariables_BecomeSettingsInTheirOwnUnits) {
  const auto given = values({"SOKETI_DEFAULT_APP_ID=shop", "SOKETI_DEFAULT_APP_KEY=k", "SOKETI_DEFAULT_APP_SECRET=s",
                             "SOKETI_PORT=7001", "SOKETI_DEFAULT_APP_MAX_CONNS=-1", "SOKETI_EVENT_MAX_SIZE_IN_KB=50",
                             "SOKETI_PRESENCE_MAX_MEMBER_SIZE=0.5", "SOKETI_DEBUG=1", "SOKETI_PATH_PREFIX=ws",
                             "SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES=true", "SOKETI_CHANNEL_CACHE_TTL=60"});
  EXPECT_EQ(given.at("app.id"), "shop");
  EXPECT_EQ(given.at("server.port"), "7001");
  EXPECT_EQ(given.at("app.max_connections"), "0");
  EXPECT_EQ(given.at("app.event_bytes_max"), "51200");
  EXPECT_EQ(given.at("app.presence_member_bytes_max"), "512");
  EXPECT_EQ(given.at("log.level"), "debug");
  EXPECT_EQ(given.at("server.path_prefix"), "/ws");
  EXPECT_EQ(given.at("app.client_events"), "true");
  EXPECT_EQ(given.at("app.cache_ttl_s"), "60");
}

TEST(Foreign, ReverbVariables_BecomeSettings) {
  const auto given =
      values({"REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s", "REVERB_SERVER_HOST=0.0.0.0",
              "REVERB_SERVER_PORT=8090", "REVERB_APP_ACTIVITY_TIMEOUT=45", "REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=none",
              "REVERB_APP_MAX_CONNECTIONS=", "REVERB_APP_MAX_MESSAGE_SIZE=20000"});
  EXPECT_EQ(given.at("server.port"), "8090");
  EXPECT_EQ(given.at("app.activity_timeout_s"), "45");
  EXPECT_EQ(given.at("app.client_events"), "false");
  EXPECT_EQ(given.at("limits.message_bytes_max"), "20000");
  EXPECT_FALSE(given.contains("app.max_connections"));
}

TEST(Foreign, WhatCannotBeHonoured_IsNamedInAWarning) {
  EXPECT_EQ(warnings({"SOKETI_ADAPTER_DRIVER=redis"}),
            "SOKETI_ADAPTER_DRIVER: warning: has no effect: this server is a node of its own; nothing is shared with "
            "others\n");
  EXPECT_EQ(warnings({"SOKETI_DB_REDIS_HOST=redis", "SOKETI_DB_REDIS_PORT=1"}),
            "SOKETI_DB_REDIS_HOST: warning: has no effect: Kilat opens no database and no Redis; also "
            "SOKETI_DB_REDIS_PORT\n");
  EXPECT_NE(warnings({"REVERB_SCALING_ENABLED=true"}).find("REVERB_SCALING_ENABLED"), std::string::npos);
  EXPECT_NE(warnings({"SOKETI_DEFAULT_APP_WEBHOOKS=[{\"url\":\"http://h\"}]"}).find("webhooks are not sent"),
            std::string::npos);
  EXPECT_NE(warnings({"REVERB_APP_ACCEPT_CLIENT_EVENTS_FROM=all"}).find("taken as members"), std::string::npos);
}

TEST(Foreign, ValuesThatLoseNothing_AreSilent) {
  EXPECT_EQ(warnings({"SOKETI_ADAPTER_DRIVER=local", "SOKETI_MODE=full", "SOKETI_DEFAULT_APP_WEBHOOKS=[]",
                      "SOKETI_DB_REDIS_PASSWORD=", "SOKETI_METRICS_DRIVER=null"}),
            "");
  EXPECT_EQ(warnings({"REVERB_HOST=ws.example", "REVERB_SCALING_ENABLED=(false)", "REVERB_SCALING_CHANNEL=reverb"}),
            "");
  EXPECT_EQ(warnings({"PUSHER_APP_ID=1", "PUSHER_APP_KEY=k", "PUSHER_APP_SECRET=s", "PUSHER_HOST=h"}), "");
}

TEST(Foreign, UnknownVariable_IsAWarningWithASuggestion) {
  EXPECT_EQ(warnings({"SOKETI_PROT=1"}),
            "SOKETI_PROT: warning: no setting of Soketi that Kilat knows; ignored\n  did you mean SOKETI_PORT?\n");
}

TEST(Foreign, LimitBeyondOurs_IsTakenAsTheNearest) {
  const ForeignSettings given = foreign_environment(std::vector<std::string>{"SOKETI_EVENT_MAX_SIZE_IN_KB=1000000"});
  EXPECT_EQ(values(given).at("app.event_bytes_max"), std::to_string(16 * 1024 * 1024));
  EXPECT_EQ(render(given.warnings),
            "SOKETI_EVENT_MAX_SIZE_IN_KB: warning: app.event_bytes_max is beyond what Kilat allows; taken as 16MiB\n");
}

TEST(Foreign, Secret_StaysAsItIsAndIsNeverShown) {
  const ForeignSettings given = foreign_environment(std::vector<std::string>{
      "REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=\"(canary)\" ", "REVERB_APP_SECRTE=canary2"});
  EXPECT_EQ(values(given).at("app.secret"), "\"(canary)\" ");
  EXPECT_EQ(render(given.warnings).find("canary"), std::string::npos);
}

TEST(Foreign, DialectWithAWholeApp_IsTakenBeforeOneWithout) {
  const ForeignSettings given = foreign_environment(
      std::vector<std::string>{"SOKETI_PORT=1", "REVERB_APP_ID=1", "REVERB_APP_KEY=k", "REVERB_APP_SECRET=s"});
  EXPECT_EQ(given.dialect, Dialect::kReverb);
  EXPECT_TRUE(given.has_app);
  EXPECT_EQ(render(given.warnings),
            "SOKETI_PORT: warning: and all SOKETI_ names are ignored, because there are REVERB_ ones\n");
  EXPECT_EQ(foreign_environment(std::vector<std::string>{"PATH=/bin"}).dialect, Dialect::kNone);
}

TEST(Foreign, Metrics_AreServedWhereSoketiWould) {
  EXPECT_EQ(values({"SOKETI_METRICS_SERVER_PORT=9700"}).count("metrics.listen"), 0U);
  Document document;
  apply_foreign(document, foreign_environment(std::vector<std::string>{"SOKETI_METRICS_ENABLED=true",
                                                                       "SOKETI_METRICS_SERVER_PORT=9700"}));
  EXPECT_EQ(document.settings.metrics.listen, "0.0.0.0:9700");
  EXPECT_EQ(render(document.diagnostics), "");
}

TEST(Foreign, CertificateAndKey_TurnTlsOnForTheOnePort) {
  Document document;
  apply_foreign(document, foreign_environment(std::vector<std::string>{
                              "SOKETI_SSL_CERT=/c.pem", "SOKETI_SSL_KEY=/k.pem", "SOKETI_HOST=0.0.0.0"}));
  EXPECT_EQ(document.settings.server.listen, std::vector<std::string>{"0.0.0.0:6001 tls"});
  EXPECT_EQ(document.settings.tls.key, std::vector<std::string>{"/k.pem"});
}

TEST(Foreign, VariableForAllApps_DoesNotTouchAnAppsOwnValue) {
  Document document;
  document.settings.apps.resize(2);
  apply(document, *find_row("app.batch_max"), 0, Value(uint64_t{5}), {.file = "kilat.toml", .line = 3, .text = {}});
  apply_foreign(document, foreign_environment(
                              std::vector<std::string>{"SOKETI_EVENT_MAX_BATCH_SIZE=50", "SOKETI_DEFAULT_APP_ID=x"}));
  EXPECT_EQ(document.settings.apps[0].batch_max, 5U);
  EXPECT_EQ(document.settings.apps[1].batch_max, 50U);
  EXPECT_EQ(document.settings.apps[0].id, "");
  EXPECT_EQ(render(document.diagnostics),
            "SOKETI_DEFAULT_APP_ID: warning: sets the only app, but the configuration has 2; ignored\n");
}

}  // namespace
}  // namespace kilat::config
