// Marks: a result in place that is one event carries what the caller has hung on it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

/// What `rule` sends of two marked events of a channel, within ten seconds.
std::vector<Emission> results_of(const std::string& rule, const Mark& first, const Mark& second) {
  Engine engine(rule_set({rule}));
  std::vector<Emission> out;
  for (const Mark& mark : {first, second}) {
    engine.on_event(
        {.channel = "c", .bare = "c", .event = "e", .data = "1", .now_ms = 1, .unix_ms = 1, .origin = {.mark = mark}},
        0, out);
  }
  for (uint64_t now_ms = 100; now_ms <= 10'000; now_ms += 100) engine.advance(now_ms, now_ms, out);
  return out;
}

TEST(Mark, ResultThatIsOneEvent_CarriesItsMark) {
  const Mark first = std::make_shared<int>(1);
  const Mark second = std::make_shared<int>(2);
  for (const std::string_view rule : {"c throttle=1s", "c throttle=1s edges=trailing", "c conflate=1s"}) {
    const std::vector<Emission> out = results_of(std::string(rule), first, second);
    ASSERT_EQ(out.size(), 1U) << rule;
    EXPECT_EQ(out[0].origin.mark, second) << rule;
  }
  const std::vector<Emission> renamed = results_of("c throttle=1s edges=leading as=x", first, second);
  ASSERT_EQ(renamed.size(), 1U);
  EXPECT_EQ(renamed[0].origin.mark, first);
}

TEST(Mark, ResultOfSeveral_AndDerivedOnes_HaveNone) {
  const Mark mark = std::make_shared<int>(1);
  for (const std::string_view rule :
       {"c batch=1s", "c conflate=1s send=batch", "c throttle=1s to=d", "c conflate=1s to=d"}) {
    const std::vector<Emission> out = results_of(std::string(rule), mark, mark);
    ASSERT_FALSE(out.empty()) << rule;
    for (const Emission& emission : out) EXPECT_EQ(emission.origin.mark, nullptr) << rule;
  }
}

TEST(Mark, WhatIsNotHeldAnyMore_IsLetGo) {
  std::vector<std::weak_ptr<const void>> seen;
  Engine engine(rule_set({"c throttle=1s", "d conflate=1s"}));
  std::vector<Emission> out;
  for (const std::string_view channel : {"c", "c", "d"}) {
    const Mark mark = std::make_shared<int>(1);
    seen.push_back(mark);
    engine.on_event({.channel = channel,
                     .bare = channel,
                     .event = "e",
                     .data = "1",
                     .now_ms = 1,
                     .unix_ms = 1,
                     .origin = {.mark = mark}},
                    0, out);
  }
  engine.advance(5'000, 5'000, out);
  EXPECT_EQ(out.size(), 2U);
  out.clear();
  for (const auto& mark : seen) EXPECT_TRUE(mark.expired());
}

}  // namespace
}  // namespace kilat::flow
