// What is kept of a channel's events, and what those get who come back.
#include "hub/history.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/hub/world.h"

namespace kilat::hub {
namespace {

using testing::Client;
using testing::Log;
using testing::World;

PublicationPtr event(std::string_view data) {
  return Publication::make({.channel = "c", .event = "e", .data = data});
}

std::vector<std::string> texts(const std::vector<PublicationPtr>& publications) {
  std::vector<std::string> result;
  for (const PublicationPtr& publication : publications) {
    result.push_back(std::string(publication->data()) + "@" + std::to_string(publication->number()));
  }
  return result;
}

// Events 1 to `count`, one every 100 ms from 1,000 on; unix time is 5,000 ahead.
History filled(size_t count, const HistoryLimits& limits = {}) {
  History history(7);
  for (size_t i = 1; i <= count; ++i) history.push(event(std::to_string(i)), 900 + 100 * i, 5'900 + 100 * i, limits);
  return history;
}

HistoryAnswer recover(const History& history, uint32_t epoch, uint64_t offset, uint64_t bytes_max = 1 << 20) {
  return history.answer({.recover = true, .since = {epoch, offset}}, 10'000, bytes_max);
}

TEST(History, Recovery_GivesExactlyWhatWasMissed) {
  const History history = filled(5);
  for (uint64_t seen = 0; seen <= 5; ++seen) {
    const HistoryAnswer answer = recover(history, 7, seen);
    EXPECT_EQ(answer.refused, Reason::kNone);
    EXPECT_EQ(answer.position, (Position{7, 5}));
    ASSERT_EQ(answer.missed.size(), 5 - seen);
    for (size_t i = 0; i < answer.missed.size(); ++i) EXPECT_EQ(answer.missed[i]->number(), seen + 1 + i);
  }
}

TEST(History, WhatIsGoneOrNeverWas_IsSaid) {
  const History history = filled(5, {.size = 3});
  EXPECT_EQ(recover(history, 7, 2).refused, Reason::kNone);
  EXPECT_EQ(recover(history, 7, 1).refused, Reason::kHistoryExpired);
  EXPECT_EQ(recover(history, 7, 0).refused, Reason::kHistoryExpired);
  EXPECT_EQ(recover(history, 7, 6).refused, Reason::kHistoryEpoch) << "an offset that was never given";
  EXPECT_EQ(recover(history, 8, 5).refused, Reason::kHistoryEpoch);
  EXPECT_EQ(recover(history, 0, 0).refused, Reason::kHistoryEpoch);
  EXPECT_TRUE(recover(history, 8, 5).missed.empty());
  EXPECT_EQ(recover(history, 8, 5).position, (Position{7, 5})) << "it reads on from there";
}

TEST(History, MoreThanAnAnswerMayCarry_IsRefusedForRecovery_AndShortensARewind) {
  const History history = filled(10);
  EXPECT_EQ(recover(history, 7, 0, 500).refused, Reason::kHistoryTooLong);
  EXPECT_TRUE(recover(history, 7, 0, 500).missed.empty());
  EXPECT_EQ(recover(history, 7, 8, 500).refused, Reason::kNone);
  const HistoryAnswer rewound = history.answer({.rewind = 10}, 10'000, 250);
  EXPECT_EQ(texts(rewound.missed), (std::vector<std::string>{"8@8", "9@9", "10@10"}));
}

TEST(History, Rewind_IsByCountOrByTime) {
  const History history = filled(5);
  EXPECT_EQ(texts(history.answer({.rewind = 2}, 2'000, 1 << 20).missed), (std::vector<std::string>{"4@4", "5@5"}));
  EXPECT_EQ(history.answer({.rewind = 99}, 2'000, 1 << 20).missed.size(), 5U);
  EXPECT_EQ(texts(history.answer({.rewind_ms = 700}, 2'000, 1 << 20).missed), (std::vector<std::string>{"4@4", "5@5"}));
  EXPECT_EQ(history.answer({.rewind_ms = 5'000}, 2'000, 1 << 20).missed.size(), 5U);
  EXPECT_TRUE(history.answer({}, 2'000, 1 << 20).missed.empty());
}

TEST(History, SizeBytesAndAge_LetTheOldestGo_AndOffsetsGoOn) {
  EXPECT_EQ(filled(9, {.size = 4}).size(), 4U);
  const uint64_t one = History::cost(*event("1"));
  EXPECT_EQ(filled(9, {.bytes = 3 * one}).size(), 3U);
  EXPECT_EQ(filled(9, {.bytes = 1}).size(), 1U) << "the newest stays in any case";
  History history = filled(9, {.age_ms = 300});
  EXPECT_EQ(history.size(), 3U);
  history.expire(5'000, {.age_ms = 300});
  EXPECT_TRUE(history.empty());
  EXPECT_EQ(history.bytes(), 0U);
  EXPECT_EQ(history.position(), (Position{7, 9}));
  EXPECT_EQ(recover(history, 7, 9).refused, Reason::kNone) << "nothing was missed";
  EXPECT_EQ(recover(history, 7, 8).refused, Reason::kHistoryExpired);
}

std::vector<uint64_t> offsets(const HistoryPage& page) {
  std::vector<uint64_t> result;
  for (const PastEvent& past : page.events) result.push_back(past.publication->number());
  return result;
}

TEST(History, Pages_LeadThroughAllOfIt_BothWays) {
  const History history = filled(7);
  std::vector<uint64_t> all;
  HistoryRange range{.limit = 3};
  for (bool more = true; more;) {
    const HistoryPage page = history.page(range, 1 << 20);
    for (const uint64_t offset : offsets(page)) all.push_back(offset);
    more = page.more;
    range.after = all.back();
  }
  EXPECT_EQ(all, (std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7}));
  all.clear();
  range = {.limit = 3, .backwards = true};
  for (bool more = true; more;) {
    const HistoryPage page = history.page(range, 1 << 20);
    for (const uint64_t offset : offsets(page)) all.push_back(offset);
    more = page.more;
    range.before = all.back();
  }
  EXPECT_EQ(all, (std::vector<uint64_t>{7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(offsets(history.page({.from_unix_ms = 6'200, .to_unix_ms = 6'400}, 1 << 20)),
            (std::vector<uint64_t>{3, 4}));
  EXPECT_EQ(offsets(history.page({.after = 2, .before = 5}, 1 << 20)), (std::vector<uint64_t>{3, 4}));
  EXPECT_TRUE(history.page({.before = 0}, 1 << 20).events.empty());
  const HistoryPage small = history.page({}, 1);
  EXPECT_EQ(offsets(small), std::vector<uint64_t>{1}) << "one at least, however big";
  EXPECT_TRUE(small.more);
}

// --- on the shards

struct HistoryTest : testing::HubTest {
  static AppSettings app(std::vector<std::string> rules) {
    AppSettings settings = testing::settings();
    settings.history = std::move(rules);
    return settings;
  }
};
KILAT_HUB_TEST(HistoryTest);

TEST_P(HistoryTest, WhoComesBack_GetsWhatItMissed_ThenWhatIsLive) {
  World world(shards(), app({"news size=10 age=1m"}));
  const std::string channel = "news";
  Client& reader = world.connect(at(0));
  Client& plain = world.connect(at(1));
  world.join_with(reader, channel, {});
  world.join(plain, channel);
  world.pump();
  EXPECT_EQ(reader.log(), Log{"news joined at 0"});
  world.publish(at(2), channel, "a");
  world.pump();
  EXPECT_EQ(reader.log(), Log{"news: a @1"});
  EXPECT_EQ(plain.log(), (Log{"news joined", "news: a"})) << "who has not asked sees nothing of it";
  const Position seen{world.position(reader, channel).epoch, 1};
  world.close(reader);
  world.publish(at(2), channel, "b");
  world.pump();
  world.publish(at(1), channel, "c");
  world.pump();
  Client& back = world.connect(at(1));
  world.join_with(back, channel, {.recover = true, .since = seen});
  world.publish(at(2), channel, "d");
  world.pump();
  Log log = back.log();
  // The join and the last event were on their way at the same time.
  EXPECT_TRUE(log.front() == "news joined at 3 recovered" || log.front() == "news joined at 4 recovered")
      << log.front();
  log.erase(log.begin());
  EXPECT_EQ(log, (Log{"news: b @2", "news: c @3", "news: d @4"}));
}

TEST_P(HistoryTest, APosition_SurvivesAnEmptyChannel_UntilItsAgeIsOver) {
  World world(shards(), app({"news size=10 age=60s"}));
  Client& reader = world.connect(at(0));
  world.join_with(reader, "news", {});
  world.pump();
  Position seen = world.position(reader, "news");
  EXPECT_NE(seen.epoch, 0U);
  world.leave(reader, "news");
  world.pass(59'000);
  world.join_with(reader, "news", {.recover = true, .since = seen});
  world.pump();
  EXPECT_EQ(reader.log().back(), "news joined at 0 recovered");
  world.leave(reader, "news");
  world.pass(61'000);
  EXPECT_EQ(world.channels_left(), 0U);
  world.join_with(reader, "news", {.recover = true, .since = seen});
  world.pump();
  EXPECT_EQ(reader.log().back(), "news joined at 0 history_epoch");
}

TEST_P(HistoryTest, WithoutARule_NothingIsKept_AndRecoveryIsRefused) {
  World world(shards(), app({"news size=10"}));
  Client& reader = world.connect(at(0));
  world.publish(at(1), "other", "a");
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
  world.join_with(reader, "other", {.recover = true, .since = {1, 1}});
  world.pump();
  EXPECT_EQ(reader.log(), Log{"other joined at 0 history_off"});
  EXPECT_TRUE(world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "other"}).history_off);
  EXPECT_FALSE(world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "news"}).history_off);
}

TEST_P(HistoryTest, OldEvents_GoByThemselves_AndSoDoTheirChannels) {
  World world(shards(), app({"* size=10 age=10s"}));
  for (int i = 0; i < 50; ++i) world.publish(at(0), "c" + std::to_string(i), "x");
  world.pump();
  EXPECT_EQ(world.channels_left(), 50U);
  world.pass(11'000);
  world.pass(11'000);
  EXPECT_EQ(world.channels_left(), 0U);
  for (ShardIndex i = 0; i < shards(); ++i) EXPECT_EQ(world[i].hub.home().history_bytes(), 0U);
}

TEST_P(HistoryTest, TheShardsBudget_LetsGoOfTheQuietestChannels) {
  World world(shards(), app({"* size=10 age=1h"}));
  for (ShardIndex i = 0; i < shards(); ++i) world[i].hub.set_limits({.history_bytes_max = 20'000});
  Client& reader = world.connect(at(0));
  world.join_with(reader, "kept", {});
  world.publish(at(0), "kept", "1");
  for (int i = 0; i < 200; ++i) {
    world.publish(at(0), "c" + std::to_string(i), "x");
    world.pump();
  }
  for (ShardIndex i = 0; i < shards(); ++i) EXPECT_LE(world[i].hub.home().history_bytes(), 20'000U);
  const QueryReply kept = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "kept"});
  EXPECT_EQ(kept.history.position.offset, 1U) << "a channel that is read keeps its position";
  const QueryReply newest = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "c199"});
  EXPECT_EQ(newest.history.events.size(), 1U);
}

TEST_P(HistoryTest, WhoAsksAndLeaves_PushesNobodysEventsOut) {
  World world(shards(), app({"* size=10 age=1h"}));
  constexpr uint64_t kBudget = 20'000;
  for (ShardIndex i = 0; i < shards(); ++i) world[i].hub.set_limits({.history_bytes_max = kBudget});
  world.publish(at(0), "quiet", "1");
  Client& asking = world.connect(at(1));
  Client& staying = world.connect(at(0));
  for (int i = 0; i < 300; ++i) {
    const std::string left = "left" + std::to_string(i);
    world.join_with(asking, left, {.recover = true});
    if (i % 30 == 0) world.join_with(staying, "read" + std::to_string(i), {});
    world.pump();
    if (i % 3 == 0) world.publish(at(2), "other", std::to_string(i));
    EXPECT_TRUE(world.leave(asking, left));
    world.pump();
  }
  for (ShardIndex i = 0; i < shards(); ++i) EXPECT_LE(world[i].hub.home().history_bytes(), kBudget + 2'000);
  const QueryReply quiet = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "quiet"});
  EXPECT_EQ(quiet.history.events.size(), 1U);
}

TEST_P(HistoryTest, AChannelThatHasNoPlaceYet_IsReadAllTheSame) {
  World world(shards(), app({"* size=10 age=1h"}));
  for (ShardIndex i = 0; i < shards(); ++i) world[i].hub.set_limits({.history_bytes_max = 1});
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(1));
  world.join_with(first, "a", {});
  world.pump();
  const std::string other = world.name_at(world[0].hub.home_of_channel(0, "a"), "other");
  world.join_with(second, other, {.recover = true, .since = {1, 1}});
  world.pump();
  EXPECT_EQ(second.log(), Log{other + " joined at 0 history_off"});
  world.publish(at(0), other, "x");
  world.pump();
  EXPECT_EQ(second.log(), Log{other + ": x @1"});
}

TEST_P(HistoryTest, ASecondSubscription_LeavesThePositionsAsTheyAre) {
  World world(shards(), app({"news size=10"}));
  Client& counted = world.connect(at(1));
  Client& plain = world.connect(at(1));
  world.join_with(counted, "news", {});
  world.join(plain, "news");
  world.pump();
  world.join(counted, "news");
  world.join_with(plain, "news", {});
  world.pump();
  EXPECT_TRUE(counted.find("news")->options.positions);
  EXPECT_FALSE(plain.find("news")->options.positions);
}

TEST_P(HistoryTest, AChannelWhoseRuleHasGone_IsClosedWithItsHistory) {
  World world(shards(), app({"* size=10 age=1h"}));
  for (int i = 0; i < 20; ++i) world.publish(at(0), "c" + std::to_string(i), "x");
  world.pump();
  EXPECT_EQ(world.channels_left(), 20U);
  world.reload(app({}));
  for (int i = 0; i < 20; ++i) world.publish(at(1), "c" + std::to_string(i), "x");
  world.pump();
  EXPECT_EQ(world.channels_left(), 0U);
}

struct Everybody final : Audience {
  bool includes(const Subscriber&, std::string_view) const override { return true; }
  size_t bytes() const override { return 5'000; }
};

TEST(History, CountsWhatAnAudienceTakes) {
  const auto cost = [](AudiencePtr audience) {
    return History::cost(*Publication::make({.channel = "c", .event = "e", .data = "1", .audience = audience}));
  };
  EXPECT_EQ(cost(std::make_shared<Everybody>()), cost(nullptr) + 5'000);
}

TEST_P(HistoryTest, AReload_TakesHistoriesAway_AndBringsThem) {
  World world(shards(), app({"news size=10"}));
  world.publish(at(0), "news", "1");
  world.pump();
  world.reload(app({"news size=1"}));
  world.publish(at(0), "news", "2");
  world.pump();
  EXPECT_EQ(world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "news"}).history.events.size(), 1U);
  world.reload(app({}));
  world.publish(at(0), "news", "3");
  world.pump();
  const QueryReply off = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "news"});
  EXPECT_TRUE(off.history_off);
  EXPECT_TRUE(off.history.events.empty());
}

TEST_P(HistoryTest, MemberEventsAndUserChannels_HaveNoPlaceInIt) {
  World world(shards(), app({"* size=10", "#server-to-user-* size=10"}));
  Client& first = world.connect(at(0));
  Client& second = world.connect(at(1));
  world.join(first, "presence-room", "ada");
  world.join(second, "presence-room", "bob");
  world.publish(at(2), "presence-room", "hello");
  world.publish(at(2), "#server-to-user-ada", "x");
  world.pump();
  const QueryReply room = world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "presence-room"});
  ASSERT_EQ(room.history.events.size(), 1U);
  EXPECT_EQ(room.history.events[0].publication->data(), "hello");
  EXPECT_TRUE(world.ask(at(1), {.kind = Query::Kind::kHistory, .name = "#server-to-user-ada"}).history.events.empty());
}

// --- idempotency

TEST_P(HistoryTest, TheSameKeyAgain_PublishesNothing_AndIsAnsweredTheSame) {
  AppSettings settings = app({"news size=10"});
  settings.idempotency_s = 60;
  World world(shards(), settings);
  Client& reader = world.connect(at(0));
  world.join_with(reader, "news", {});
  world.join(reader, "other");
  world.pump();
  reader.log();
  // Two at once are two in a row: the home takes one after the other.
  for (int i = 0; i < 3; ++i) {
    world.publish(at(1), {.channel = "news", .event = "e", .data = "1", .key = "k"}, 5);
  }
  world.publish(at(1), {.channel = "other", .event = "e", .data = "1", .key = "k"});
  world.publish(at(1), {.channel = "news", .event = "e", .data = "2", .key = "l"});
  world.pump();
  Log log = reader.log();
  std::ranges::sort(log);  // two channels have no order
  EXPECT_EQ(log, (Log{"news: 1 @1", "news: 2 @2", "other: 1"}));
  world.pass(61'000);
  world.publish(at(1), {.channel = "news", .event = "e", .data = "3", .key = "k"});
  world.pump();
  EXPECT_EQ(reader.log(), Log{"news: 3 @3"}) << "a key ends";
}

}  // namespace
}  // namespace kilat::hub
