// What people read when a value is wrong.
#include <gtest/gtest.h>

#include "base/quantity.h"
#include "config/schema.h"
#include "config/toml_reader.h"
#include "config/value.h"

namespace kilat::config {
namespace {

std::string messages(std::string_view text) {
  return render(read_toml(text, "kilat.toml").diagnostics);
}

TEST(Messages, WrongChoice_GetsASuggestion) {
  EXPECT_NE(messages("log.level = \"debgu\"\n").find("did you mean \"debug\"?"), std::string::npos);
}

TEST(Messages, SecretsOfEverySpelling_AreLeftOut) {
  for (const char* line : {"Secret = \"canary\" x", "my.password=\"canary\" x", "token: canary x"})
    EXPECT_EQ(messages(line).find("canary"), std::string::npos) << line;
}

TEST(Value, Durations_AreReadWithTheirUnits) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500U);
  EXPECT_EQ(parse_duration_ms("5 s"), 5'000U);
  EXPECT_EQ(parse_duration_ms("2m"), 120'000U);
  EXPECT_EQ(parse_duration_ms("1h"), 3'600'000U);
  EXPECT_EQ(parse_duration_ms("7d"), 604'800'000U);
  for (const char* bad : {"", "5", "s", "1.5s", "-1s", "5sec", "99999999999999999d"})
    EXPECT_FALSE(parse_duration_ms(bad)) << bad;
}

TEST(Value, Durations_AreWrittenWithTheLargestWholeUnit) {
  EXPECT_EQ(format_duration_ms(0), "0");
  EXPECT_EQ(format_duration_ms(1'500), "1500ms");
  EXPECT_EQ(format_duration_ms(75'000), "75s");
  EXPECT_EQ(format_duration_ms(3'600'000), "1h");
}

TEST(Value, Times_AreTakenAsNumbersAndAsTextsInFileAndEnvironment) {
  const Document document = read_toml(
      "server.drain_ms = \"5s\"\nhttp.request_timeout_ms = 400\n[[app]]\nactivity_timeout_s = \"2m\"\n", "kilat.toml");
  EXPECT_EQ(render(document.diagnostics), "");
  EXPECT_EQ(document.settings.server.drain_ms, 5'000U);
  EXPECT_EQ(document.settings.http.request_timeout_ms, 400U);
  EXPECT_EQ(document.settings.apps.at(0).activity_timeout_s, 120U);
  EXPECT_EQ(std::get<uint64_t>(parse_text(*find_row("server.drain_ms"), "1m").value()), 60'000U);
  EXPECT_FALSE(parse_text(*find_row("app.activity_timeout_s"), "1500ms"));
  EXPECT_NE(messages("server.drain_ms = \"2h\"\n").find("is 2h; the largest allowed is 1h"), std::string::npos);
  EXPECT_NE(messages("server.port = \"5s\"\n").find("must be a whole number"), std::string::npos);
}

TEST(Value, HugeNumbersOfSeconds_AreStillRefusedInWords) {
  EXPECT_NE(messages("[[app]]\ncache_ttl_s = 9223372036854775807\n").find("is 9223372036854775807; the largest"),
            std::string::npos);
}

}  // namespace
}  // namespace kilat::config
