// Numbers as people write them: whole ones, sizes, durations.
#include "base/quantity.h"

#include <gtest/gtest.h>

namespace kilat {
namespace {

TEST(Quantity, WholeNumber_IsAllOfTheText) {
  EXPECT_EQ(parse_whole("0"), 0U);
  EXPECT_EQ(parse_whole("17"), 17U);
  EXPECT_EQ(parse_whole("007"), 7U);
  for (const char* bad : {"", " ", " 1", "1 ", "1.0", "1e3", "0x10", "+1", "-", "-1", "-0", "1a", "one", "٣"}) {
    EXPECT_EQ(parse_whole(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_whole(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Quantity, WholeNumber_EndsWithTheText) {
  // Views of a longer text: nothing is read behind them.
  const std::string_view text = "12345";
  EXPECT_EQ(parse_whole(text.substr(0, 2)), 12U);
  EXPECT_EQ(parse_whole(text.substr(5)), std::nullopt);
  EXPECT_EQ(parse_whole(std::string_view()), std::nullopt);
}

TEST(Quantity, WholeNumber_FitsItsType) {
  EXPECT_EQ(parse_whole("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_whole("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_whole("99999999999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_whole<uint16_t>("65535"), 65'535);
  EXPECT_EQ(parse_whole<uint16_t>("65536"), std::nullopt);
  EXPECT_EQ(parse_whole<uint32_t>("4294967296"), std::nullopt);
}

TEST(Quantity, WholeNumber_HasASignOnlyWhereItsTypeHasOne) {
  EXPECT_EQ(parse_whole<int64_t>("-1"), -1);
  EXPECT_EQ(parse_whole<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_whole<int64_t>("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_whole<int64_t>("--1"), std::nullopt);
  EXPECT_EQ(parse_whole<int64_t>("+1"), std::nullopt);
  EXPECT_EQ(parse_whole<uint32_t>("-1"), std::nullopt);
}

TEST(Quantity, Size_MayHaveAUnit) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("4096B"), 4096U);
  EXPECT_EQ(parse_size("64KiB"), 64U << 10);
  EXPECT_EQ(parse_size("64 KiB"), 64U << 10);
  EXPECT_EQ(parse_size("2GiB"), uint64_t{2} << 30);
  EXPECT_EQ(parse_size("8589934592GiB"), uint64_t{1} << 63);
  for (const char* bad : {"", "KiB", "-1", "1kb", "1.5MiB", "8589934593GiB", "9223372036854775809"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Quantity, Duration_MustHaveAUnit) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500U);
  EXPECT_EQ(parse_duration_ms("30s"), 30'000U);
  EXPECT_EQ(parse_duration_ms("5 m"), 300'000U);
  EXPECT_EQ(parse_duration_ms("1h"), 3'600'000U);
  EXPECT_EQ(parse_duration_ms("7d"), uint64_t{7} * 86'400'000);
  for (const char* bad : {"", "s", "30", "-1s", "1.5s", "1sec", "18446744073709551615d"}) {
    EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
  }
}

TEST(Quantity, WhatIsWritten_IsReadBack) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{1023}, uint64_t{1024}, uint64_t{3} << 30}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
  for (const uint64_t ms : {uint64_t{1}, uint64_t{999}, uint64_t{1'000}, uint64_t{90'000}, uint64_t{86'400'000}}) {
    EXPECT_EQ(parse_duration_ms(format_duration_ms(ms)), ms);
  }
}

}  // namespace
}  // namespace kilat
