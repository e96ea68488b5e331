#include "auth/token_clock.h"

#include <gtest/gtest.h>

namespace kilat::auth {
namespace {

using Due = TokenClock::Due;

JwtSettings settings(uint32_t warning_s, uint32_t leeway_s) {
  JwtSettings jwt;
  jwt.warning_s = warning_s;
  jwt.leeway_s = leeway_s;
  return jwt;
}
Identity until(uint64_t expires_unix_s) {
  Identity who;
  who.expires_unix_s = expires_unix_s;
  return who;
}

TEST(TokenClock, WithoutAnEnd_DoesNotRun) {
  TokenClock clock(until(0), settings(60, 30));
  EXPECT_FALSE(clock.runs());
  EXPECT_EQ(clock.check(UINT64_MAX), Due::kNothing);
}

TEST(TokenClock, WarnsOnce_ThenEndsAfterTheLeeway) {
  TokenClock clock(until(1'000), settings(60, 30));
  EXPECT_EQ(clock.check(939), Due::kNothing);
  EXPECT_EQ(clock.wait_ms(939), 1'000u);
  EXPECT_EQ(clock.check(940), Due::kWarning);
  EXPECT_EQ(clock.left_s(940), 90u);
  EXPECT_EQ(clock.check(941), Due::kNothing);
  EXPECT_EQ(clock.check(1'029), Due::kNothing);
  EXPECT_EQ(clock.check(1'030), Due::kEnd);
}

TEST(TokenClock, WaitsAreBounded_BecauseTheWallClockMayBeSet) {
  const TokenClock clock(until(1'000'000), settings(60, 30));
  EXPECT_EQ(clock.wait_ms(0), TokenClock::kWaitMaxMs);
  EXPECT_EQ(clock.wait_ms(2'000'000), 0u);
}

TEST(TokenClock, WithoutAWarning_OnlyEnds) {
  TokenClock clock(until(1'000), settings(0, 0));
  EXPECT_EQ(clock.check(999), Due::kNothing);
  EXPECT_EQ(clock.check(1'000), Due::kEnd);
}

}  // namespace
}  // namespace kilat::auth
