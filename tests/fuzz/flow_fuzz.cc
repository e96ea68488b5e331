// Flow rules: any texts as rules, any events, a reload in the middle. Whatever comes, the engine stays within its
// bounds, every event is accounted for, results are JSON where they were made of JSON, and in the end nothing is held.
// Input: a byte that says how many rules, each a text; then events: a byte that chooses, and texts.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_parser.h"
#include "base/json_text.h"
#include "flow/engine.h"
#include "fuzz/input.h"
#include "fuzz/require.h"

namespace {

using kilat::flow::Emission;
using kilat::flow::Engine;
using kilat::flow::Event;
using kilat::flow::FlowRule;
using kilat::flow::RuleSet;
using kilat::testing::require;

constexpr std::string_view kChannels[] = {"a", "b", "private-a", "a.1", "c.x.y", "d"};
constexpr std::string_view kNames[] = {"e", "f", "e.long.name"};

struct World {
  explicit World(const std::vector<std::string>& texts)
      : rules(texts), engine(std::make_shared<const RuleSet>(texts)) {}

  void publish(kilat::testing::FuzzInput& in, uint8_t choice) {
    const std::string_view channel = kChannels[choice % 6];
    const std::string_view name = kNames[choice / 6 % 3];
    const std::string_view text = in.text();
    const std::string data = (choice & 0x80) != 0 ? kilat::json_string(text) : std::string(text);
    std::vector<Emission> out;
    const std::string_view bare = channel.starts_with("private-") ? channel.substr(8) : channel;
    engine.on_event({channel, bare, name, data, now_ms, unix_ms()}, choice % 10, out);
    check(out);
  }
  void wait(uint8_t steps) {
    for (; steps > 0 && engine.next_due_ms(); --steps) {
      now_ms = std::max(now_ms + 1, *engine.next_due_ms());
      std::vector<Emission> out;
      engine.advance(now_ms, unix_ms(), out);
      check(out);
    }
  }
  void reload(bool all) {
    std::vector<Emission> out;
    if (!all && !rules.empty()) rules.pop_back();
    engine.replace(std::make_shared<const RuleSet>(rules), now_ms, unix_ms(), out);
    check(out);
  }
  void check(const std::vector<Emission>& out) {
    for (const Emission& emission : out) {
      require(emission.depth <= kilat::flow::kDepthMax + 1);
      require(!emission.channel.empty());
      sent += emission.data.size();
    }
    for (const Engine::RuleReport& report : engine.reports()) {
      const auto& c = report.counters;
      require(c.in == c.out + c.cut + c.folded + c.sampled_out + c.held + c.unfit());
      const auto rule = FlowRule::parse(report.text);
      require(rule.has_value() && rule->text == report.text);
      // A sketch may grow by one step past the limit.
      require(report.keys <= rule->keys_max && report.bytes <= rule->bytes_max + 3 * 8'192);
    }
  }
  uint64_t unix_ms() const { return 1'795'255'200'000 + now_ms + clock_shift_ms; }

  std::vector<std::string> rules;
  Engine engine;
  uint64_t now_ms = 1'000;
  uint64_t clock_shift_ms = 0;
  size_t sent = 0;
};

void check_numbers(std::string_view text) {
  kilat::JsonParser parser;
  const auto root = parser.parse_copy(text);
  if (!root) return;
  World world({"a batch=1s", "b aggregate=1s value= to=c functions=sum,min,max,average,p95"});
  std::vector<Emission> out;
  world.engine.on_event({"a", "a", "e", text, 1'000, world.unix_ms()}, 0, out);
  world.engine.on_event({"b", "b", "e", text, 1'000, world.unix_ms()}, 0, out);
  world.engine.flush_all(1'000, world.unix_ms(), out);
  // Whatever goes in as JSON comes out as JSON, in the form it had.
  for (const Emission& emission : out) require(parser.parse_copy(emission.data).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4'096) return 0;
  check_numbers({reinterpret_cast<const char*>(data), size});
  kilat::testing::FuzzInput in(data, size);
  std::vector<std::string> rules;
  for (unsigned count = in.byte() % 5; count > 0; --count) rules.emplace_back(in.text());
  std::erase_if(rules, [](const std::string& text) { return !FlowRule::parse(text); });
  World world(rules);
  while (!in.empty()) {
    const uint8_t choice = in.byte();
    if (choice % 16 == 15) {
      world.wait(choice / 16);
    } else if (choice % 64 == 14) {
      world.reload(choice >= 128);
    } else if (choice % 64 == 30) {
      world.clock_shift_ms += uint64_t{in.byte()} * 100'000 - 10'000'000;  // the clock of the day is set
    } else {
      world.publish(in, choice);
    }
  }
  world.wait(255);
  std::vector<Emission> out;
  world.engine.flush_all(world.now_ms, world.unix_ms(), out);
  for (const Engine::RuleReport& report : world.engine.reports()) require(report.counters.held == 0);
  return 0;
}
