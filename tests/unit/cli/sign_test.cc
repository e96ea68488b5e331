#include "cli/sign.h"

#include <gtest/gtest.h>

namespace kilat::cli {
namespace {

const Credentials kVector{"278d425bdf160c739803", "7ad3773142a6692b25b8"};
constexpr uint64_t kTime = 1'353'088'179;

std::string signature(std::string_view method, std::string_view path, const Parameters& parameters,
                      std::string_view body) {
  const std::string query = signed_query(kVector, method, path, parameters, body, kTime);
  return query.substr(query.rfind('=') + 1);
}

TEST(Sign, OfficialVectorOfTheEventsCall_IsMatched) {
  const std::string body = R"({"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"})";
  EXPECT_EQ(signed_query(kVector, "POST", "/apps/3/events", {}, body, kTime),
            "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
            "&body_md5=ec365a775a4cd0599faeb73354201b6f"
            "&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c");
}

TEST(Sign, VectorsOfTheOtherCalls_AreMatched) {
  EXPECT_EQ(signature("POST", "/apps/3/batch_events", {}, R"({"batch":[{"name":"e","channel":"c","data":"1"}]})"),
            "6b4732d031aef7adc4a0b642737b6ee3c43e788dcc561429a346beb7b8a936f5");
  EXPECT_EQ(signature("GET", "/apps/3/channels", {{"filter_by_prefix", "presence-"}, {"info", "user_count"}}, ""),
            "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291");
  EXPECT_EQ(signature("GET", "/apps/3/channels/cache-x", {{"info", "subscription_count,cache"}}, ""),
            "aa6c24f2e993d182c577e4b3202d5ce637e731a554b8cff6ad52b633f1026894");
  EXPECT_EQ(signature("POST", "/apps/3/users/12345/terminate_connections", {}, "{}"),
            "01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e");
}

TEST(Sign, Values_AreEscapedInTheQueryOnly) {
  const std::string query = signed_query(kVector, "GET", "/p", {{"channel", "scada-*,a b"}}, "", kTime);
  EXPECT_NE(query.find("channel=scada-%2A%2Ca%20b&"), std::string::npos);
}

TEST(Sign, PercentEncoding_LeavesUnreservedCharactersAlone) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("/é"), "%2F%C3%A9");
}

}  // namespace
}  // namespace kilat::cli
