#include "flow/event_time.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>

namespace kilat::flow {
namespace {

std::string iso(uint64_t ms) {
  std::string out;
  append_iso_time(out, ms);
  return out;
}

TEST(EventTime, IsoTexts_AreRead) {
  const uint64_t at = 1'795'289'633'123;
  EXPECT_EQ(iso(at), "2026-11-21T19:33:53.123Z");
  for (const std::string_view same :
       {"2026-11-21T19:33:53.123Z", "2026-11-21T19:33:53.123456789Z", "2026-11-21 19:33:53.123",
        "2026-11-21t19:33:53.123z", "2026-11-21T20:33:53.123+01:00", "2026-11-21T14:03:53.123-0530",
        "2026-11-21T19:33:53,123+00:00"}) {
    EXPECT_EQ(read_iso_time(same), at) << same;
  }
  EXPECT_EQ(read_iso_time("2026-11-21T19:33Z"), at - 53'123);
  EXPECT_EQ(read_iso_time("2026-11-21T19:33:53.1Z"), at - 23);
  EXPECT_EQ(read_iso_time("1970-01-01T00:00:00Z"), 0U);
  EXPECT_EQ(read_iso_time("2024-02-29T00:00:00Z"), 1'709'164'800'000U);
}

TEST(EventTime, OtherTexts_AreNotRead) {
  for (const std::string_view bad :
       {"", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T19", "2026-11-21T24:00:00Z", "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-11-21T19:60:00Z", "2026-11-21T19:33:53.Z", "2026-11-21T19:33:53Zx",
        "2026-11-21T19:33:53+1:00", "2026-11-21T19:33:53+", "2026-1-21T19:33:53Z", "1969-12-31T23:59:59Z",
        "2026-11-21T19:33:61Z", "9999-12-31T23:59:59-01:00", " 2026-11-21T19:33:53Z"}) {
    EXPECT_EQ(read_iso_time(bad), std::nullopt) << bad;
  }
}

TEST(EventTime, Numbers_AreSecondsOrMilliseconds) {
  EXPECT_EQ(read_unix_time("1795289633"), 1'795'289'633'000U);
  EXPECT_EQ(read_unix_time("1795289633.1239"), 1'795'289'633'123U);
  EXPECT_EQ(read_unix_time("1795289633123"), 1'795'289'633'123U);
  EXPECT_EQ(read_unix_time("1795289633123.9"), 1'795'289'633'123U);
  EXPECT_EQ(read_unix_time("1.795289633e9"), 1'795'289'633'000U);
  EXPECT_EQ(read_unix_time("0.5"), 500U);
  EXPECT_EQ(read_unix_time("99999999999.99999999999999999999999999"), 99'999'999'999'999U);
  for (const std::string_view bad : {"-1", "1e300", "1e15", "12345678901234567890123456789012345678901"})
    EXPECT_EQ(read_unix_time(bad), std::nullopt) << bad;
}

TEST(EventTime, RandomTimes_ComeBack) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 2'000; ++i) {
    const uint64_t ms = random() % 253'402'300'800'000;
    ASSERT_EQ(read_iso_time(iso(ms)), ms);
    const auto seconds = static_cast<std::time_t>(ms / 1'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    ASSERT_EQ(iso(ms).substr(0, 19), text);
  }
  EXPECT_EQ(iso(UINT64_MAX), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace kilat::flow
