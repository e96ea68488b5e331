// An engine with a clock of its own, and what readers would see of it. For the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "flow/engine.h"

namespace kilat::flow {

/// An event that reached readers or the rules of another channel.
struct Seen {
  uint64_t at_ms = 0;
  std::string channel;
  std::string event;
  std::string data;
  bool derived = false;

  auto operator<=>(const Seen&) const = default;
};

inline void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.at_ms << " " << seen.channel << " " << seen.event << " " << seen.data
       << (seen.derived ? " derived" : "");
}

/// The events of one millisecond sorted, where rules do not say in which order keys go out.
inline std::vector<Seen> sorted_within_ms(std::vector<Seen> seen) {
  std::ranges::sort(seen);
  return seen;
}

inline RuleSetPtr rule_set(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const auto rule = FlowRule::parse(text);
    EXPECT_TRUE(rule) << text << ": " << (rule ? "" : rule.error());
  }
  return std::make_shared<const RuleSet>(texts);
}

class Lab {
 public:
  /// 2026-11-21T10:00:00Z, a multiple of most intervals.
  static constexpr uint64_t kUnixStart = 1'795'255'200'000;

  explicit Lab(const std::vector<std::string>& texts) : engine(rule_set(texts)) {}

  /// Lets the clock go on to `at_ms` since the start, calling the engine whenever it wants to be called.
  void run_to(uint64_t at_ms) {
    while (true) {
      const auto due_ms = engine.next_due_ms();
      if (!due_ms || *due_ms > at_ms + kMonoStart) break;
      now_ms = std::max(now_ms, *due_ms < kMonoStart ? 0 : *due_ms - kMonoStart);
      std::vector<Emission> out;
      engine.advance(now_ms + kMonoStart, unix_ms(), out);
      collect(out);
    }
    now_ms = std::max(now_ms, at_ms);
  }

  /// An event at the present time. What is derived is recorded, and not published again.
  Fate send(std::string_view channel, std::string_view event, std::string_view data, uint8_t depth = 0) {
    std::vector<Emission> out;
    const Fate fate = engine.on_event(make(channel, event, data), depth, out);
    if (fate == Fate::kPass)
      seen.push_back({now_ms, std::string(channel), std::string(event), std::string(data), false});
    collect(out);
    return fate;
  }

  /// The same, with results going through the engine again, as the hub does it.
  void publish(std::string_view channel, std::string_view event, std::string_view data, uint8_t depth = 0) {
    const size_t before = seen.size();
    send(channel, event, data, depth);
    const std::vector<Seen> fresh(seen.begin() + static_cast<std::ptrdiff_t>(before), seen.end());
    for (const Seen& each : fresh) {
      if (each.derived) publish(each.channel, each.event, each.data, static_cast<uint8_t>(depth + 1));
    }
  }

  Event make(std::string_view channel, std::string_view event, std::string_view data) const {
    std::string_view bare = channel;
    for (const std::string_view prefix : {"private-", "presence-"}) {
      if (channel.starts_with(prefix)) bare = channel.substr(prefix.size());
    }
    return {channel, bare, event, data, now_ms + kMonoStart, unix_ms()};
  }

  void collect(const std::vector<Emission>& out) {
    for (const Emission& emission : out) {
      seen.push_back({now_ms, emission.channel, emission.event, emission.data, emission.derived});
      depths.push_back(emission.depth);
    }
  }

  /// Takes what was seen so far.
  std::vector<Seen> take() { return std::exchange(seen, {}); }
  std::vector<std::string> take_data() {
    std::vector<std::string> data;
    for (const Seen& each : take()) data.push_back(each.data);
    return data;
  }

  FlowCounters counters(size_t rule = 0) const { return engine.reports().at(rule).counters; }
  uint64_t unix_ms() const { return kUnixStart + now_ms + static_cast<uint64_t>(unix_shift_ms); }

  /// in = out + cut + folded + sampled_out + held + unfit, for each rule.
  void expect_every_event_accounted() const {
    for (const auto& report : engine.reports()) {
      const FlowCounters& c = report.counters;
      EXPECT_EQ(c.in, c.out + c.cut + c.folded + c.sampled_out + c.held + c.unfit()) << report.text;
    }
  }
  /// Nothing is left behind by rules that hold nothing.
  void expect_empty() const {
    EXPECT_EQ(engine.bytes(), 0U);
    for (const auto& report : engine.reports()) {
      EXPECT_EQ(report.keys, 0U) << report.text;
      EXPECT_EQ(report.counters.held, 0U) << report.text;
    }
  }

  static constexpr uint64_t kMonoStart = 5'000'000;
  Engine engine;
  uint64_t now_ms = 0;        ///< since the start of the test
  int64_t unix_shift_ms = 0;  ///< the clock of the day was set
  std::vector<Seen> seen;
  std::vector<uint8_t> depths;
};

/// JSON as a backend sends it.
inline std::string literal(std::string_view json) {
  return json_string(json);
}

/// Events of a few keys, some of them unfit, at random times.
struct RandomEvent {
  uint64_t at_ms = 0;
  std::string key;    ///< as text; empty: none
  std::string value;  ///< digits; empty: none
  std::string data;   ///< as in a frame
  bool json = true;
};

class RandomEvents {
 public:
  explicit RandomEvents(unsigned seed) : random_(seed), literal_(pick(2) == 0) {}

  uint64_t pick(uint64_t below) { return std::uniform_int_distribution<uint64_t>(0, below - 1)(random_); }

  RandomEvent next() {
    RandomEvent event;
    // Often several in one millisecond, at times a long silence.
    at_ms_ += pick(3) == 0 ? 0 : pick(pick(20) == 0 ? 700 : 30);
    event.at_ms = at_ms_;
    if (pick(40) == 0) {
      event.json = false;
      event.data = literal_ ? "\"no json\"" : "{no json}";
      return event;
    }
    std::string json = R"({ "n":)" + std::to_string(count_++) + R"(,"big":1234567890123456789012345.670)";
    if (pick(15) != 0) {
      const uint64_t key = pick(6);
      // Two ways to write the same key.
      event.key = std::to_string(key);
      json += R"(, "k": )" + (pick(2) == 0 ? event.key : '"' + event.key + '"');
    }
    if (pick(15) != 0) {
      event.value = number();
      json += R"(,"v":)" + event.value;
    }
    json += R"(,"t":"\u00e9\n\"" })";
    event.data = literal_ ? literal(json) : json;
    return event;
  }

 private:
  std::string number() {
    std::string text = pick(3) == 0 ? "-" : "";
    text += std::to_string(pick(pick(10) == 0 ? 1'000'000'000'000'000'000 : 100));
    if (pick(2) == 0) text += "." + std::to_string(100'000 + pick(900'000)).substr(pick(5));
    if (pick(12) == 0) text += pick(2) == 0 ? "e2" : "E-2";
    return text;
  }

  std::mt19937_64 random_;
  bool literal_;
  uint64_t at_ms_ = 0;
  uint64_t count_ = 0;
};

/// The JSON of data that is a literal: only escapes that json_string writes.
inline std::string inside_of(std::string_view data) {
  return std::string(data.starts_with('"') ? data.substr(1, data.size() - 2) : data);
}

/// Several datas as one array, in their form.
inline std::string array_of(const std::vector<std::string>& datas) {
  const bool literals = datas.front().starts_with('"');
  std::string out = literals ? "\"[" : "[";
  for (size_t i = 0; i < datas.size(); ++i) out += (i == 0 ? "" : ",") + inside_of(datas[i]);
  return out + (literals ? "]\"" : "]");
}

}  // namespace kilat::flow
