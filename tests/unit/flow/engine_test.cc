#include "flow/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Seen> derived_of(Lab& lab) {
  std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
  return lab.take();
}

TEST(Engine, WithoutARuleThatFits_EverythingPasses) {
  Lab none({});
  EXPECT_TRUE(none.engine.empty());
  EXPECT_EQ(none.send("c", "e", "1"), Fate::kPass);
  Lab other({"d.* throttle=1s on=x"});
  EXPECT_EQ(other.send("c", "e", "1"), Fate::kPass);
  EXPECT_EQ(other.send("d.1", "e", "1"), Fate::kPass) << "another event";
  EXPECT_EQ(other.engine.next_due_ms(), std::nullopt);
  EXPECT_EQ(other.counters().in, 0U);
}

TEST(Engine, FirstRuleInPlaceDecides_EveryDerivedOneGetsTheEvent) {
  Lab lab({"c* sample=2", "c sample=1000 as=never", "c sample=1 to=d", "c sample=2 to=f as=half"});
  for (const char* data : {"1", "2", "3"}) lab.send("c", "e", data);
  EXPECT_EQ(lab.counters(0).in, 3U);
  EXPECT_EQ(lab.counters(1).in, 0U);
  std::vector<std::string> texts;
  for (const Seen& seen : lab.take()) texts.push_back(seen.channel + " " + seen.event + " " + seen.data);
  EXPECT_THAT(texts, ElementsAre("c e 1", "d e 1", "f half 1", "d e 2", "c e 3", "d e 3", "f half 3"));
}

TEST(Engine, ChannelsOfAllKinds_AreMeantByABareName) {
  Lab lab({"c.{x} conflate=1s to=d.{x}"});
  lab.send("private-c.1", "e", "1");
  lab.send("presence-c.2", "e", "2");
  lab.run_to(1'000);
  EXPECT_THAT(derived_of(lab), ElementsAre(Seen{1'000, "d.1", "e", "1", true}, Seen{1'000, "d.2", "e", "2", true}));
}

TEST(Engine, Circles_EndAtTheDepthThatChainsMayHave) {
  Lab lab({"a sample=1 to=b", "b sample=1 to=a", "x* sample=1 to=private-x"});
  lab.publish("a", "e", "1");
  EXPECT_EQ(derived_of(lab).size(), size_t{kDepthMax});
  EXPECT_EQ(lab.depths.back(), kDepthMax);
  EXPECT_EQ(lab.counters(0).cut, 1U);
  lab.publish("private-x", "e", "1");
  EXPECT_EQ(lab.counters(2).cut, 1U) << "a channel into itself is not even begun";
  lab.expect_every_event_accounted();
}

TEST(Engine, DepthOfWhatWasHeld_IsThatOfItsDeepestEvent) {
  Lab lab({"c batch=1s to=d", "p conflate=1s"});
  lab.send("c", "e", "1", 2);
  lab.send("c", "e", "2", 5);
  lab.send("c", "e", "3", 0);
  lab.send("p", "e", "3", 4);
  lab.run_to(1'000);
  EXPECT_THAT(lab.depths, ::testing::UnorderedElementsAre(6, 4)) << "in place it stays what it is";
}

TEST(Engine, WindowsThatAreOver_AreSentBeforeTheNextEvent) {
  Lab lab({"c batch=100ms"});
  lab.send("c", "e", "1");
  lab.now_ms = 250;  // nobody has called advance()
  lab.send("c", "e", "2");
  EXPECT_EQ(lab.take_data(), (std::vector<std::string>{"[1]"}));
  lab.run_to(350);
  EXPECT_EQ(lab.take_data(), (std::vector<std::string>{"[2]"}));
}

TEST(Engine, ReloadKeepsUnchangedRules_AndSendsWhatOthersHold) {
  const std::string stays = "c batch=1s to=d";
  Lab lab({"c conflate=1s to=x as=gone", stays, stays, "c throttle=1s to=t"});
  lab.send("c", "e", "1");
  lab.send("c", "e", "2");
  derived_of(lab);
  lab.run_to(500);
  std::vector<Emission> out;
  lab.engine.replace(rule_set({stays, "c conflate=2s to=new"}), lab.now_ms + Lab::kMonoStart, lab.unix_ms(), out);
  lab.collect(out);
  EXPECT_THAT(derived_of(lab), ElementsAre(Seen{500, "x", "gone", "2", true}, Seen{500, "d", "e", "[1,2]", true},
                                           Seen{500, "t", "e", "2", true}))
      << "the second of two equal rules goes as well";
  lab.send("c", "e", "3");
  EXPECT_EQ(lab.counters(0).in, 3U) << "counters go on";
  lab.run_to(5'000);
  EXPECT_THAT(derived_of(lab), ElementsAre(Seen{1'000, "d", "e", "[1,2,3]", true}, Seen{2'500, "new", "e", "3", true}))
      << "its window is the one that was open";
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Engine, ReloadThatPutsARuleInFront_IsFollowedAtOnce) {
  Lab lab({"c sample=1000"});
  lab.send("c", "e", "1");
  EXPECT_EQ(lab.send("c", "e", "2"), Fate::kTaken);
  std::vector<Emission> out;
  lab.engine.replace(rule_set({"c sample=1", "c sample=1000"}), Lab::kMonoStart, lab.unix_ms(), out);
  EXPECT_EQ(lab.send("c", "e", "3"), Fate::kPass);
  lab.engine.replace(rule_set({}), Lab::kMonoStart, lab.unix_ms(), out);
  EXPECT_TRUE(lab.engine.empty());
  EXPECT_EQ(lab.send("c", "e", "4"), Fate::kPass);
  EXPECT_EQ(lab.engine.bytes(), 0U);
}

TEST(Engine, Shutdown_SendsAllThatIsHeld) {
  Lab lab({"c throttle=1h", "d conflate=1h key=/k", "f batch=1h", "g aggregate=1h value=/v to=h functions=sum"});
  for (const char* channel : {"c", "c", "d", "f", "f", "g"}) lab.send(channel, "e", R"({"k":1,"v":2})");
  lab.take();
  std::vector<Emission> out;
  lab.engine.flush_all(Lab::kMonoStart + 10, lab.unix_ms(), out);
  lab.collect(out);
  std::vector<std::string> channels;
  for (const Seen& seen : lab.take()) channels.push_back(seen.channel);
  EXPECT_THAT(channels, ElementsAre("c", "d", "f", "h"));
  lab.expect_every_event_accounted();
  lab.run_to(3 * 3'600'000);
  lab.expect_empty();
  EXPECT_TRUE(lab.take().empty()) << "and nothing twice";
}

TEST(Engine, ManyChannels_LeaveNothingBehind) {
  Lab lab({"c.* throttle=50ms", "c.*.1* batch=20ms to=d", "*7 sample=3 on=x"});
  for (uint64_t i = 0; i < 40'000; ++i) {
    if (i % 100 == 0) lab.run_to(i / 100);
    lab.send("c." + std::to_string(i % 25'000) + ".1", i % 3 == 0 ? "x" : "e", "{}");
    lab.seen.clear();
  }
  EXPECT_GT(lab.engine.bytes(), 0U);
  lab.run_to(1'000'000);
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Engine, TimeThatGoesBack_StandsStill) {
  Lab lab({"c throttle=100ms"});
  lab.run_to(1'000);
  lab.send("c", "e", "1");
  lab.now_ms = 500;
  lab.send("c", "e", "2");
  lab.run_to(1'099);
  EXPECT_EQ(lab.take().size(), 1U);
  lab.run_to(1'100);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{1'100, "c", "e", "2"}));
}

// The configuration of a plant: every reading comes in on scada-data; dashboards read the three other channels.
TEST(Engine, ScadaConfiguration_FoldsTheFirehose) {
  Lab lab({
      "scada-data batch=1s bytes=16MiB to=scada-batch as=scada.batch.processed",
      "scada-data aggregate=100ms key=/data/channel value=/data/value to=scada-aggregated as=scada.aggregated.updated",
      "scada-data conflate=100ms key=/data/channel to=scada-realtime",
  });
  constexpr uint64_t kSensors = 20;
  for (uint64_t i = 0; i < 2'000; ++i) {  // one a millisecond
    lab.run_to(i);
    const std::string sensor = "temp-" + std::to_string(i % kSensors);
    const std::string data =
        literal(R"({"data":{"channel":")" + sensor + R"(","value":)" + std::to_string(i) +
                R"(.50,"timestamp":1795255200},"timestamp":"2026-11-21T10:00:00Z","channel":")" + sensor + "\"}");
    ASSERT_EQ(lab.send("scada-data", "scada.data.received", data), Fate::kPass);
  }
  lab.run_to(4'000);
  std::map<std::string, std::vector<Seen>> by_channel;
  for (const Seen& seen : derived_of(lab)) by_channel[seen.channel + " " + seen.event].push_back(seen);
  EXPECT_EQ(by_channel.size(), 3U);
  EXPECT_EQ(by_channel["scada-batch scada.batch.processed"].size(), 2U);
  EXPECT_EQ(by_channel["scada-aggregated scada.aggregated.updated"].size(), 20U);
  EXPECT_EQ(by_channel["scada-realtime scada.data.received"].size(), 20U * kSensors);
  const Seen& first = by_channel["scada-aggregated scada.aggregated.updated"].front();
  EXPECT_EQ(first.at_ms, 100U);
  EXPECT_THAT(first.data, HasSubstr(R"(\"end\":\"2026-11-21T10:00:00.100Z\"},\"values\":{\"temp-0\":{\"count\":5,)"
                                    R"(\"sum\":202.5,\"min\":0.50,\"max\":80.50,\"average\":40.5,\"first\":0.50,)"));
  EXPECT_EQ(by_channel["scada-realtime scada.data.received"].front().at_ms, 100U);
  EXPECT_THAT(by_channel["scada-realtime scada.data.received"].front().data, HasSubstr(R"(\"value\":80.50,)"));
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

}  // namespace
}  // namespace kilat::flow
