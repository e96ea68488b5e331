// What tells results of conflate apart for readers who are behind: the same subject for the same rule, channel and key.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

constexpr std::string_view kA = R"({"k":"a"})";
constexpr std::string_view kB = R"({"k":"b"})";

struct Subjects {
  explicit Subjects(const std::vector<std::string>& texts) : engine(rule_set(texts)) {}

  void send(std::string_view channel, std::string_view data) {
    engine.on_event(
        {.channel = channel, .bare = channel, .event = "e", .data = data, .now_ms = now_ms, .unix_ms = now_ms}, 0, out);
  }
  /// The subjects of what was sent up to a second later.
  std::vector<std::string> take() {
    now_ms += 1'000;
    engine.advance(now_ms, now_ms, out);
    std::vector<std::string> subjects;
    for (const Emission& emission : std::exchange(out, {})) subjects.push_back(emission.subject);
    return subjects;
  }

  uint64_t now_ms = 1'000;
  Engine engine;
  std::vector<Emission> out;
};

TEST(Subject, EachKeyOfEachChannelAndRule_HasItsOwn) {
  Subjects subjects({"c.{n} conflate=100ms key=/k to=d", "c.{n} conflate=100ms to=d", "c.{n} conflate=200ms key=/k"});
  for (const std::string_view channel : {"c.1", "c.2"}) {
    for (const std::string_view data : {kA, kB}) subjects.send(channel, data);
  }
  const std::vector<std::string> all = subjects.take();
  EXPECT_EQ(all.size(), 10U);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 10U);
  EXPECT_FALSE(std::set(all.begin(), all.end()).contains(""));
}

TEST(Subject, LaterWindows_AlsoAfterAReload_HaveTheSame) {
  Subjects subjects({"c conflate=100ms key=/k"});
  subjects.send("c", kA);
  const std::vector<std::string> first = subjects.take();
  ASSERT_EQ(first.size(), 1U);
  subjects.now_ms += 100'000;  // the channel was forgotten meanwhile
  subjects.send("c", kA);
  EXPECT_EQ(subjects.take(), first);
  subjects.engine.replace(rule_set({"x throttle=1s", "c conflate=100ms key=/k"}), subjects.now_ms, subjects.now_ms,
                          subjects.out);
  subjects.send("c", kA);
  EXPECT_EQ(subjects.take(), first);
  // Another rule, even if it stands in the same place and is about the same keys.
  subjects.engine.replace(rule_set({"x throttle=1s", "c conflate=200ms key=/k"}), subjects.now_ms, subjects.now_ms,
                          subjects.out);
  subjects.send("c", kA);
  EXPECT_NE(subjects.take(), first);
}

TEST(Subject, WhatMustNotBeLeftOut_HasNone) {
  Subjects subjects({"a throttle=100ms", "b batch=100ms", "c conflate=100ms key=/k send=batch",
                     "d aggregate=100ms value=/v to=e", "f sample=2"});
  for (const std::string_view channel : {"a", "b", "c", "f"}) {
    subjects.send(channel, kA);
    subjects.send(channel, kB);
  }
  subjects.send("d", R"({"v":1})");
  const std::vector<std::string> all = subjects.take();
  EXPECT_GE(all.size(), 4U);
  for (const std::string& subject : all) EXPECT_EQ(subject, "");
}

}  // namespace
}  // namespace kilat::flow
