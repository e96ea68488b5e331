// Flow rules beside durable channels: what would be answered before it is on disk.
#include "config/flow_clash.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kilat::config {
namespace {

using Kind = FlowClash::Kind;

Kind clash(const std::string& flow, const std::vector<std::string>& history, const std::string& ingest = {}) {
  const auto rule = flow::FlowRule::parse(flow);
  EXPECT_TRUE(rule) << flow << (rule ? "" : ": " + rule.error());
  hub::AppSettings app;
  app.history = history;
  app.ingest.channel = ingest;
  return rule ? find_clash(*rule, app).kind : Kind::kNone;
}

TEST(FlowClash, TheSamePattern_IsCertain) {
  EXPECT_EQ(clash("d.* batch=1s", {"d.* durable"}), Kind::kCertain);
  EXPECT_EQ(clash("d.{x} conflate=1s", {"e durable", "d.{x} durable"}), Kind::kCertain);
}

TEST(FlowClash, AChannelThatBothAreAbout_IsCertain) {
  EXPECT_EQ(clash("* conflate=1s", {"d durable"}), Kind::kCertain);
  EXPECT_EQ(clash("d throttle=1s", {"* durable"}), Kind::kCertain);
  EXPECT_EQ(clash("private-d batch=1s", {"d durable"}), Kind::kCertain);
  EXPECT_EQ(clash("d throttle=1s edges=trailing", {"d durable"}), Kind::kCertain);
}

TEST(FlowClash, ReadingsAreOnDiskAsWell) {
  EXPECT_EQ(clash("readings.* batch=1s", {}, "readings.1"), Kind::kCertain);
  EXPECT_EQ(clash("readings.* batch=1s to=b", {}, "readings.1"), Kind::kNone);
  EXPECT_EQ(clash("other batch=1s", {}, "readings.1"), Kind::kNone);
}

TEST(FlowClash, PatternsThatMayOverlap_ArePossible) {
  EXPECT_EQ(clash("d.{x} batch=1s", {"d.*.y durable"}), Kind::kPossible);
  EXPECT_EQ(clash("private-d.* batch=1s", {"d.* durable"}), Kind::kPossible);
  EXPECT_EQ(clash("*.b batch=1s", {"a.* durable"}), Kind::kPossible);
}

TEST(FlowClash, EventsThatAreNamed_ArePossible) {
  EXPECT_EQ(clash("d batch=1s on=figures", {"d durable"}), Kind::kPossible);
  EXPECT_EQ(clash("d batch=1s on=figures", {}, "d"), Kind::kPossible);
}

TEST(FlowClash, WhatHoldsNothingInPlace_IsNone) {
  for (const char* rule : {"d batch=1s to=e", "d sample=2", "d throttle=1s edges=leading"}) {
    EXPECT_EQ(clash(rule, {"d durable"}), Kind::kNone) << rule;
  }
}

TEST(FlowClash, WhatHasNothingInCommon_IsNone) {
  EXPECT_EQ(clash("d.* batch=1s", {"e.* durable", "d.* size=10"}), Kind::kNone);
  EXPECT_EQ(clash("d batch=1s", {"d none", "* durable"}), Kind::kNone);
  EXPECT_EQ(clash("* batch=1s", {"d none", "d durable"}), Kind::kNone);
  EXPECT_EQ(clash("private-d.* batch=1s", {"presence-d.* durable"}), Kind::kNone);
  EXPECT_EQ(clash("*.b batch=1s", {"*.c durable"}), Kind::kNone);
}

}  // namespace
}  // namespace kilat::config
