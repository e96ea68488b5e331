// Flow rules: what one reading costs. A reading is what a plant sends (docs/flow.md), a literal of about 130 bytes.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "counters.h"
#include "flow/engine.h"

namespace kilat::bench {
namespace {

constexpr size_t kSensors = 200;

std::vector<std::string> readings(bool as_literal) {
  std::vector<std::string> datas;
  for (size_t i = 0; i < 10 * kSensors; ++i) {
    const std::string sensor = "temp-" + std::to_string(i % kSensors);
    const std::string json = R"({"data":{"channel":")" + sensor + R"(","value":)" + std::to_string(i % 97) +
                             R"(.25,"timestamp":1795289633},"timestamp":"2026-11-21T19:33:53.123Z","channel":")" +
                             sensor + "\"}";
    datas.push_back(as_literal ? json_string(json) : json);
  }
  return datas;
}

// 10,000 readings a second by the engine's clock. The time inside of the readings stands still, and so does the clock
// of the day where a rule looks at it.
void flow_reading(benchmark::State& state, const std::vector<std::string>& rules, bool as_literal) {
  flow::Engine engine(std::make_shared<const flow::RuleSet>(rules));
  const std::vector<std::string> datas = readings(as_literal);
  std::vector<flow::Emission> out;
  uint64_t count = 0;
  const bool timed = rules.front().find("time=") != std::string::npos;
  const auto send = [&] {
    const uint64_t now_ms = 1'000 + count / 10;
    const std::string& data = datas[count++ % datas.size()];
    const flow::Fate fate = engine.on_event(
        {"scada-data", "scada-data", "scada.data.received", data, now_ms, 1'795'289'633'000 + (timed ? 500 : now_ms)},
        0, out);
    benchmark::DoNotOptimize(fate);
    out.clear();
  };
  for (int i = 0; i < 25'000; ++i) send();  // two windows, so that all keys have their memory
  Counters counters(state);
  for (auto _ : state) send();
  state.SetItemsProcessed(state.iterations());
}

const std::string kAggregate = "scada-data aggregate=1s key=/data/channel value=/data/value to=scada-aggregated";
const std::string kTimed = kAggregate + " time=/timestamp late=1s functions=count,sum,p50,p95";
const std::string kConflate = "scada-data conflate=100ms key=/data/channel to=scada-realtime";
const std::string kBatch = "scada-data batch=1s to=scada-batch";

BENCHMARK_CAPTURE(flow_reading, none, std::vector<std::string>{"other batch=1s"}, true);
BENCHMARK_CAPTURE(flow_reading, throttle, std::vector<std::string>{"scada-data throttle=100ms"}, true);
BENCHMARK_CAPTURE(flow_reading, conflate, std::vector<std::string>{kConflate}, true);
BENCHMARK_CAPTURE(flow_reading, batch, std::vector<std::string>{kBatch}, true);
BENCHMARK_CAPTURE(flow_reading, aggregate, std::vector<std::string>{kAggregate}, true);
BENCHMARK_CAPTURE(flow_reading, aggregate_raw, std::vector<std::string>{kAggregate}, false);
BENCHMARK_CAPTURE(flow_reading, aggregate_timed_quantiles, std::vector<std::string>{kTimed}, true);
BENCHMARK_CAPTURE(flow_reading, scada, std::vector<std::string>{kBatch, kAggregate, kConflate}, true);

}  // namespace
}  // namespace kilat::bench
