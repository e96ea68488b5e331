#include "app/token_keys.h"

#include <gtest/gtest.h>

namespace kilat::app {
namespace {

TEST(TokenKeys, PauseUntilTheNextFetch_FollowsTheAnswerWithinBounds) {
  EXPECT_EQ(TokenKeys::pause_ms("", 300), 300'000u);
  EXPECT_EQ(TokenKeys::pause_ms("public, max-age=60", 300), 60'000u);
  EXPECT_EQ(TokenKeys::pause_ms("max-age=0", 300), TokenKeys::kPauseMs);
  EXPECT_EQ(TokenKeys::pause_ms("max-age=86400", 300), 300'000u);
  EXPECT_EQ(TokenKeys::pause_ms("max-age=", 300), 300'000u);
  EXPECT_EQ(TokenKeys::pause_ms("max-age=99999999999999999999999", 300), 300'000u);
  EXPECT_EQ(TokenKeys::pause_ms("no-store", 10), 10'000u);
}

TEST(TokenKeys, FileThatIsNotThere_IsNamedInTheError) {
  hub::AppSettings app;
  app.jwt.keys = {"https://id.example/jwks.json", "/nonexistent/id.pem"};
  const auto files = TokenKeys::read({app});
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().detail.find("/nonexistent/id.pem"), std::string::npos) << files.error().detail;
}

}  // namespace
}  // namespace kilat::app
