#include "cli/telemetry.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace kilat::cli {
namespace {

constexpr uint64_t kTime = 1'767'225'731'123;

HostSample sample(uint64_t time_ms, uint64_t busy, uint64_t total, uint64_t rx) {
  HostSample out;
  out.time_ms = time_ms;
  out.cpu = {busy, total};
  out.network = {rx, 0};
  return out;
}

double value_of(const std::vector<Reading>& readings, std::string_view sensor) {
  for (const Reading& reading : readings) {
    if (reading.sensor == sensor) return reading.value;
  }
  return -1;
}

TEST(Telemetry, Rates_ArePerSecondOfTheTimeBetween) {
  const auto readings = readings_between(sample(1'000, 50, 100, 1'000), sample(1'500, 75, 200, 2'000));
  EXPECT_DOUBLE_EQ(value_of(readings, "host.cpu"), 25.0);
  EXPECT_DOUBLE_EQ(value_of(readings, "host.net_rx"), 2'000.0);
}

TEST(Telemetry, CountersThatWentBackwards_CountAsNothing) {
  const auto readings = readings_between(sample(1'000, 50, 100, 9'000), sample(1'000, 10, 90, 10));
  EXPECT_DOUBLE_EQ(value_of(readings, "host.cpu"), 0.0);
  EXPECT_DOUBLE_EQ(value_of(readings, "host.net_rx"), 0.0);
}

TEST(Telemetry, Batch_CarriesEachReadingAsJsonText) {
  const auto bodies = batch_bodies({{"host.cpu", 12.5, "%"}}, kTime, 10);
  ASSERT_EQ(bodies.size(), 1U);
  const auto batch = boost::json::parse(bodies[0]).at("batch").as_array();
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].at("channel").as_string(), "scada-data");
  EXPECT_EQ(batch[0].at("name").as_string(), "scada.data.received");
  EXPECT_EQ(batch[0].at("data").as_string(),
            R"({"data":{"channel":"host.cpu","value":12.5,"timestamp":1767225731.123,"unit":"%"},)"
            R"("timestamp":"2026-01-01T00:02:11.123Z","channel":"host.cpu"})");
}

TEST(Telemetry, ManyReadings_AreSplitIntoBatches) {
  const std::vector<Reading> readings(21, Reading{"host.cpu", 1, "%"});
  const auto bodies = batch_bodies(readings, kTime, 10);
  ASSERT_EQ(bodies.size(), 3U);
  EXPECT_EQ(boost::json::parse(bodies[0]).at("batch").as_array().size(), 10U);
  EXPECT_EQ(boost::json::parse(bodies[2]).at("batch").as_array().size(), 1U);
  EXPECT_TRUE(batch_bodies({}, kTime, 10).empty());
}

TEST(Telemetry, OneTickOfAllReadings_FitsOneBatch) {
  EXPECT_LE(readings_between({}, {}).size(), 10U);
}

}  // namespace
}  // namespace kilat::cli
