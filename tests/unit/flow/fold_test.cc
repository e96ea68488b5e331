// conflate, batch and sample.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

using ::testing::ElementsAre;

TEST(Conflate, NewestOfEachKey_InTheOrderOfFirstAppearance) {
  Lab lab({"c conflate=100ms key=/k"});
  EXPECT_EQ(lab.send("c", "e", R"({"k":"b","n":1})"), Fate::kTaken);
  lab.send("c", "e", R"({"k":"a","n":2})");
  lab.run_to(60);
  lab.send("c", "f", R"({"k":"b","n":3})");
  lab.run_to(100);
  lab.send("c", "e", R"({"k":"b","n":4})");
  lab.run_to(1'000);
  EXPECT_THAT(lab.take(),
              ElementsAre(Seen{100, "c", "f", R"({"k":"b","n":3})"}, Seen{100, "c", "e", R"({"k":"a","n":2})"},
                          Seen{200, "c", "e", R"({"k":"b","n":4})"}));
  lab.expect_empty();
}

TEST(Conflate, WithoutAKey_KeepsTheNewestOfTheChannelWhateverItIs) {
  Lab lab({"c conflate=100ms"});
  lab.send("c", "e", "\"no json\"");
  lab.send("c", "e", "also none");
  lab.run_to(500);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{100, "c", "e", "also none"}));
}

TEST(Conflate, Batch_KeepsNamesApartUnlessThereIsOneForAll) {
  Lab apart({"c conflate=100ms key=/k send=batch"});
  Lab together({"c conflate=100ms key=/k send=batch as=all"});
  for (Lab* lab : {&apart, &together}) {
    lab->send("c", "e", literal(R"({"k":1,"n":1})"));
    lab->send("c", "f", literal(R"({"k":1,"n":2})"));
    lab->send("c", "e", literal(R"({"k":2,"n":3.10})"));
    lab->run_to(500);
  }
  EXPECT_THAT(apart.take(), ElementsAre(Seen{100, "c", "e", literal(R"([{"k":1,"n":1},{"k":2,"n":3.10}])")},
                                        Seen{100, "c", "f", literal(R"([{"k":1,"n":2}])")}));
  EXPECT_THAT(together.take(), ElementsAre(Seen{100, "c", "all", literal(R"([{"k":1,"n":2},{"k":2,"n":3.10}])")}));
  apart.expect_empty();
}

TEST(Conflate, EventPastTheBytes_GoesThrough_AndNoOlderOneComesAfterIt) {
  const std::string large = R"({"k":1,"t":")" + std::string(70'000, 'x') + R"("})";
  for (const std::string batch : {"", " send=batch"}) {
    SCOPED_TRACE(batch);
    Lab lab({"c conflate=100ms key=/k bytes=64KiB" + batch});
    EXPECT_EQ(lab.send("c", "e", R"({"k":1})"), Fate::kTaken);
    EXPECT_EQ(lab.send("c", "e", R"({"k":2})"), Fate::kTaken);
    EXPECT_EQ(lab.send("c", "e", large), Fate::kPass);
    EXPECT_EQ(lab.counters().bytes_full, 1U);
    lab.run_to(100);
    ASSERT_EQ(lab.seen.size(), 2U);
    EXPECT_EQ(lab.seen[1].data, batch.empty() ? R"({"k":2})" : R"([{"k":2}])");
    lab.expect_every_event_accounted();
    EXPECT_EQ(lab.send("c", "e", R"({"k":1})"), Fate::kTaken);
    EXPECT_EQ(lab.send("c", "e", large), Fate::kPass);
    EXPECT_EQ(lab.send("c", "e", R"({"k":1,"last":true})"), Fate::kTaken) << "there is room again";
    lab.run_to(200);
    ASSERT_EQ(lab.seen.size(), 4U);
    EXPECT_EQ(lab.seen[3].data, batch.empty() ? R"({"k":1,"last":true})" : R"([{"k":1,"last":true}])");
    EXPECT_EQ(lab.send("c", "e", R"({"k":1})"), Fate::kTaken);
    EXPECT_EQ(lab.send("c", "e", large), Fate::kPass);
    lab.run_to(1'000);
    EXPECT_EQ(lab.seen.size(), 5U) << "nothing is left of the window";
    lab.expect_every_event_accounted();
    lab.expect_empty();
  }
}

TEST(Conflate, BothFormsInOneBatch_TakeTheFormOfTheFirst) {
  Lab lab({"{x} conflate=100ms key=/k send=batch"});
  lab.send("c", "e", R"({"k":1,"t":"\n"})");
  lab.send("c", "e", literal(R"({"k":2,"t":"\n"})"));
  lab.send("d", "e", literal(R"({"k":2,"t":"\n"})"));
  lab.send("d", "e", R"({"k":1,"t":"\n"})");
  lab.run_to(500);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{100, "c", "e", R"([{"k":1,"t":"\n"},{"k":2,"t":"\n"}])"},
                                      Seen{100, "d", "e", literal(R"([{"k":2,"t":"\n"},{"k":1,"t":"\n"}])")}));
}

struct WindowModel {
  uint64_t interval = 0;
  bool one_event = false;
  bool newest_only = false;  ///< conflate, else batch

  std::vector<Seen> seen;
  std::vector<std::pair<std::string, std::string>> held;  ///< key, data
  uint64_t ends = 0;

  void run_to(uint64_t now) {
    if (held.empty() || ends > now) return;
    std::vector<std::string> datas;
    for (const auto& [key, data] : held) datas.push_back(data);
    if (one_event) {
      seen.push_back({ends, "d", "x", array_of(datas), true});
    } else {
      for (const std::string& data : datas) seen.push_back({ends, "d", "x", data, true});
    }
    held.clear();
  }
  void take(const RandomEvent& event) {
    run_to(event.at_ms);
    if (!event.json || (newest_only && event.key.empty())) return;
    if (held.empty()) ends = event.at_ms + interval;
    const auto known = std::ranges::find(held, event.key, [](const auto& each) { return each.first; });
    if (newest_only && known != held.end()) {
      known->second = event.data;
    } else {
      held.emplace_back(event.key, event.data);
    }
  }
};

TEST(ConflateAndBatch, RandomStreams_AgreeWithTheModel) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    RandomEvents random(1'000 + seed);
    WindowModel model;
    model.interval = 1 + random.pick(200);
    model.newest_only = random.pick(3) != 0;
    model.one_event = !model.newest_only || random.pick(2) == 0;
    std::string rule = "c to=d as=x ";
    rule += model.newest_only ? "key=/k conflate=" : "batch=";
    rule += std::to_string(model.interval) + "ms";
    if (model.newest_only && model.one_event) rule += " send=batch";
    Lab lab({rule});
    uint64_t end = 0;
    for (int i = 0; i < 400; ++i) {
      const RandomEvent event = random.next();
      model.take(event);
      lab.run_to(event.at_ms);
      ASSERT_EQ(lab.send("c", "e", event.data), Fate::kPass);
      end = event.at_ms + 2 * model.interval;
    }
    lab.run_to(end);
    model.run_to(end);
    std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
    ASSERT_EQ(lab.take(), model.seen) << rule;
    lab.expect_every_event_accounted();
    lab.expect_empty();
  }
}

TEST(Batch, WhatIsNoJson_PassesInPlace) {
  Lab lab({"c batch=1s"});
  EXPECT_EQ(lab.send("c", "e", "\"text\""), Fate::kPass);
  EXPECT_EQ(lab.send("c", "e", "[1]"), Fate::kTaken);
  EXPECT_EQ(lab.send("c", "e", "2"), Fate::kTaken);
  lab.run_to(5'000);
  EXPECT_EQ(lab.take_data(), (std::vector<std::string>{"\"text\"", "[[1],2]"}));
  EXPECT_EQ(lab.counters().not_json, 1U);
  lab.expect_every_event_accounted();
}

TEST(Batch, NoMoreRoom_SendsBeforeTheTime) {
  Lab lab({"c batch=1s bytes=64KiB"});
  const std::string part = literal(std::string(20'000, '7'));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lab.send("c", "e", part), Fate::kTaken);
  EXPECT_THAT(lab.take_data(), ElementsAre(array_of({part, part, part})));
  EXPECT_EQ(lab.counters().bytes_full, 0U) << "nothing was lost";
  lab.run_to(400);
  EXPECT_EQ(lab.send("c", "e", literal(std::string(70'000, '7'))), Fate::kPass) << "alone it is too large";
  EXPECT_EQ(lab.counters().bytes_full, 1U);
  lab.run_to(1'000);
  lab.run_to(5'000);
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Batch, EveryByteOfTheDatas_IsCarriedOver) {
  Lab lab({"c batch=1s"});
  const std::vector<std::string> datas{R"("{\"a\": 12345678901234567890123.4500e-1 , \"b\":\"\\u00e9\/\\\"\"}")",
                                       R"("\u0031\u0032")", R"("[ ]")"};
  for (const std::string& data : datas) lab.send("c", "e", data);
  lab.run_to(1'000);
  EXPECT_THAT(lab.take_data(), ElementsAre(array_of(datas)));
}

TEST(Sample, OneInSoManyOfEachKey_BeginningWithTheFirst) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    RandomEvents random(2'000 + seed);
    const uint64_t one_in = 1 + random.pick(7);
    Lab lab({"c sample=" + std::to_string(one_in) + " key=/k"});
    std::map<std::string, uint64_t> count;
    std::vector<std::string> want;
    for (int i = 0; i < 300; ++i) {
      const RandomEvent event = random.next();
      lab.run_to(event.at_ms);
      const bool unfit = !event.json || event.key.empty();
      const bool passes = unfit || count[event.key]++ % one_in == 0;
      ASSERT_EQ(lab.send("c", "e", event.data), passes ? Fate::kPass : Fate::kTaken);
      if (passes) want.push_back(event.data);
    }
    ASSERT_EQ(lab.take_data(), want);
    lab.expect_every_event_accounted();
  }
}

TEST(Sample, KeysThatWereSilent_AreForgotten) {
  Lab lab({"c sample=3 key=/k keys=2"});
  const auto send = [&](std::string_view key) { return lab.send("c", "e", "{\"k\":" + std::string(key) + "}"); };
  send("1");
  send("2");
  EXPECT_EQ(send("3"), Fate::kPass);
  EXPECT_EQ(lab.counters().keys_full, 1U);
  lab.run_to(61'000);
  EXPECT_EQ(send("2"), Fate::kTaken) << "still known after one sweep";
  lab.run_to(121'000);
  EXPECT_EQ(send("3"), Fate::kPass);
  EXPECT_EQ(lab.counters().keys_full, 1U) << "1 has made room";
  lab.run_to(400'000);
  lab.expect_empty();
}

TEST(Sample, Derived_GoesToItsOwnChannel) {
  Lab lab({"plant.{site} sample=2 to=thin.{site} as=few"});
  for (const char* data : {"1", "2", "3"}) EXPECT_EQ(lab.send("plant.a", "e", data), Fate::kPass);
  std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
  EXPECT_THAT(lab.take(), ElementsAre(Seen{0, "thin.a", "few", "1", true}, Seen{0, "thin.a", "few", "3", true}));
}

}  // namespace
}  // namespace kilat::flow
