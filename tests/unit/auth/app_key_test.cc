#include "auth/app_key.h"

#include <gtest/gtest.h>

#include <string>

namespace kilat::auth {
namespace {

constexpr uint64_t kEnd = 1'800'000'000;
constexpr std::string_view kText = "1.1:private-room";

std::string by(std::string_view secret) {
  return hmac_sha256_hex(secret, kText);
}

TEST(AppKey, OneSecret_IsTheOnlyOne) {
  AppKey key("new");
  EXPECT_TRUE(key.verify(kText, by("new"), kEnd));
  EXPECT_FALSE(key.verify(kText, by("old"), 0));
  EXPECT_FALSE(key.verify(kText, by(""), 0));
  EXPECT_FALSE(key.verify(kText, "", 0));
}

TEST(AppKey, DuringARotation_BothSecretsSign) {
  AppKey key("new", "old", kEnd);
  EXPECT_TRUE(key.verify(kText, by("new"), kEnd - 1));
  EXPECT_TRUE(key.verify(kText, by("old"), kEnd - 1));
  EXPECT_FALSE(key.verify(kText, by("other"), kEnd - 1));
  EXPECT_FALSE(key.verify("another text", by("old"), kEnd - 1));
}

TEST(AppKey, SecretBefore_EndsAtItsTime_EvenIfTheClockGoesBack) {
  AppKey key("new", "old", kEnd);
  EXPECT_FALSE(key.verify(kText, by("old"), kEnd));
  EXPECT_FALSE(key.verify(kText, by("old"), kEnd - 10));
  EXPECT_TRUE(key.verify(kText, by("new"), kEnd + 1));
}

TEST(AppKey, SecretBefore_WithoutAnEnd_Stays) {
  AppKey key("new", "old", 0);
  EXPECT_TRUE(key.verify(kText, by("old"), UINT64_MAX));
}

}  // namespace
}  // namespace kilat::auth
