#include "flow/flow_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "flow/rule_set.h"

namespace kilat::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto rule = FlowRule::parse(text);
  return rule ? "" : rule.error();
}

TEST(FlowRule, Words_AreReadInAnyOrder) {
  const auto rule = FlowRule::parse(
      "plant.{site}.* value=/v late=2s send=each aggregate=5s time=/t key=/a/b functions=p95,count keys=7 bytes=64KiB "
      "as=figures to=site.{site} on=reading.*");
  ASSERT_TRUE(rule) << rule.error();
  EXPECT_EQ(rule->kind, FlowKind::kAggregate);
  EXPECT_EQ(rule->interval_ms, 5'000U);
  EXPECT_EQ(rule->late_ms, 2'000U);
  EXPECT_FALSE(rule->one_event);
  EXPECT_THAT(rule->figures, ElementsAre(Figure::kP95, Figure::kCount));
  EXPECT_EQ(rule->keys_max, 7U);
  EXPECT_EQ(rule->bytes_max, 65'536U);
  EXPECT_EQ(rule->as, "figures");
  EXPECT_FALSE(rule->in_place());
  EXPECT_FALSE(rule->parted_by_name());
  EXPECT_EQ(rule->key->tokens().size(), 2U);
}

TEST(FlowRule, Defaults_AreThoseOfTheReference) {
  const auto throttle = FlowRule::parse("a throttle=100ms");
  ASSERT_TRUE(throttle);
  EXPECT_TRUE(throttle->leading && throttle->trailing && throttle->in_place() && !throttle->key);
  EXPECT_EQ(throttle->keys_max, 10'000U);
  EXPECT_EQ(throttle->bytes_max, 16U << 20);
  EXPECT_FALSE(FlowRule::parse("a conflate=1s")->one_event);
  EXPECT_TRUE(FlowRule::parse("a aggregate=1m value=/v to=b")->one_event);
  EXPECT_EQ(FlowRule::parse("a aggregate=1h value=/v to=b")->figures.size(), 7U);
  EXPECT_EQ(FlowRule::parse("a sample=10")->one_in, 10U);
}

TEST(FlowRule, WrongText_IsRefusedWithTheReason) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "must begin with a pattern"},
      {"a", "must say exactly one of"},
      {"a throttle=1s sample=2", "must say exactly one of"},
      {"a throttle", "no flow rule knows: throttle"},
      {"a throttle=1s throttle=2s", "says throttle= twice"},
      {"a frob=1", "no flow rule knows: frob=1"},
      {"a throttle=", "no interval"},
      {"a throttle=0ms", "no interval"},
      {"a throttle=100", "no interval"},
      {"a throttle=25h", "no interval"},
      {"a throttle=-1s", "no interval"},
      {"a sample=0", "number from 1 to 1000000"},
      {"a sample=1x", "number from 1 to 1000000"},
      {"a sample=10 keys=1000001", "number from 1 to 1000000"},
      {"a sample=10 bytes=1KiB", "64KiB to 1GiB"},
      {"a sample=10 bytes=2GiB", "64KiB to 1GiB"},
      {"a batch=1s key=/k", "which batch does not have"},
      {"a throttle=1s send=batch", "which throttle does not have"},
      {"a conflate=1s edges=both", "which conflate does not have"},
      {"a conflate=1s send=all", "each or batch"},
      {"a throttle=1s edges=none", "leading, trailing or both"},
      {"a throttle=1s key=k", "does not begin with a slash"},
      {"a throttle=1s key=/~2", "neither ~0 nor ~1"},
      {"a throttle=1s on=", "must have the name"},
      {"a throttle=1s as=", "name of 1 to 200"},
      {"a throttle=1s as=pusher:error", "belongs to the server"},
      {"a throttle=1s as=pusher_internal:x", "belongs to the server"},
      {"a throttle=1s to=", "must have a channel"},
      {"a throttle=1s to=b#c", "must have a channel"},
      {"a throttle=1s to={x}", "uses {x}"},
      {"a* throttle=1s to=ab", "fits its own pattern"},
      {"{a throttle=1s", "a { without"},
      {"a aggregate=1s to=b", "must say value="},
      {"a aggregate=1s value=/v", "must say to="},
      {"a aggregate=1s value=/v to=b late=1s", "late= without time="},
      {"a aggregate=1s value=/v to=b time=/t late=101s", "more than 100 intervals"},
      {"a aggregate=1s value=/v to=b form=batch", "window or message"},
      {"a aggregate=1s value=/v to=b form=message send=each", "which send=each does not have"},
      {"a aggregate=1s value=/v to=b functions=", "must have names"},
      {"a aggregate=1s value=/v to=b functions=count,count", "count twice"},
      {"a aggregate=1s value=/v to=b functions=median", "unknown name"},
  };
  for (const auto& [text, part] : cases) EXPECT_THAT(error_of(text), HasSubstr(std::string(part))) << text;
  EXPECT_THAT(error_of("a throttle=1s as=" + std::string(3'000, 'x')), HasSubstr("longer than 2048"));
  EXPECT_THAT(error_of("a throttle=1s as=" + std::string(201, 'x')), HasSubstr("200"));
}

TEST(FlowRule, On_MayHaveStars) {
  const auto wants = [](std::string_view on, std::string_view event) {
    return FlowRule::parse("a sample=2 on=" + std::string(on))->wants(event);
  };
  EXPECT_TRUE(FlowRule::parse("a sample=2")->wants("anything"));
  EXPECT_TRUE(wants("x", "x"));
  EXPECT_FALSE(wants("x", "xy"));
  EXPECT_TRUE(wants("*", ""));
  EXPECT_TRUE(wants("a*c*e", "abcde"));
  EXPECT_TRUE(wants("a*c", "abcbc"));
  EXPECT_FALSE(wants("a*c", "abcb"));
  EXPECT_TRUE(wants("*.updated", "scada.updated"));
  EXPECT_TRUE(wants("a**", "a"));
  EXPECT_FALSE(wants("a*b*c", "ac"));
}

TEST(RuleSet, TextsThatAreWrong_AreLeftOut) {
  const std::vector<std::string> texts{"a sample=2", "wrong", "private-b.* sample=2"};
  const RuleSet set(texts);
  EXPECT_EQ(set.rules().size(), 2U);
  EXPECT_TRUE(set.concerns("a", "a"));
  EXPECT_TRUE(set.concerns("private-a", "a")) << "under all kinds";
  EXPECT_TRUE(set.concerns("private-b.1", "b.1"));
  EXPECT_FALSE(set.concerns("b.1", "b.1")) << "a pattern with a prefix is held against the whole name";
  EXPECT_TRUE(RuleSet().empty());
}

}  // namespace
}  // namespace kilat::flow
