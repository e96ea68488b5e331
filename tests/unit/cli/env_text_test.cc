#include "cli/env_text.h"

#include <gtest/gtest.h>

#include "config/dotenv.h"
#include "config/foreign.h"
#include "config/listen.h"
#include "config/toml_reader.h"

namespace kilat::cli {
namespace {

hub::AppSettings odd_app() {
  hub::AppSettings app;
  app.id = "shop";
  app.key = "k";
  app.secret = "a \"quoted\" $HOME #1\\";
  return app;
}

TEST(EnvText, LaravelAndReverbLines_AreReadBackAsTheyWereMeant) {
  for (const auto& [text, prefix] : {std::pair{laravel_lines({"127.0.0.1", 6001, false}, odd_app()), "PUSHER_"},
                                     {reverb_lines({"127.0.0.1", 6001, false}, odd_app()), "REVERB_"}}) {
    const auto given = config::foreign_environment(config::parse_dotenv(text, {}));
    EXPECT_TRUE(given.has_app) << prefix;
    EXPECT_TRUE(given.warnings.empty()) << config::render(given.warnings);
    bool found = false;
    for (const config::Override& entry : given.overrides) found |= entry.value == odd_app().secret;
    EXPECT_TRUE(found) << text;
    EXPECT_NE(text.find(std::string(prefix) + "PORT=6001\n"), std::string::npos);
    EXPECT_NE(text.find(std::string(prefix) + "SCHEME=http\n"), std::string::npos);
  }
}

TEST(EnvText, Endpoint_IsTheFirstAddressThatAClientCanUse) {
  config::ServerSettings server;
  server.host = "0.0.0.0";
  EXPECT_EQ(endpoint_of(server).host, "127.0.0.1");
  EXPECT_EQ(endpoint_of(server).port, 6001);
  EXPECT_FALSE(endpoint_of(server).tls);
  config::set_listen(server, {"unix:/run/kilat.sock", "[::]:7443 tls"});
  EXPECT_EQ(endpoint_of(server).host, "::1");
  EXPECT_EQ(endpoint_of(server).port, 7443);
  EXPECT_TRUE(endpoint_of(server).tls);
}

TEST(EnvText, Nginx_WaitsLongerThanAnyLiveConnectionIsSilent) {
  config::Settings settings;
  settings.apps.push_back(odd_app());
  settings.apps[0].activity_timeout_s = 1'000;
  settings.apps[0].pong_timeout_ms = 30'000;
  const std::string text = nginx_lines({"::1", 6001, false}, settings);
  EXPECT_NE(text.find("proxy_read_timeout 1281s;"), std::string::npos) << text;
  EXPECT_NE(text.find("proxy_pass http://[::1]:6001;"), std::string::npos);
  EXPECT_NE(text.find("client_max_body_size 1024k;"), std::string::npos);
  EXPECT_EQ(text.find("quoted"), std::string::npos) << "no secret";
  const size_t hint = text.find("server.trusted_proxies = ");
  ASSERT_NE(hint, std::string::npos);
  const std::string line = text.substr(hint, text.find('\n', hint) - hint);
  EXPECT_EQ(config::render(config::read_toml(line, "hint").diagnostics), "");
}

TEST(EnvText, Node_IsValidForOddSecretsAndNamesTlsAndPrefix) {
  const std::string text = node_lines({"h", 443, true}, odd_app(), "/ws");
  EXPECT_NE(text.find(R"(secret: "a \"quoted\" $HOME #1\\")"), std::string::npos) << text;
  EXPECT_NE(text.find("useTLS: true"), std::string::npos);
  EXPECT_NE(text.find(R"(wsPath: "/ws")"), std::string::npos);
}

}  // namespace
}  // namespace kilat::cli
