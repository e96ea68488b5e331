#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flow/event_time.h"
#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

using boost::multiprecision::cpp_int;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string reading(std::string_view key, std::string_view value, std::string_view more = "") {
  return R"({"k":")" + std::string(key) + R"(","v":)" + std::string(value) + std::string(more) + "}";
}

std::string window(std::string_view start, std::string_view end, std::string_view values) {
  return R"({"window":{"start":"2026-11-21T10:00:)" + std::string(start) + R"(Z","end":"2026-11-21T10:00:)" +
         std::string(end) + R"(Z"},"values":)" + std::string(values) + "}";
}

// Only what rules made.
std::vector<std::string> derived(Lab& lab) {
  std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
  return lab.take_data();
}

TEST(Aggregate, Figures_ComeAtTheEndOfAnAlignedWindow) {
  Lab lab({"c aggregate=1s key=/k value=/v to=d as=figures"});
  lab.run_to(300);
  for (const char* value : {"20.50", "-1", "2e1"}) EXPECT_EQ(lab.send("c", "e", reading("a", value)), Fate::kPass);
  lab.run_to(999);
  lab.send("c", "e", reading(R"(b\")", "0.1"));
  EXPECT_TRUE(derived(lab).empty());
  lab.run_to(1'000);
  EXPECT_EQ(lab.seen.at(0).event, "figures");
  EXPECT_EQ(lab.seen.at(0).channel, "d");
  EXPECT_EQ(lab.seen.at(0).at_ms, 1'000U);
  EXPECT_THAT(
      derived(lab),
      ElementsAre(window(
          "00.000", "01.000",
          R"({"a":{"count":3,"sum":39.5,"min":-1,"max":20.50,"average":13.166666666666666,"first":20.50,)"
          R"("last":2e1},"b\"":{"count":1,"sum":0.1,"min":0.1,"max":0.1,"average":0.1,"first":0.1,"last":0.1}})")));
  lab.run_to(3'000);
  EXPECT_TRUE(derived(lab).empty()) << "no values, no window";
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Aggregate, LiteralsGiveALiteral_AndEachKeyMayHaveItsOwnEvent) {
  Lab lab({"c aggregate=1s key=/k value=/v to=d send=each functions=max,count"});
  lab.send("c", "e", literal(reading("a", "1")));
  lab.send("c", "e", literal(reading("b", "2")));
  lab.run_to(1'000);
  const auto want = [](std::string_view key, std::string_view values) {
    std::string json = window("00.000", "01.000", values);
    json.insert(json.find(",\"values\""), R"(,"key":")" + std::string(key) + '"');
    return literal(json);
  };
  EXPECT_THAT(derived(lab), ElementsAre(want("a", R"({"max":1,"count":1})"), want("b", R"({"max":2,"count":1})")));
}

TEST(Aggregate, WithoutAKey_FiguresStandAlone) {
  Lab lab({"c aggregate=1s value= to=d functions=count,sum"});
  for (const char* value : {"1", "2", "\"3\"", "\"x\""}) lab.send("c", "e", value);
  lab.run_to(1'000);
  EXPECT_THAT(derived(lab), ElementsAre(window("00.000", "01.000", R"({"count":3,"sum":6})")));
  EXPECT_EQ(lab.counters().not_json, 1U);
}

TEST(Aggregate, DigitsThatNoNumberTypeHolds_ComeBackAsTheyCame) {
  Lab lab({"c aggregate=1s value=/v to=d functions=min,max,first,last,sum"});
  const std::string big = "123456789012345678901234567890123456789012345678901234567890.10";
  lab.send("c", "e", R"({"v":)" + big + "}");
  lab.send("c", "e", R"({"v":-1.000e-400})");
  lab.run_to(1'000);
  EXPECT_THAT(derived(lab), ElementsAre(window("00.000", "01.000",
                                               R"({"min":-1.000e-400,"max":)" + big + R"(,"first":)" + big +
                                                   R"(,"last":-1.000e-400,"sum":)" + "1.2345678901234567e+59}")));
}

TEST(Aggregate, Quantiles_AreOffByOnePercentAtMost) {
  Lab lab({"c aggregate=1s value=/v to=d functions=p50,p95"});
  for (int i = 1; i <= 1'000; ++i) lab.send("c", "e", R"({"v":)" + std::to_string(i) + "}");
  lab.run_to(1'000);
  const std::string data = derived(lab).at(0);
  const auto number = [&](std::string_view name) { return std::stod(data.substr(data.find(name) + name.size())); };
  EXPECT_NEAR(number("\"p50\":"), 500, 5.1);
  EXPECT_NEAR(number("\"p95\":"), 950, 9.6);
  lab.send("c", "e", R"({"v":7})");
  lab.run_to(2'000);
  EXPECT_THAT(derived(lab).at(0), HasSubstr(R"("p50":7,"p95":7)")) << "never beyond what was seen";
  lab.send("c", "e", R"({"v":-4E+1212})");
  lab.run_to(3'000);
  EXPECT_THAT(derived(lab).at(0), HasSubstr(R"("p50":null,"p95":null)")) << "no double, so no JSON number";
}

TEST(Aggregate, LateAndEarlyValues_AreCountedAndLeftOut) {
  Lab lab({"c aggregate=1s value=/v time=/t late=2s to=d functions=count"});
  const auto send = [&](std::string_view time) {
    lab.send("c", "e", R"({"v":1,"t":"2026-11-21T10:00:)" + std::string(time) + R"(Z"})");
  };
  lab.run_to(4'500);
  send("01.999");  // its window ended at 02.000, the grace at 04.000
  send("02.000");
  send("04.400");
  send("07.500");  // an interval and the grace ahead
  send("07.501");
  EXPECT_EQ(lab.counters().late, 1U);
  EXPECT_EQ(lab.counters().early, 1U);
  lab.send("c", "e", R"({"v":1})");
  lab.send("c", "e", R"({"v":1,"t":"yesterday"})");
  EXPECT_EQ(lab.counters().timeless, 2U);
  lab.run_to(4'999);
  EXPECT_TRUE(derived(lab).empty());
  lab.run_to(5'000);
  EXPECT_THAT(derived(lab), ElementsAre(window("02.000", "03.000", R"({"count":1})")));
  send("02.999");
  EXPECT_EQ(lab.counters().late, 2U);
  lab.run_to(20'000);
  EXPECT_THAT(derived(lab),
              ElementsAre(window("04.000", "05.000", R"({"count":1})"), window("07.000", "08.000", R"({"count":1})")));
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Aggregate, ClockThatIsSet_NeitherHoldsNorLosesWindows) {
  Lab lab({"c aggregate=1s value= to=d functions=count"});
  lab.send("c", "e", "1");
  lab.unix_shift_ms = -3'600'000;
  lab.run_to(500);
  lab.send("c", "e", "1");
  lab.run_to(1'500);
  EXPECT_EQ(derived(lab).size(), 2U) << "the window of the time before, and that of the time now";
  lab.send("c", "e", "1");
  lab.unix_shift_ms = 3'600'000;
  lab.run_to(2'500);
  EXPECT_EQ(derived(lab).size(), 1U);
  lab.run_to(10'000);
  lab.expect_empty();
}

// Decimals as whole millionths, and their plainest text.
cpp_int millionths(std::string text) {
  int exponent = 6;
  if (const size_t e = text.find_first_of("eE"); e != std::string::npos) {
    exponent += std::stoi(text.substr(e + 1));
    text.resize(e);
  }
  if (const size_t point = text.find('.'); point != std::string::npos) {
    exponent -= static_cast<int>(text.size() - point - 1);
    text.erase(point, 1);
  }
  const bool negative = text.starts_with('-');
  if (negative) text.erase(0, 1);
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  cpp_int value(text);
  EXPECT_GE(exponent + 2, 0);
  value *= boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(exponent + 2));
  return negative ? cpp_int(-value) : value;
}

std::string plain_text(cpp_int hundred_millionths) {
  const bool negative = hundred_millionths < 0;
  if (negative) hundred_millionths = -hundred_millionths;
  std::string digits = hundred_millionths.str();
  if (digits.size() < 9) digits.insert(0, 9 - digits.size(), '0');
  digits.insert(digits.size() - 8, ".");
  while (digits.back() == '0') digits.pop_back();
  if (digits.back() == '.') digits.pop_back();
  return (negative ? "-" : "") + digits;
}

struct AggregateModel {
  uint64_t interval = 0;
  uint64_t late_ms = 0;
  bool timed = false;
  bool literals = false;
  std::vector<Seen> seen;
  uint64_t late = 0;
  uint64_t early = 0;

  using Keys = std::vector<std::pair<std::string, std::vector<std::string>>>;
  std::map<uint64_t, Keys> windows;

  void run_to(uint64_t now) {
    while (!windows.empty() && windows.begin()->first + interval + late_ms <= Lab::kUnixStart + now) {
      const auto& [start, keys] = *windows.begin();
      std::string json = R"({"window":{"start":")";
      append_iso_time(json, start);
      json += R"(","end":")";
      append_iso_time(json, start + interval);
      json += R"("},"values":{)";
      for (const auto& [key, values] : keys)
        json += (json.back() == '{' ? "" : ",") + ('"' + key) + "\":" + figures(values);
      json += "}}";
      seen.push_back({start + interval + late_ms - Lab::kUnixStart, "d", "e", literals ? literal(json) : json, true});
      windows.erase(windows.begin());
    }
  }
  static std::string figures(const std::vector<std::string>& values) {
    cpp_int sum = 0;
    const std::string* min = &values[0];
    const std::string* max = &values[0];
    for (const std::string& value : values) {
      sum += millionths(value);
      if (millionths(value) < millionths(*min)) min = &value;
      if (millionths(value) > millionths(*max)) max = &value;
    }
    return R"({"count":)" + std::to_string(values.size()) + R"(,"sum":)" + plain_text(sum) + R"(,"min":)" + *min +
           R"(,"max":)" + *max + R"(,"first":)" + values.front() + R"(,"last":)" + values.back() + "}";
  }
  void take(const RandomEvent& event, uint64_t time) {
    run_to(event.at_ms);
    if (!event.json || event.key.empty() || event.value.empty()) return;
    const uint64_t now = Lab::kUnixStart + event.at_ms;
    const uint64_t start = time - time % interval;
    if (timed && start + interval + late_ms <= now) {
      ++late;
      return;
    }
    if (timed && time > now + interval + late_ms) {
      ++early;
      return;
    }
    Keys& keys = windows[start];
    for (auto& [key, values] : keys) {
      if (key == event.key) return values.push_back(event.value);
    }
    keys.push_back({event.key, {event.value}});
  }
};

TEST(Aggregate, RandomStreams_AgreeWithTheModel) {
  uint64_t late = 0;
  uint64_t early = 0;
  for (unsigned seed = 0; seed < 80; ++seed) {
    RandomEvents random(3'000 + seed);
    AggregateModel model;
    model.interval = 10 + random.pick(400);
    model.timed = random.pick(2) == 0;
    if (model.timed) model.late_ms = random.pick(2) * random.pick(1'000);
    std::string rule = "c key=/k value=/v to=d functions=count,sum,min,max,first,last aggregate=";
    rule += std::to_string(model.interval) + "ms";
    if (model.timed) rule += " time=/time late=" + std::to_string(model.late_ms) + "ms";
    Lab lab({rule});
    uint64_t end = 0;
    for (int i = 0; i < 300; ++i) {
      RandomEvent event = random.next();
      model.literals = event.data.starts_with('"');
      const uint64_t now = Lab::kUnixStart + event.at_ms;
      const uint64_t time = model.timed ? now + random.pick(1'200) - 900 : now;
      if (model.timed && event.json) {
        // At the end of the object; of the data that means before the brace (and the quote).
        event.data.insert(event.data.rfind('}'),
                          (model.literals ? ",\\\"time\\\":" : ",\"time\":") + std::to_string(time));
      }
      model.take(event, time);
      lab.run_to(event.at_ms);
      ASSERT_EQ(lab.send("c", "e", event.data), Fate::kPass);
      end = event.at_ms + 3 * model.interval + 2 * model.late_ms;
    }
    lab.run_to(end);
    model.run_to(end);
    std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
    ASSERT_EQ(lab.take(), model.seen) << rule;
    EXPECT_EQ(lab.counters().late, model.late);
    EXPECT_EQ(lab.counters().early, model.early);
    late += model.late;
    early += model.early;
    lab.expect_every_event_accounted();
    lab.run_to(end + 10 * model.interval);
    lab.expect_empty();
  }
  EXPECT_GT(late, 100U) << "the streams must have had some";
  EXPECT_GT(early, 10U);
}

TEST(Aggregate, KeysAndBytesPastTheirLimit_AreCountedAndLeftOut) {
  Lab lab({"c aggregate=1s key=/k value=/v to=d keys=3 functions=count"});
  for (int i = 0; i < 10; ++i) lab.send("c", "e", reading("k" + std::to_string(i % 5), "1"));
  EXPECT_EQ(lab.counters().keys_full, 4U);
  lab.run_to(1'000);
  EXPECT_THAT(derived(lab).at(0), HasSubstr(R"({"k0":{"count":2},"k1":{"count":2},"k2":{"count":2}})"));
  lab.expect_every_event_accounted();

  Lab tight({"c aggregate=1s key=/k value=/v to=d functions=p50 bytes=64KiB"});
  for (int i = 0; i < 2'000; ++i)
    tight.send("c", "e", reading(std::to_string(i % 300), std::to_string(i) + "e" + std::to_string(i % 50)));
  EXPECT_GT(tight.counters().bytes_full, 0U);
  EXPECT_LT(tight.engine.bytes(), 64U * 1'024 + 2 * 8'192);
  tight.expect_every_event_accounted();
  tight.run_to(5'000);
  tight.expect_empty();
}

TEST(Aggregate, KeysThatAreTooLong_CountAsNone) {
  Lab lab({"c aggregate=1s key=/k value=/v to=d"});
  lab.send("c", "e", reading(std::string(1'025, 'x'), "1"));
  lab.send("c", "e", reading(std::string(1'024, 'x'), "1"));
  lab.send("c", "e", R"({"k":null,"v":1})");
  lab.send("c", "e", R"({"k":"a","v":"1"})");
  EXPECT_EQ(lab.counters().keyless, 2U);
  EXPECT_EQ(lab.counters().valueless, 1U);
  EXPECT_EQ(lab.counters().held, 1U);
}

TEST(Aggregate, FormMessage_HasFiguresAsDataAndAnIdOfItsOwnForEachWindow) {
  Lab lab({"c aggregate=1s key=/k value=/v to=d functions=count,sum form=message"});
  lab.send("c", "e", reading("a", "1.50"));
  lab.send("c", "e", reading("b", "2"));
  lab.run_to(1'000);
  lab.send("c", "e", reading("a", "3"));
  lab.run_to(2'000);
  const std::vector<std::string> seen = derived(lab);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0], StartsWith(R"({"data":{"a":{"count":1,"sum":1.5},"b":{"count":1,"sum":2}},"timestamp":")"));
  EXPECT_THAT(seen[1], HasSubstr(R"("channel":"d","batchId":")"));
  const auto id = [](const std::string& text) { return text.substr(text.find("batchId")); };
  EXPECT_NE(id(seen[0]), id(seen[1]));
  lab.expect_every_event_accounted();
}

}  // namespace
}  // namespace kilat::flow
