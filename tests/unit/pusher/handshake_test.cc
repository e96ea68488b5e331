#include "pusher/handshake.h"

#include <gtest/gtest.h>

#include <vector>

namespace kilat::pusher {
namespace {

hub::AppSettings app(std::string key) {
  hub::AppSettings settings;
  settings.id = key;
  settings.key = std::move(key);
  settings.secret = "secret";
  return settings;
}

struct Handshake : ::testing::Test {
  Handshake() {
    std::vector<hub::AppSettings> settings{app("plain"), app("off"), app("tls")};
    settings[1].enabled = false;
    settings[2].tls_only = true;
    apps = std::make_unique<hub::AppTable>(settings);
  }
  HandshakeResult check(const HandshakeRequest& request, bool strict = false) const {
    return check_handshake(request, *apps, strict);
  }
  Reason protocol(std::optional<std::string_view> text, bool strict = false) const {
    return check({.app_key = "plain", .protocol = text}, strict).refused;
  }
  std::unique_ptr<hub::AppTable> apps;
};

TEST_F(Handshake, GoodRequest_GivesAppAndProtocol) {
  const HandshakeResult result = check({.app_key = "plain", .protocol = "7"});
  EXPECT_EQ(result.refused, Reason::kNone);
  ASSERT_NE(result.app, nullptr);
  EXPECT_EQ(result.app->settings.key, "plain");
  EXPECT_EQ(result.protocol, 7);
  EXPECT_EQ(check({.app_key = "plain", .protocol = "5"}).protocol, 5);
}

TEST_F(Handshake, UnknownApp_IsRefused) {
  for (const char* key : {"", "nope", "plain ", "Plain"}) {
    EXPECT_EQ(check({.app_key = key, .protocol = "7"}).refused, Reason::kAppUnknown) << key;
    EXPECT_EQ(check({.app_key = key, .protocol = "7"}).app, nullptr);
  }
}

TEST_F(Handshake, DisabledApp_IsRefused) {
  EXPECT_EQ(check({.app_key = "off", .protocol = "7"}).refused, Reason::kAppDisabled);
}

TEST_F(Handshake, TlsOnlyApp_TakesTlsAlone) {
  EXPECT_EQ(check({.app_key = "tls", .protocol = "7"}).refused, Reason::kTlsRequired);
  EXPECT_EQ(check({.app_key = "tls", .protocol = "7", .tls = true}).refused, Reason::kNone);
}

TEST_F(Handshake, ProtocolMatrix) {
  for (const char* good : {"4", "5", "6", "7", "007"}) EXPECT_EQ(protocol(good), Reason::kNone) << good;
  for (const char* unknown : {"0", "3", "8", "99", "-1", "2147483648", "99999999999999999999"}) {
    EXPECT_EQ(protocol(unknown), Reason::kProtocolUnsupported) << unknown;
  }
  for (const char* malformed : {"abc", "7a", " 7", "7 ", "+7", "7.0", "-", "0x7"}) {
    EXPECT_EQ(protocol(malformed), Reason::kProtocolMalformed) << malformed;
  }
}

TEST_F(Handshake, MissingProtocol_IsRefusedOnlyWhenStrict) {
  EXPECT_EQ(protocol(std::nullopt), Reason::kNone);
  EXPECT_EQ(protocol(""), Reason::kNone);
  EXPECT_EQ(check({.app_key = "plain", .protocol = std::nullopt}).protocol, 7);
  EXPECT_EQ(protocol(std::nullopt, true), Reason::kProtocolMissing);
  EXPECT_EQ(protocol("", true), Reason::kProtocolMissing);
  EXPECT_EQ(protocol("7", true), Reason::kNone);
}

TEST_F(Handshake, ForeignOrigin_IsRefused) {
  EXPECT_EQ(check({.app_key = "plain", .protocol = "7", .origin_allowed = false}).refused, Reason::kOriginRefused);
}

// A misconfigured client should hear of the fault that it must mend first.
TEST_F(Handshake, SeveralFaults_AreToldInAFixedOrder) {
  EXPECT_EQ(check({.app_key = "nope", .protocol = "x", .origin_allowed = false}).refused, Reason::kAppUnknown);
  EXPECT_EQ(check({.app_key = "off", .protocol = "x", .origin_allowed = false}).refused, Reason::kAppDisabled);
  EXPECT_EQ(check({.app_key = "tls", .protocol = "x", .origin_allowed = false}).refused, Reason::kTlsRequired);
  EXPECT_EQ(check({.app_key = "plain", .protocol = "x", .origin_allowed = false}).refused, Reason::kProtocolMalformed);
}

}  // namespace
}  // namespace kilat::pusher
