#include "api/request_auth.h"

#include "unit/api/api_world.h"

namespace kilat::api::testing {
namespace {

constexpr std::string_view kKey = "auth_key=278d425bdf160c739803";
constexpr std::string_view kWhen = "&auth_timestamp=1353088179&auth_version=1.0";

struct RequestAuth : ::testing::Test {
  Reason check(std::string_view method, std::string_view target, std::string_view body = {},
               std::string_view prefix = {}, uint64_t now_s = kNowMs / 1000) {
    const WireRequest request(method, target, body);
    const http::Query query(request.get().query());
    return authenticate(request.get(), query, prefix, apps[0], secret, now_s);
  }
  std::string target(std::string_view path, std::string_view more, std::string_view signature) const {
    return std::string(path) + "?" + std::string(kKey) + std::string(kWhen) + std::string(more) +
           "&auth_signature=" + std::string(signature);
  }
  std::string hmac(std::string_view text) { return auth::hmac_sha256_hex(app_settings().secret, text); }

  hub::AppTable apps{{app_settings()}};
  auth::AppKey secret{app_settings().secret};
};

TEST_F(RequestAuth, PublishedVectors_AreAccepted) {
  const std::string_view event = R"({"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"})";
  EXPECT_EQ(check("POST",
                  target("/apps/3/events", "&body_md5=ec365a775a4cd0599faeb73354201b6f",
                         "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"),
                  event),
            Reason::kNone);
  EXPECT_EQ(check("POST",
                  target("/apps/3/batch_events", "&body_md5=114c5263191da710e39d4857209e4dff",
                         "6b4732d031aef7adc4a0b642737b6ee3c43e788dcc561429a346beb7b8a936f5"),
                  R"({"batch":[{"name":"e","channel":"c","data":"1"}]})"),
            Reason::kNone);
  EXPECT_EQ(check("GET", target("/apps/3/channels", "&filter_by_prefix=presence-&info=user_count",
                                "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291")),
            Reason::kNone);
  for (const char* info : {"&info=subscription_count,cache", "&info=subscription_count%2Ccache"}) {
    EXPECT_EQ(check("GET", target("/apps/3/channels/cache-x", info,
                                  "aa6c24f2e993d182c577e4b3202d5ce637e731a554b8cff6ad52b633f1026894")),
              Reason::kNone);
  }
  EXPECT_EQ(check("POST",
                  target("/apps/3/users/12345/terminate_connections", "&body_md5=99914b932bd37a50b983c5e7c90ae93b",
                         "01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e"),
                  "{}"),
            Reason::kNone);
}

TEST_F(RequestAuth, SecretBefore_SignsUntilItsEnd) {
  const std::string signature = hmac("GET\n/apps/3/channels\n" + std::string(kKey) + std::string(kWhen));
  const std::string request = target("/apps/3/channels", "", signature);
  secret = auth::AppKey("another secret");
  EXPECT_EQ(check("GET", request), Reason::kApiSignatureInvalid);
  secret = auth::AppKey("another secret", app_settings().secret, kNowMs / 1000 + 1);
  EXPECT_EQ(check("GET", request), Reason::kNone);
  EXPECT_EQ(check("GET", request, {}, {}, kNowMs / 1000 + 1), Reason::kApiSignatureInvalid);
}

TEST_F(RequestAuth, OrderAndCaseOfKeys_DoNotMatter) {
  const std::string signature =
      hmac("GET\n/apps/3/channels\n" + std::string(kKey) + std::string(kWhen) + "&info=user_count");
  EXPECT_EQ(check("GET", "/apps/3/channels?Info=user_count&AUTH_VERSION=1.0&auth_signature=" + signature +
                             "&Auth_Timestamp=1353088179&" + std::string(kKey)),
            Reason::kNone);
}

TEST_F(RequestAuth, AnyChange_BreaksTheSignature) {
  const std::string good = signed_target("GET", "/apps/3/channels", "info=user_count", {});
  ASSERT_EQ(check("GET", good), Reason::kNone);
  std::string changed = good;
  changed.back() = changed.back() == '0' ? '1' : '0';
  EXPECT_EQ(check("GET", changed), Reason::kApiSignatureInvalid);
  EXPECT_EQ(check("POST", good), Reason::kApiSignatureInvalid);
  EXPECT_EQ(check("GET", good + "&extra=1"), Reason::kApiSignatureInvalid);
  changed = good;
  changed.replace(changed.find("channels"), 8, "Channels");
  EXPECT_EQ(check("GET", changed), Reason::kApiSignatureInvalid);
  EXPECT_EQ(check("GET", good.substr(0, good.find("&auth_signature"))), Reason::kApiSignatureInvalid);
  EXPECT_EQ(check("GET", good.substr(0, good.size() - 64)), Reason::kApiSignatureInvalid);
}

TEST_F(RequestAuth, KeyVersionAndTimestamp_AreJudgedBeforeTheSignature) {
  EXPECT_EQ(check("GET", "/apps/3/channels"), Reason::kApiKeyInvalid);
  EXPECT_EQ(check("GET", "/apps/3/channels?auth_key=other"), Reason::kApiKeyInvalid);
  const std::string base = "/apps/3/channels?" + std::string(kKey);
  EXPECT_EQ(check("GET", base), Reason::kApiVersionInvalid);
  EXPECT_EQ(check("GET", base + "&auth_version=2.0"), Reason::kApiVersionInvalid);
  for (const char* text : {"", "x", "1353088179x", "-1", "1353088179.5", "99999999999999999999999"}) {
    EXPECT_EQ(check("GET", base + "&auth_version=1.0&auth_timestamp=" + text), Reason::kApiTimestampInvalid) << text;
  }
}

TEST_F(RequestAuth, TimestampWindow_IsTenMinutesToEachSide) {
  const std::string good = signed_target("GET", "/apps/3/channels", {}, {}, 10'000);
  for (const uint64_t now : {9'400U, 10'000U, 10'600U}) EXPECT_EQ(check("GET", good, {}, {}, now), Reason::kNone);
  for (const uint64_t now : {9'399U, 10'601U, 0U}) {
    EXPECT_EQ(check("GET", good, {}, {}, now), Reason::kApiTimestampExpired);
  }
}

TEST_F(RequestAuth, BodyMd5_MustMatchTheBody) {
  const std::string good = signed_target("POST", "/apps/3/events", {}, "{}");
  EXPECT_EQ(check("POST", good, "{}"), Reason::kNone);
  EXPECT_EQ(check("POST", good, "{ }"), Reason::kApiBodyMd5Invalid);
  EXPECT_EQ(check("POST", good), Reason::kApiBodyMd5Invalid);
  EXPECT_EQ(check("POST", signed_target("POST", "/apps/3/events", {}, {}), "{}"), Reason::kApiBodyMd5Invalid);
  EXPECT_EQ(check("POST", signed_target("POST", "/apps/3/events", {}, {})), Reason::kNone);
}

TEST_F(RequestAuth, Prefix_MayBeSignedOrNot) {
  const auto sent = [&](std::string_view path, std::string_view signed_path) {
    const std::string pairs = std::string(kKey) + std::string(kWhen);
    return std::string(path) + "?" + pairs +
           "&auth_signature=" + hmac("GET\n" + std::string(signed_path) + "\n" + pairs);
  };
  EXPECT_EQ(check("GET", sent("/ws/apps/3/channels", "/apps/3/channels"), {}, "/ws"), Reason::kNone);
  EXPECT_EQ(check("GET", sent("/ws/apps/3/channels", "/ws/apps/3/channels"), {}, "/ws"), Reason::kNone);
  EXPECT_EQ(check("GET", sent("/apps/3/channels", "/ws/apps/3/channels"), {}, "/ws"), Reason::kApiSignatureInvalid);
  EXPECT_EQ(check("GET", sent("/ws/apps/3/channels", "/apps/3/channels")), Reason::kApiSignatureInvalid);
}

TEST_F(RequestAuth, ReencodedPath_IsTriedDecoded) {
  const std::string pairs = std::string(kKey) + std::string(kWhen);
  const std::string signature = hmac("GET\n/apps/3/channels/a=b,c\n" + pairs);
  EXPECT_EQ(check("GET", "/apps/3/channels/a%3Db%2Cc?" + pairs + "&auth_signature=" + signature), Reason::kNone);
  const std::string raw = hmac("GET\n/apps/3/channels/a%3Db%2Cc\n" + pairs);
  EXPECT_EQ(check("GET", "/apps/3/channels/a%3Db%2Cc?" + pairs + "&auth_signature=" + raw), Reason::kNone);
}

TEST_F(RequestAuth, Plus_IsItselfOrASpace) {
  const std::string pairs = std::string(kKey) + std::string(kWhen);
  for (const char* meant : {"a+b", "a b"}) {
    const std::string signature = hmac("GET\n/apps/3/channels\n" + pairs + "&x=" + meant);
    EXPECT_EQ(check("GET", "/apps/3/channels?" + pairs + "&x=a+b&auth_signature=" + signature), Reason::kNone);
  }
}

TEST_F(RequestAuth, BrokenOrEndlessQuery_IsRefused) {
  EXPECT_EQ(check("GET", "/apps/3/channels?a=%zz"), Reason::kApiParameterInvalid);
  std::string many = "/apps/3/channels?";
  for (int i = 0; i < 100; ++i) many += "a=1&";
  EXPECT_EQ(check("GET", many), Reason::kApiParameterInvalid);
}

}  // namespace
}  // namespace kilat::api::testing
