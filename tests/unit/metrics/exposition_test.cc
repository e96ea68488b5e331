#include "metrics/exposition.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "metrics/process.h"

namespace kilat::metrics {
namespace {

TEST(Exposition, Sample_HasHelpTypeLabelsAndValue) {
  Exposition out;
  out.family(Metric::kMessagesReceived);
  out.sample({"shop", "ping"}, 7);
  EXPECT_EQ(out.take(),
            "# HELP kilat_messages_received_total Messages of clients, by what they ask for.\n"
            "# TYPE kilat_messages_received_total counter\n"
            "kilat_messages_received_total{app=\"shop\",kind=\"ping\"} 7\n");
}

TEST(Exposition, LabelValue_IsEscaped) {
  Exposition out;
  out.family(Metric::kChannels);
  out.sample({"a\"b\\c\nd"}, 1);
  EXPECT_NE(out.take().find(R"(kilat_channels{app="a\"b\\c\nd"} 1)"), std::string::npos);
}

TEST(Exposition, MetricWithoutLabels_HasNoBraces) {
  Exposition out;
  out.value(Metric::kShards, 4);
  EXPECT_NE(out.take().find("\nkilat_shards 4\n"), std::string::npos);
}

TEST(Exposition, Histogram_BucketsAreCumulativeAndEndWithAll) {
  Histogram turns;
  turns.observe(0);
  turns.observe(50);
  turns.observe(51);
  turns.observe(6'000'000);
  Exposition out;
  out.family(Metric::kTurn);
  out.sample({"1"}, turns);
  const std::string text = out.take();
  EXPECT_NE(text.find("kilat_turn_seconds_bucket{shard=\"1\",le=\"5e-05\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("kilat_turn_seconds_bucket{shard=\"1\",le=\"1e-04\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("kilat_turn_seconds_bucket{shard=\"1\",le=\"5\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("kilat_turn_seconds_bucket{shard=\"1\",le=\"+Inf\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("kilat_turn_seconds_sum{shard=\"1\"} 6.000101\n"), std::string::npos);
  EXPECT_NE(text.find("kilat_turn_seconds_count{shard=\"1\"} 4\n"), std::string::npos);
}

TEST(Exposition, SoketiNames_StandBehindThePrefix) {
  Exposition out("soketi_");
  out.family(Metric::kSoketiConnected);
  out.sample({"shop", "6001"}, 3);
  EXPECT_NE(out.take().find("\nsoketi_connected{app_id=\"shop\",port=\"6001\"} 3\n"), std::string::npos);
}

TEST(ExpositionJson, Families_AreObjectsOfOneArray) {
  Exposition out({}, Format::kJson);
  out.family(Metric::kMessagesReceived);
  out.sample({"a\"b", "ping"}, 7);
  out.sample({"shop", "pong"}, 0);
  out.family(Metric::kRefusals);
  out.family(Metric::kUptime);
  out.sample_real({}, 1.5);
  EXPECT_EQ(out.take(),
            R"([{"name":"kilat_messages_received_total","help":"Messages of clients, by what they ask for.",)"
            R"("type":"counter","values":[{"labels":{"app":"a\"b","kind":"ping"},"value":7},)"
            R"({"labels":{"app":"shop","kind":"pong"},"value":0}]},)"
            R"({"name":"kilat_refusals_total","help":"Refused handshakes, messages and requests, by row of )"
            R"(docs/reasons.md; failed signatures are among them.","type":"counter","values":[]},)"
            R"({"name":"kilat_uptime_seconds","help":"Time since the start.","type":"gauge",)"
            R"("values":[{"labels":{},"value":1.5}]}])");
}

TEST(ExpositionJson, Histogram_NamesTheLineOfEachValue) {
  Histogram turns;
  turns.observe(60);
  Exposition out({}, Format::kJson);
  out.family(Metric::kTurn);
  out.sample({"1"}, turns);
  const std::string text = out.take();
  EXPECT_NE(text.find(R"({"labels":{"shard":"1","le":"1e-04"},"value":1,"metricName":"kilat_turn_seconds_bucket"})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"({"labels":{"shard":"1"},"value":6e-05,"metricName":"kilat_turn_seconds_sum"})"),
            std::string::npos);
  EXPECT_NE(text.find(R"({"labels":{"shard":"1"},"value":1,"metricName":"kilat_turn_seconds_count"}]}])"),
            std::string::npos);
}

TEST(ExpositionJson, NothingWritten_IsAnEmptyArray) {
  EXPECT_EQ(Exposition({}, Format::kJson).take(), "[]");
  EXPECT_EQ(Exposition().take(), "");
}

TEST(ExpositionDeathTest, SampleWithOtherLabelsThanItsRow_EndsTheProcess) {
  Exposition out;
  out.family(Metric::kChannels);
  EXPECT_DEATH(out.sample({}, 1), "names.empty");
  EXPECT_DEATH(out.sample({"shop", "more"}, 1), "names.empty");
}

TEST(Histogram, Sum_IsWhatBothHaveCounted) {
  Histogram one;
  Histogram other;
  one.observe(10);
  other.observe(10);
  other.observe(2'000'000);
  one.add(other);
  EXPECT_EQ(one.count(), 3u);
  EXPECT_EQ(one.sum_us(), 2'000'020u);
  EXPECT_EQ(one.counts().front(), 2u);
}

TEST(Table, Names_AreDifferentAndFollowTheConventions) {
  std::set<std::string_view> names;
  for (const Row& row : table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    if (row.soketi()) continue;
    EXPECT_TRUE(row.name.starts_with("kilat_") || row.name.starts_with("process_")) << row.name;
    EXPECT_EQ(row.name.ends_with("_total"), row.type == Type::kCounter) << row.name;
    if (row.unit == Unit::kSeconds) {
      EXPECT_NE(row.name.find("_seconds"), std::string_view::npos) << row.name;
    }
    if (row.unit == Unit::kBytes) {
      EXPECT_NE(row.name.find("_bytes"), std::string_view::npos) << row.name;
    }
  }
}

TEST(Process, Usage_OfThisProcessIsKnown) {
  const ProcessUsage usage = process_usage();
  EXPECT_GT(usage.resident_bytes, 100'000u);
  EXPECT_GE(usage.open_files, 3u);
  EXPECT_GE(usage.open_files_max, usage.open_files);
  EXPECT_GE(memory_limit_bytes(), usage.resident_bytes);
}

TEST(Process, KilobytesOf_ReadsTheLineOfTheName) {
  EXPECT_EQ(kilobytes_of("MemTotal:        4096 kB\nMemFree: 1 kB\n", "MemTotal:"), 4096u * 1024);
  EXPECT_EQ(kilobytes_of("MemFree: 1 kB\n", "MemTotal:"), 0u);
}

}  // namespace
}  // namespace kilat::metrics
