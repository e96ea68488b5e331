#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "cli/bench/result.h"

namespace kilat::cli::bench {
namespace {

namespace json = boost::json;

Plan some_plan() {
  Plan plan;
  plan.host = "127.0.0.1";
  plan.port = 6001;
  plan.credentials = {"the-key", "the-secret"};
  plan.shape = {100, 2, 10, true};
  plan.payload_bytes = 200;
  plan.rate = 50;
  return plan;
}

std::unique_ptr<Result> good_result() {
  auto result = std::make_unique<Result>();
  result->established = 100;
  result->connects_per_second = 250.5;
  result->totals = {.expected = 4900, .received = 4900, .sent = 100, .sent_measured = 50, .received_measured = 2450};
  result->measured_ns = 1'000'000'000;
  for (uint64_t i = 1; i <= 100; ++i) result->latency_ns.record(i * 1'000'000);
  return result;
}

json::object parsed(const Result& result) {
  return json::parse(report_json(some_plan(), result)).as_object();
}

TEST(BenchReport, Json_HasItsStableNames) {
  const json::object report = parsed(*good_result());
  std::string names;
  for (const auto& member : report) names += std::string(member.key()) + " ";
  EXPECT_EQ(
      names,
      "ok error interrupted url via channels payload_bytes publishers rate window duration_s connections publishes "
      "deliveries latency_ms client_cpu reasons ");
  names.clear();
  for (const auto& member : report.at("connections").as_object()) names += std::string(member.key()) + " ";
  EXPECT_EQ(names, "wanted established failed dropped per_second latency_ms ");
  names.clear();
  for (const auto& member : report.at("publishes").as_object()) names += std::string(member.key()) + " ";
  EXPECT_EQ(names, "sent measured per_second refused unsent stalls answer_ms ");
  names.clear();
  for (const auto& member : report.at("deliveries").as_object()) names += std::string(member.key()) + " ";
  EXPECT_EQ(names, "expected received measured per_second lost duplicates reordered unexpected ");
}

TEST(BenchReport, Json_HoldsTheNumbers) {
  const json::object report = parsed(*good_result());
  EXPECT_TRUE(report.at("ok").as_bool());
  EXPECT_TRUE(report.at("error").is_null());
  EXPECT_EQ(report.at("rate").as_int64(), 50);
  EXPECT_TRUE(report.at("window").is_null());
  EXPECT_EQ(report.at("url").as_string(), "ws://127.0.0.1:6001");
  EXPECT_DOUBLE_EQ(report.at("deliveries").at("per_second").as_double(), 2450);
  EXPECT_NEAR(report.at("latency_ms").at("p50").as_double(), 50, 0.5);
  EXPECT_NEAR(report.at("latency_ms").at("p99").as_double(), 99, 1);
  EXPECT_DOUBLE_EQ(report.at("latency_ms").at("max").as_double(), 100);
  EXPECT_TRUE(report.at("publishes").at("answer_ms").is_null());
}

TEST(BenchReport, Json_StaysJsonWhateverTheServerSaid) {
  auto result = good_result();
  result->complaints.add(Stage::kConnect, {4001, "no \"app\"\n\x1b[2J \xff"});
  result->error = "a \"quoted\" error";
  const json::object report = parsed(*result);
  const json::object& reason = report.at("reasons").as_array().at(0).as_object();
  EXPECT_EQ(reason.at("stage").as_string(), "connect");
  EXPECT_EQ(reason.at("code").as_int64(), 4001);
  EXPECT_EQ(reason.at("count").as_int64(), 1);
  EXPECT_EQ(std::string(reason.at("text").as_string()).find('\x1b'), std::string::npos);
  EXPECT_EQ(report.at("error").as_string(), "a \"quoted\" error");
}

TEST(BenchReport, Secret_IsInNoReport) {
  EXPECT_EQ(report_json(some_plan(), *good_result()).find("the-secret"), std::string::npos);
  EXPECT_EQ(report_text(some_plan(), *good_result()).find("the-secret"), std::string::npos);
}

TEST(BenchReport, AnythingWrong_IsNotOk) {
  EXPECT_TRUE(good_result()->ok());
  const auto spoilt = [](auto change) {
    auto result = good_result();
    change(*result);
    return !result->ok();
  };
  EXPECT_TRUE(spoilt([](Result& result) { result.error = "x"; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.failed = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.dropped = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.refused = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.totals.lost = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.totals.duplicates = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.totals.reordered = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.totals.unexpected = 1; }));
  EXPECT_TRUE(spoilt([](Result& result) { result.complaints.add(Stage::kRun, {4301, "slow down"}); }));
}

TEST(BenchReport, Text_ShowsReasonsAndWarnings) {
  auto result = good_result();
  result->unsent = 3;
  result->complaints.add(Stage::kRun, {4301, "slow down"});
  const std::string text = report_text(some_plan(), *result);
  EXPECT_NE(text.find("2450.0/s, 4,900 of 4,900"), std::string::npos) << text;
  EXPECT_NE(text.find("1 x run  4301: slow down"), std::string::npos) << text;
  EXPECT_NE(text.find("3 publishes were due but could not be sent"), std::string::npos) << text;
}

TEST(BenchComplaints, AlikeOnes_ShareARow) {
  Complaints complaints;
  for (int i = 0; i < 5; ++i) complaints.add(Stage::kConnect, {4001, "a"});
  complaints.add(Stage::kRun, {4001, "a"});
  complaints.add(Stage::kConnect, {0, "b"});
  EXPECT_EQ(complaints.kinds().size(), 3U);
  EXPECT_EQ(complaints.count(Stage::kConnect), 6U);
  EXPECT_EQ(complaints.most_frequent(Stage::kConnect), "4001: a");
  EXPECT_EQ(complaints.most_frequent(Stage::kPublish), "");
}

TEST(BenchComplaints, MoreKindsThanTheBound_AreCountedAsOthers) {
  Complaints complaints;
  for (int i = 0; i < 1'000; ++i) {
    for (const Stage stage : {Stage::kConnect, Stage::kRun, Stage::kPublish}) {
      complaints.add(stage, {i, std::string(10'000, 'x')});
    }
  }
  EXPECT_LE(complaints.kinds().size(), Complaints::kKindsMax);
  EXPECT_EQ(complaints.count(Stage::kConnect), 1'000U);
  EXPECT_EQ(complaints.count(Stage::kPublish), 1'000U);
  for (const auto& kind : complaints.kinds()) EXPECT_LE(kind.complaint.text.size(), Complaints::kTextBytesMax);
}

TEST(BenchReport, Numbers_AreGroupedByThree) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1'000), "1,000");
  EXPECT_EQ(with_commas(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace kilat::cli::bench
