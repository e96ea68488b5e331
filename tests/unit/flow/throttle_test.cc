#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unit/flow/lab.h"

namespace kilat::flow {
namespace {

using ::testing::ElementsAre;

TEST(Throttle, FirstGoesOutAtOnce_NewestAtTheEndOfTheInterval) {
  Lab lab({"c throttle=100ms"});
  EXPECT_EQ(lab.send("c", "e", "1"), Fate::kPass);
  lab.run_to(10);
  EXPECT_EQ(lab.send("c", "e", "2"), Fate::kTaken);
  EXPECT_EQ(lab.send("c", "e", "3"), Fate::kTaken);
  lab.run_to(1'000);
  EXPECT_EQ(lab.send("c", "e", "4"), Fate::kPass);
  lab.run_to(2'000);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{0, "c", "e", "1"}, Seen{100, "c", "e", "3"}, Seen{1'000, "c", "e", "4"}));
  lab.expect_empty();
  EXPECT_EQ(lab.counters().folded, 1U);
}

TEST(Throttle, TrailingEdge_BeginsTheNextInterval) {
  Lab lab({"c throttle=100ms"});
  lab.send("c", "e", "1");
  lab.send("c", "e", "2");
  lab.run_to(150);
  EXPECT_EQ(lab.send("c", "e", "3"), Fate::kTaken);
  lab.run_to(199);
  EXPECT_EQ(lab.take().size(), 2U);
  lab.run_to(200);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{200, "c", "e", "3"}));
}

TEST(Throttle, Edges_MayBeChosen) {
  Lab leading({"c throttle=100ms edges=leading"});
  Lab trailing({"c throttle=100ms edges=trailing"});
  for (Lab* lab : {&leading, &trailing}) {
    for (const uint64_t at : {0, 40, 99, 100, 130}) {
      lab->run_to(at);
      lab->send("c", "e", std::to_string(at));
    }
    lab->run_to(1'000);
  }
  EXPECT_THAT(leading.take(), ElementsAre(Seen{0, "c", "e", "0"}, Seen{100, "c", "e", "100"}));
  EXPECT_THAT(trailing.take(), ElementsAre(Seen{100, "c", "e", "99"}, Seen{200, "c", "e", "130"}));
  leading.expect_empty();
  trailing.expect_empty();
}

TEST(Throttle, NamesShareTheirChannelsInterval_AndKeepTheirName) {
  Lab lab({"c throttle=100ms"});
  lab.send("c", "a", "1");
  lab.send("c", "b", "2");
  lab.send("d", "b", "3");
  lab.run_to(500);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{0, "c", "a", "1"}, Seen{0, "d", "b", "3"}, Seen{100, "c", "b", "2"}));
}

TEST(Throttle, OtherName_TakesTheEventFromTheStart) {
  Lab lab({"c throttle=100ms as=thin"});
  EXPECT_EQ(lab.send("c", "e", "\"x\""), Fate::kTaken);
  lab.send("c", "e", "{}");
  lab.run_to(500);
  EXPECT_THAT(lab.take(), ElementsAre(Seen{0, "c", "thin", "\"x\""}, Seen{100, "c", "thin", "{}"}));
}

// What the rule promises, millisecond by millisecond.
std::vector<Seen> model(const std::vector<RandomEvent>& events, uint64_t interval, bool leading, bool trailing,
                        bool in_place, uint64_t end) {
  struct Key {
    uint64_t ends = 0;
    std::optional<std::string> held;
  };
  std::map<std::string, Key> keys;
  std::vector<Seen> out;
  const auto send = [&](uint64_t at, const std::string& data) {
    out.push_back({at, in_place ? "c" : "d", "e", data, !in_place});
  };
  size_t next = 0;
  for (uint64_t now = 0; now <= end; ++now) {
    for (auto it = keys.begin(); it != keys.end();) {
      Key& key = it->second;
      if (key.ends == now && !key.held) {
        it = keys.erase(it);
        continue;
      }
      if (key.ends == now) {
        send(now, *key.held);
        key = {now + interval, std::nullopt};
      }
      ++it;
    }
    for (; next < events.size() && events[next].at_ms == now; ++next) {
      const RandomEvent& event = events[next];
      if (!event.json || event.key.empty()) {
        if (in_place) send(now, event.data);
        continue;
      }
      const bool fresh = !keys.contains(event.key);
      Key& key = keys[event.key];
      if (fresh) key.ends = now + interval;
      if (fresh && leading) {
        send(now, event.data);
      } else if (trailing) {
        key.held = event.data;
      }
    }
  }
  return out;
}

TEST(Throttle, RandomStreams_AgreeWithTheModel) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    RandomEvents random(seed);
    const uint64_t interval = 1 + random.pick(150);
    const uint64_t edges = random.pick(3);
    const bool in_place = random.pick(2) == 0;
    const std::string names[] = {"both", "leading", "trailing"};
    Lab lab({"c throttle=" + std::to_string(interval) + "ms key=/k edges=" + names[edges] + (in_place ? "" : " to=d")});
    std::vector<RandomEvent> events;
    for (int i = 0; i < 400; ++i) {
      events.push_back(random.next());
      lab.run_to(events.back().at_ms);
      const Fate fate = lab.send("c", "e", events.back().data);
      if (!in_place) {
        ASSERT_EQ(fate, Fate::kPass);
        std::erase_if(lab.seen, [](const Seen& seen) { return !seen.derived; });
      }
    }
    const uint64_t end = events.back().at_ms + 2 * interval;
    lab.run_to(end);
    const auto want = model(events, interval, edges != 2, edges != 1, in_place, end);
    ASSERT_EQ(sorted_within_ms(lab.take()), sorted_within_ms(want)) << "seed " << seed;
    lab.expect_every_event_accounted();
    lab.expect_empty();
  }
}

TEST(Throttle, KeysPastTheirLimit_PassUncounted) {
  Lab lab({"c throttle=100ms key=/k keys=2", "c throttle=100ms key=/k keys=2 to=d"});
  for (const std::string_view key : {"1", "2", "3", "3", "1"}) lab.send("c", "e", "{\"k\":" + std::string(key) + "}");
  EXPECT_EQ(lab.counters(0).keys_full, 2U);
  EXPECT_EQ(lab.counters(1).keys_full, 2U);
  lab.run_to(1'000);
  size_t derived = 0;
  for (const Seen& seen : lab.seen) derived += seen.derived ? 1 : 0;
  EXPECT_EQ(derived, 3U) << "left out where a new event would have been made";
  EXPECT_EQ(lab.seen.size() - derived, 5U) << "unchanged in place";
  lab.expect_every_event_accounted();
  lab.expect_empty();
}

TEST(Throttle, EventPastTheBytes_GoesThrough_AndNoOlderOneComesAfterIt) {
  Lab lab({"c throttle=100ms bytes=64KiB"});
  const std::string small(10, '1');
  const std::string large(70'000, '1');
  EXPECT_EQ(lab.send("c", "e", large), Fate::kPass) << "nothing has to be kept";
  EXPECT_EQ(lab.send("c", "e", small), Fate::kTaken);
  EXPECT_EQ(lab.send("c", "e", large), Fate::kPass);
  EXPECT_EQ(lab.counters().bytes_full, 1U);
  EXPECT_LE(lab.engine.bytes(), 65'536U);
  lab.run_to(100);
  EXPECT_EQ(lab.seen.back().data, large);
  lab.expect_every_event_accounted();
  lab.run_to(500);
  lab.expect_empty();
}

TEST(Throttle, EventPastTheBytes_LeavesWhatIsHeldForAnotherChannel) {
  Lab lab({"c throttle=100ms bytes=64KiB to=d"});
  lab.send("c", "e", "1");
  lab.send("c", "e", "2");
  EXPECT_EQ(lab.send("c", "e", std::string(70'000, '1')), Fate::kPass);
  lab.run_to(100);
  EXPECT_EQ(lab.seen.back().channel, "d");
  EXPECT_EQ(lab.seen.back().data, "2") << "the newest that has a place there";
}

}  // namespace
}  // namespace kilat::flow
