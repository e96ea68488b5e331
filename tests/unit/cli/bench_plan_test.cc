#include <gtest/gtest.h>

#include <string>

#include "auth/hmac.h"
#include "cli/bench/plan.h"
#include "cli/bench/publisher.h"

namespace kilat::cli::bench {
namespace {

// Names everything, so that no configuration of this machine is read.
Options some_options() {
  Options options;
  options.target = {.app = "shop", .config = {}, .url = "ws://127.0.0.1:6001/", .key = "k", .secret = "s"};
  return options;
}

std::string why(const Options& options) {
  const auto plan = make_plan(options, 1);
  return plan ? "" : plan.error().why;
}

TEST(BenchPlan, Url_IsTakenApart) {
  Options options = some_options();
  options.target.url = "ws://[::1]:7001/prefix/";
  const auto plan = make_plan(options, 0xab);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->host, "::1");
  EXPECT_EQ(plan->port, 7001);
  EXPECT_EQ(plan->path_prefix, "/prefix");
  EXPECT_EQ(plan->authority(), "[::1]:7001");
  EXPECT_EQ(plan->channel_name(7), "private-bench-000000ab-000007");
}

TEST(BenchPlan, HostAndPort_StandForAUrl) {
  Options options = some_options();
  options.target.url.clear();
  options.port = 7002;
  const auto plan = make_plan(options, 1);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->authority(), "127.0.0.1:7002");
  options.target.url = "ws://127.0.0.1:1";
  EXPECT_NE(why(options), "");
}

TEST(BenchPlan, ClientEvents_NeedNoAppId) {
  Options options = some_options();
  options.target.app.clear();
  EXPECT_EQ(why(options), "");
}

TEST(BenchPlan, Scheme_DecidesAboutTls) {
  Options options = some_options();
  for (const char* url : {"wss://example.com/a", "https://example.com/a"}) {
    options.target.url = url;
    const auto plan = make_plan(options, 1);
    ASSERT_TRUE(plan.has_value()) << url;
    EXPECT_TRUE(plan->tls);
    EXPECT_EQ(plan->url(), "wss://example.com:443/a");
  }
  options.target.url = "http://example.com";
  const auto plain = make_plan(options, 1);
  ASSERT_TRUE(plain.has_value());
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->url(), "ws://example.com:80");
}

TEST(BenchPlan, WordsAboutCertificates_AreForTlsOnly) {
  Options options = some_options();
  options.insecure = true;
  EXPECT_NE(why(options).find("this address is plain"), std::string::npos);
  options.insecure = false;
  options.ca = "ca.pem";
  EXPECT_NE(why(options).find("this address is plain"), std::string::npos);
  options.target.url = "wss://127.0.0.1:6001";
  EXPECT_EQ(why(options), "");
}

TEST(BenchPlan, OtherSchemes_AreNoAddress) {
  Options options = some_options();
  options.target.url = "ftp://example.com";
  EXPECT_EQ(why(options), "this is no address");
}

TEST(BenchPlan, Rate_IsANumberOrMax) {
  Options options = some_options();
  options.rate = "max";
  EXPECT_EQ(make_plan(options, 1)->rate, 0U);
  options.rate = "250";
  EXPECT_EQ(make_plan(options, 1)->rate, 250U);
  for (const char* rate : {"0", "-1", "1.5", "many", "", "99999999999"}) {
    options.rate = rate;
    EXPECT_NE(why(options), "") << rate;
  }
}

TEST(BenchPlan, Publishers_FollowTheUsualLimitOfClientEvents) {
  Options options = some_options();
  options.rate = "95";
  EXPECT_EQ(make_plan(options, 1)->shape.publishers, 10U);
  options.rate = "5";
  EXPECT_EQ(make_plan(options, 1)->shape.publishers, 1U);
  options.channels = 20;
  EXPECT_EQ(make_plan(options, 1)->shape.publishers, 20U);
  options.rate = "1000000";
  EXPECT_EQ(make_plan(options, 1)->shape.publishers, 100U);
  options.publishers = 3;
  EXPECT_EQ(make_plan(options, 1)->shape.publishers, 3U);
  options.publishers = 101;
  EXPECT_NE(why(options), "");
}

TEST(BenchPlan, BooksThatWouldBeTooBig_AreRefused) {
  Options options = some_options();
  options.connections = 100'000;
  options.rate = "1000000";
  const auto plan = make_plan(options, 1);
  ASSERT_TRUE(plan.has_value()) << plan.error().why;
  EXPECT_LE(uint64_t{plan->shape.publishers_heard()} * 100'000, kStreamsMax);
  options.publishers = 1'000;
  EXPECT_NE(why(options), "");
}

TEST(BenchPlan, ChannelsWithoutReaders_AreRefused) {
  Options options = some_options();
  options.connections = 10;
  options.channels = 6;
  EXPECT_NE(why(options), "");
  options.via = "http";
  EXPECT_EQ(why(options), "");
  options.channels = 11;
  EXPECT_NE(why(options), "");
}

// The request is put together by hand for speed; it must carry what the general signer makes of the same parameters.
TEST(BenchPublisher, EventRequest_IsSignedAsItStands) {
  Options options = some_options();
  options.via = "http";
  options.target.url = "ws://127.0.0.1:6001/pre";
  const auto plan = make_plan(options, 1);
  ASSERT_TRUE(plan.has_value());
  auth::HmacSha256 hmac("s");
  const std::string request = event_request(*plan, hmac, "c", R"({"a":"b"})", 1'700'000'000);
  const std::string body = R"({"name":"bench","channels":["c"],"data":"{\"a\":\"b\"}"})";
  const std::string query = signed_query({"k", "s"}, "POST", "/apps/shop/events", {}, body, 1'700'000'000);
  const size_t cut = query.find("&auth_signature=");
  EXPECT_NE(request.find(query.substr(cut)), std::string::npos) << request;
  EXPECT_TRUE(request.starts_with("POST /pre/apps/shop/events?auth_key=k&auth_timestamp=1700000000&"));
  EXPECT_TRUE(request.ends_with("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
}

}  // namespace
}  // namespace kilat::cli::bench
