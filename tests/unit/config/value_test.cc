#include "config/value.h"

#include <gtest/gtest.h>

#include <set>

#include "base/quantity.h"
#include "config/suggest.h"
#include "config/text_rules.h"
#include "config/toml_reader.h"

namespace kilat::config {
namespace {

TEST(Value, Sizes_AreReadWithAndWithoutUnit) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("1 MiB"), 1'048'576U);
  EXPECT_EQ(parse_size("2GiB"), 2'147'483'648U);
  for (const char* bad : {"", "KiB", "1KB", "-1", "1.5MiB", "99999999999999GiB", "0x10"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Value, Sizes_AreWrittenWithTheLargestWholeUnit) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1000), "1000");
  EXPECT_EQ(format_size(102'400), "100KiB");
  EXPECT_EQ(format_size(1'048'576), "1MiB");
}

TEST(Value, ListFromText_IsSplitAtCommas) {
  const auto value = parse_text(*find_row("app.allowed_origins"), "a.example, *.b.example,");
  ASSERT_TRUE(value);
  EXPECT_EQ(std::get<std::vector<std::string>>(*value), (std::vector<std::string>{"a.example", "*.b.example"}));
}

TEST(Value, FlowRules_AreCheckedWhenTheyAreRead) {
  const Row& row = *find_row("app.flow");
  EXPECT_FALSE(row.needs_restart);
  Value good = std::vector<std::string>{"scada-data conflate=100ms key=/channel to=scada-realtime", "* sample=2"};
  EXPECT_EQ(check_value(row, good), "");
  Value bad = std::vector<std::string>{"* sample=2", "scada-data conflate=100"};
  EXPECT_NE(check_value(row, bad).find("has no interval from 1ms to 24h"), std::string::npos);
  Value many = std::vector<std::string>(201, "* sample=2");
  EXPECT_NE(check_value(row, many), "");
}

TEST(Value, BadText_IsRepeatedInTheMessage) {
  const auto value = parse_text(*find_row("server.live_page"), "maybe");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error(), "must be true or false, not \"maybe\"");
}

TEST(Schema, EveryRow_HasHelpAndAnExampleThatTheReaderAccepts) {
  std::set<std::string_view> keys;
  for (const Row& row : schema()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key << " occurs twice";
    EXPECT_FALSE(row.help.empty()) << row.key;
    const std::string line = std::string(row.key) + " = " + std::string(row.example);
    EXPECT_EQ(render(read_toml(line, "example").diagnostics), "");
  }
}

TEST(Schema, EveryDefault_LiesInItsOwnRange) {
  for (const Row& row : schema()) {
    if (row.key == "app.id" || row.key == "app.key" || row.key == "app.secret") continue;
    Value value = row.get(row, Settings{}, hub::AppSettings{});
    EXPECT_EQ(check_value(row, value), "") << row.key;
  }
}

TEST(Schema, SettingADefault_ChangesNothing) {
  for (const Row& row : schema()) {
    if (row.key == "app.id" || row.key == "app.key" || row.key == "app.secret") continue;
    Settings settings;
    hub::AppSettings app;
    const Value before = row.get(row, settings, app);
    row.set(row, settings, app, before);
    EXPECT_EQ(row.get(row, settings, app), before) << row.key;
  }
}

TEST(TextRules, Listen_TakesBothFamiliesAndRefusesTheRest) {
  for (const auto& [given, normal] :
       {std::pair{"localhost:1", "127.0.0.1:1"}, {"[::1]:0", "[::1]:0"}, {"0.0.0.0:65535", "0.0.0.0:65535"}}) {
    std::string text = given;
    EXPECT_EQ(listen_rule(text), "");
    EXPECT_EQ(text, normal);
    std::string host;
    uint16_t port = 1;
    split_listen(text, host, port);
    EXPECT_EQ(join_listen(host, port), normal);
  }
  for (const char* bad :
       {"6001", ":6001", "::1:6001", "0.0.0.0:", "0.0.0.0:65536", "0.0.0.0:1x", "shop.example:1", "[]:1"}) {
    std::string text = bad;
    EXPECT_NE(listen_rule(text), "") << bad;
  }
}

TEST(TextRules, Loopback_IsKnownInBothFamilies) {
  for (const char* host : {"127.0.0.1", "127.8.9.1", "::1"}) EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"0.0.0.0", "::", "192.168.1.1", "128.0.0.1"}) EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Suggest, Distance_CountsSlipsOfThePen) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("port", "prot"), 1U);
  EXPECT_EQ(edit_distance("conection", "connection"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance(std::string(10'000, 'a'), "a"), 63U);
}

TEST(Suggest, FarWords_AreNotSuggested) {
  constexpr std::string_view kKnown[] = {"host", "port", "shards"};
  EXPECT_EQ(nearest("shard", kKnown), "shards");
  EXPECT_EQ(nearest("wibble", kKnown), "");
  EXPECT_EQ(nearest("", kKnown), "");
}

}  // namespace
}  // namespace kilat::config
