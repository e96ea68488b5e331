// What is asked about readings, and the answers.
#include "ingest/answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kilat::ingest {
namespace {

std::string why(std::string_view query) {
  const http::Query parsed(query);
  const auto range = parse_range(parsed);
  return range ? "fine" : range.error().detail;
}

RangeQuery query_of(std::string_view text) {
  const http::Query parsed(text);
  auto range = parse_range(parsed);
  EXPECT_TRUE(range) << text;
  return *range;
}

TEST(RangeQuery, Times_AreIsoOrNumbersAsInReadings) {
  const RangeQuery query = query_of("sensor=a%201&from=2026-11-21T19:33:53Z&to=1795289700000&step=1m&limit=7");
  EXPECT_EQ(query.range.sensor, "a 1");
  EXPECT_EQ(query.range.from_ms, 1'795'289'633'000U);
  EXPECT_EQ(query.range.to_ms, 1'795'289'700'000U);
  EXPECT_EQ(query_of("sensor=a&from=1795289633").range.from_ms, 1'795'289'633'000U);
  EXPECT_EQ(query.step_ms, 60'000U);
  EXPECT_EQ(query.limit, 7U);
  EXPECT_EQ(query_of("sensor=a&step=250").step_ms, 250U);
  EXPECT_TRUE(query_of("sensor=a&order=newest").range.backwards);
}

TEST(RangeQuery, WhatIsWrong_IsNamed) {
  EXPECT_EQ(why(""), "sensor");
  EXPECT_EQ(why("sensor=a&from=x"), "from");
  EXPECT_EQ(why("sensor=a&to=-1"), "to");
  EXPECT_EQ(why("sensor=a&step=0"), "step: 1ms to 366d");
  EXPECT_EQ(why("sensor=a&step=x"), "step: such as 10s or 1m");
  EXPECT_EQ(why("sensor=a&limit=10001"), "limit: 1 to 10000");
  EXPECT_EQ(why("sensor=a&order=up"), "order: oldest or newest");
  EXPECT_EQ(why("sensor=a&order=newest&step=1s"), "order: steps come oldest first");
  for (const char* after : {"", "1", "1-", "-1", "x-1", "1-1x"}) {
    EXPECT_EQ(why(std::string("sensor=a&after=") + after), "after") << after;
  }
}

/// Shows readings of (time, value) until no more are wanted.
std::string show(RangeAnswer& answer, std::initializer_list<std::pair<uint64_t, std::string_view>> readings) {
  int64_t sequence = 0;
  for (const auto& [time, value] : readings) {
    const store::Reading reading{.unix_ms = time, .sensor = "s", .value = value, .data = "{}"};
    if (!answer.on_reading(reading, {time, ++sequence})) break;
  }
  return answer.take();
}

TEST(RangeAnswer, Readings_StayAsTheyCame_AndTheNextPageHasAPlace) {
  RangeAnswer answer(query_of("sensor=s&limit=2"));
  EXPECT_EQ(show(answer, {{1, "1.50"}, {1, ""}, {2, "7"}}),
            R"({"sensor":"s","readings":[{"time":1,"value":1.50,"data":{}},{"time":1,"value":null,"data":{}}],)"
            R"("next":"1-2"})");
  RangeAnswer all(query_of("sensor=s&limit=2"));
  EXPECT_EQ(show(all, {}), R"({"sensor":"s","readings":[],"next":null})");
}

TEST(RangeAnswer, Steps_HaveTheFiguresOfTheirValues) {
  RangeAnswer answer(query_of("sensor=s&step=10&limit=2"));
  EXPECT_EQ(
      show(answer, {{20, "0.1"}, {21, "0.2"}, {22, ""}, {29, "-3"}, {40, "1e1"}, {55, "1"}}),
      R"({"sensor":"s","step":10,"steps":[)"
      R"({"time":20,"count":3,"sum":-2.7,"min":-3,"max":0.2,"average":-0.9,"first":0.1,"last":-3},)"
      R"({"time":40,"count":1,"sum":10,"min":1e1,"max":1e1,"average":10,"first":1e1,"last":1e1}],"next":"1970-01-01T00:00:00.050Z"})");
}

TEST(RangeAnswer, NextOfSteps_IsTheirFrom) {
  for (const uint64_t time :
       {uint64_t{0}, uint64_t{50}, uint64_t{99'999'999'990}, uint64_t{100'000'000'000}, uint64_t{1'795'289'640'000}}) {
    RangeAnswer answer(query_of("sensor=s&step=10&limit=1"));
    // One step earlier, but for the first.
    const std::string json =
        time < 10 ? show(answer, {{0, "1"}, {10, "1"}}) : show(answer, {{time - 10, "1"}, {time, "1"}});
    const size_t begin = json.find(R"("next":")") + 8;
    const std::string next = json.substr(begin, json.size() - 2 - begin);
    EXPECT_EQ(query_of("sensor=s&from=" + next).range.from_ms, std::max(time, uint64_t{10})) << next;
  }
}

TEST(RangeAnswer, StepsOfLongNumbers_EndWithTheBytesOfAnAnswer) {
  const std::string digits(100'000, '7');
  RangeAnswer answer(query_of("sensor=s&step=10"));
  uint64_t steps = 0;
  while (steps < 1'000 &&
         answer.on_reading({.unix_ms = 10 * steps, .sensor = "s", .value = digits, .data = "{}"}, {})) {
    ++steps;
  }
  const std::string json = answer.take();
  EXPECT_LT(steps, 1'000U);
  EXPECT_LT(json.size(), kAnswerBytesMax + 10 * digits.size());
  EXPECT_EQ(json.find(R"("next":null)"), std::string::npos);
}

TEST(IngestAnswers, Lists_SayWhereTheNextPageBegins) {
  const NameOf name_of = [](int64_t id) { return "j-" + std::to_string(id); };
  const store::FailedJob job{
      .id = 3, .created_ms = 1, .failed_ms = 2, .readings = 4, .bytes = 5, .tries = 6, .error = "no \"room\""};
  const std::string one = R"({"job":"j-3","readings":4,"bytes":5,"created":1,"failed":2,"tries":6,)"
                          R"("error":"no \"room\""})";
  EXPECT_EQ(failed_json(std::span(&job, 1), 2, name_of), R"({"jobs":[)" + one + R"(],"next":null})");
  EXPECT_EQ(failed_json(std::span(&job, 1), 1, name_of), R"({"jobs":[)" + one + R"(],"next":"j-3"})");
  EXPECT_EQ(failed_json({}, 1, name_of), R"({"jobs":[],"next":null})");
  const store::SensorRow sensor{.name = "a\n", .first_ms = 1, .last_ms = 2, .last_value = {}};
  EXPECT_EQ(sensors_json(std::span(&sensor, 1), 1),
            R"({"sensors":[{"sensor":"a\n","first":1,"last":2,"value":null}],"next":"a\n"})");
  const store::SensorRow nameless{.name = {}, .first_ms = 1, .last_ms = 2, .last_value = "3"};
  EXPECT_EQ(sensors_json(std::span(&nameless, 1), 1),
            R"({"sensors":[{"sensor":"","first":1,"last":2,"value":3}],"next":""})")
      << "there may be more behind the one without a name";
  EXPECT_EQ(sensors_json(std::span(&nameless, 1), 2),
            R"({"sensors":[{"sensor":"","first":1,"last":2,"value":3}],"next":null})");
  EXPECT_EQ(accepted_json({.id = 9, .readings = 2, .repeated = true}, name_of), R"({"accepted":2,"job":"j-9"})");
  EXPECT_EQ(queue_json({}), R"({"jobs":0,"readings":0,"bytes":0,"oldest":null,"failed_jobs":0,"failed_bytes":0})");
}

}  // namespace
}  // namespace kilat::ingest
