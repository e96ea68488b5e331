#include "console/live_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kilat::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(LiveConfig, KeyAndPrefix_AreTheWholeStory) {
  EXPECT_EQ(live_config_json("kd_7f3c", "/rt"),
            R"({"key":"kd_7f3c","channel":"scada-data","event":"scada.data.received","path_prefix":"/rt"})");
}

TEST(LiveConfig, AppId_IsNamedOnlyWhenGiven) {
  EXPECT_EQ(live_config_json("k", "", "plant"),
            R"({"key":"k","app":"plant","channel":"scada-data","event":"scada.data.received","path_prefix":""})");
  EXPECT_THAT(live_config_json("k", ""), Not(HasSubstr("\"app\"")));
}

TEST(LiveConfig, QuotesAndControlCharacters_AreEscaped) {
  EXPECT_THAT(live_config_json("a\"b\\c\n", ""), HasSubstr(R"("key":"a\"b\\c\n")"));
}

TEST(LiveConfig, ContentSecurityPolicy_StartsFromOneself) {
  EXPECT_THAT(std::string(kLiveContentSecurityPolicy), HasSubstr("default-src 'self'"));
  EXPECT_THAT(std::string(kLiveContentSecurityPolicy), Not(HasSubstr("unsafe")));
}

}  // namespace
}  // namespace kilat::console
