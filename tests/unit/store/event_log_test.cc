#include "store/event_log.h"

#include <random>

#include "unit/store/event_log_scene.h"

namespace kilat::store {
namespace {

using EventLogTest = EventLogScene;

TEST_F(EventLogTest, Records_AreReadBackAsTheyWere_AfterReopening) {
  const EventRecord sent{.app = "shop",
                         .channel = std::string("a\0b", 3),
                         .offset = 7,
                         .unix_ms = 1'700'000'000'123,
                         .event = "';--\"",
                         .data = std::string("\xff\xfe\0{}\x80", 6),
                         .user_id = "",
                         .packet = std::string(300'000, 'p'),
                         .key = "é",
                         .from_client = true};
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({sent.app, sent.channel}, "epoch-1"));
    EXPECT_EQ(put(*log, sent), Fate::kCommitted);
  }
  const Contents all = reopened();
  ASSERT_EQ(all.channels.size(), 1U);
  const auto& [name, channel] = *all.channels.begin();
  EXPECT_EQ(name, std::string("shop/a\0b", 8));
  EXPECT_EQ(channel.epoch, "epoch-1");
  EXPECT_EQ(channel.last_offset, 7U);
  ASSERT_EQ(channel.records.size(), 1U);
  const EventRecord& got = channel.records[0];
  EXPECT_EQ(got.offset, 7U);
  EXPECT_EQ(got.unix_ms, sent.unix_ms);
  EXPECT_EQ(got.event, sent.event);
  EXPECT_EQ(got.data, sent.data);
  EXPECT_EQ(got.user_id, sent.user_id);
  EXPECT_EQ(got.packet, sent.packet);
  EXPECT_EQ(got.key, sent.key);
  EXPECT_TRUE(got.from_client);
}

TEST_F(EventLogTest, FilesOfTheLog_AreForTheirOwnerOnly) {
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  put_range(*log, "a", 1, 3);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_EQ(mode(entry.path()), 0600U) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2U);
}

TEST_F(EventLogTest, RecordsThatComeDuringACommit_ShareTheNext) {
  auto settings = options();
  settings.commit_ms_max = 60'000;
  const auto log = good(EventLog::open(settings));
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  Gate gate;
  EXPECT_TRUE(log->append(record("a", 1), gate.completion()));
  gate.await_writer();
  const uint64_t before = log->figures().commits;
  Fates fates;
  for (uint64_t offset = 2; offset <= 1'001; ++offset) {
    EXPECT_TRUE(log->append(record("a", offset), fates.completion(offset)));
  }
  gate.open();
  const auto told = fates.wait(1'000);
  ASSERT_EQ(told.size(), 1'000U);
  for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], std::pair(uint64_t{i + 2}, Fate::kCommitted));
  EXPECT_EQ(log->figures().commits, before + 1);
}

TEST_F(EventLogTest, GroupOverItsTime_IsCommittedBeforeTheNextGathers) {
  auto settings = options();
  settings.commit_ms_max = 0;
  const auto log = good(EventLog::open(settings));
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  put_range(*log, "a", 1, 20);
  EXPECT_EQ(log->figures().commits, 21U);
}

TEST_F(EventLogTest, ChannelsOfManyThreads_KeepTheirOrder_WithOneCallAfterEachGroup) {
  std::atomic<uint64_t> groups = 0;
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kRecords = 500;
  std::array<Fates, kThreads> fates;
  auto settings = options();
  settings.on_answered = [&groups] { ++groups; };
  auto log = good(EventLog::open(settings));
  {
    std::vector<std::jthread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const std::string channel = "channel-" + std::to_string(i);
        EXPECT_TRUE(log->begin_channel({"shop", channel}, "e"));
        for (uint64_t offset = 1; offset <= kRecords; ++offset) {
          EXPECT_TRUE(log->append(record(channel, offset), fates[i].completion(offset)));
          if (offset % 100 == 0) log->trim({"shop", channel}, offset - 90);
          EXPECT_TRUE(log->health().healthy);
        }
      });
    }
  }
  for (Fates& one : fates) {
    const auto told = one.wait(kRecords);
    ASSERT_EQ(told.size(), kRecords);
    for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], std::pair(uint64_t{i + 1}, Fate::kCommitted));
  }
  log->stop();
  const EventLog::Figures figures = log->figures();
  EXPECT_EQ(figures.records, kThreads * kRecords);
  EXPECT_EQ(figures.queue_bytes, 0U);
  EXPECT_EQ(figures.not_committed, 0U);
  EXPECT_EQ(groups, figures.commits);
  log.reset();
  for (const auto& [name, channel] : reopened().channels) EXPECT_EQ(channel.offsets(), offsets(411, 500)) << name;
}

TEST_F(EventLogTest, GapRepetitionAndUnknownChannel_AreOutOfOrderAndLeaveNothing) {
  {
    const auto log = open();
    EXPECT_EQ(put(*log, record("a", 1)), Fate::kOutOfOrder);
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    EXPECT_EQ(put(*log, record("a", 0)), Fate::kOutOfOrder);
    EXPECT_EQ(put(*log, record("a", 5)), Fate::kCommitted);
    EXPECT_EQ(put(*log, record("a", 5)), Fate::kOutOfOrder);
    EXPECT_EQ(put(*log, record("a", 7)), Fate::kOutOfOrder);
    EXPECT_EQ(put(*log, record("a", 6)), Fate::kCommitted);
    EXPECT_EQ(log->figures().not_committed, 4U);
    EXPECT_TRUE(log->health().healthy);
  }
  const auto log = open();
  EXPECT_EQ(put(*log, record("a", 8)), Fate::kOutOfOrder);
  EXPECT_EQ(put(*log, record("a", 7)), Fate::kCommitted);
  EXPECT_EQ(contents(*log).channels.at("shop/a").offsets(), offsets(5, 7));
}

TEST_F(EventLogTest, TrimmedRecords_AreGone_AndTheLastOffsetStays) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    EXPECT_TRUE(log->begin_channel({"shop", "b"}, "e"));
    put_range(*log, "a", 1, 100);
    put_range(*log, "b", 1, 3);
    log->trim({"shop", "a"}, 60);
    log->trim({"shop", "a"}, 40);  // less than before: no effect
    log->trim({"shop", "nobody"}, 40);
    EXPECT_TRUE(eventually([&] { return log->figures().trimmed == 60; }));
    EXPECT_EQ(contents(*log).channels.at("shop/a").offsets(), offsets(61, 100));
    log->trim({"shop", "a"}, 1'000'000);
    EXPECT_TRUE(eventually([&] { return log->figures().trimmed == 100; }));
  }
  const auto log = open();
  const Contents all = contents(*log);
  EXPECT_EQ(all.channels.at("shop/a").offsets(), offsets(1, 0));
  EXPECT_EQ(all.channels.at("shop/a").last_offset, 100U);
  EXPECT_EQ(all.channels.at("shop/a").epoch, "e");
  EXPECT_EQ(all.channels.at("shop/b").offsets(), offsets(1, 3));
  EXPECT_EQ(put(*log, record("a", 1)), Fate::kOutOfOrder);
  EXPECT_EQ(put(*log, record("a", 101)), Fate::kCommitted);
}

TEST_F(EventLogTest, LongTrim_GoesInSeveralRounds) {
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  const uint64_t count = EventLog::kTrimRowsMax * 2 + 10;
  put_range(*log, "a", 1, count);
  log->trim({"shop", "a"}, count - 1);
  EXPECT_TRUE(eventually([&] { return log->figures().trimmed == count - 1; }));
  EXPECT_EQ(contents(*log).channels.at("shop/a").offsets(), offsets(count, count));
}

TEST_F(EventLogTest, NewEpoch_ReplacesTheHistory_AndEarlierTrimsDoNotTouchIt) {
  auto settings = options();
  settings.trim_ms = 3'600'000;
  {
    const auto log = good(EventLog::open(settings));
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "first"));
    put_range(*log, "a", 1, 50);
    log->trim({"shop", "a"}, 49);
    put_range(*log, "a", 51, 52);  // the trim is with the writer now, and waits there
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "second"));
    put_range(*log, "a", 1, 10);
    log->trim({"shop", "a"}, 2);
    log->stop();
  }
  const auto log = open();
  const Contents all = contents(*log);
  ASSERT_EQ(all.channels.size(), 1U);
  EXPECT_EQ(all.channels.at("shop/a").epoch, "second");
  EXPECT_EQ(all.channels.at("shop/a").offsets(), offsets(3, 10));
  EXPECT_EQ(all.channels.at("shop/a").last_offset, 10U);
}

TEST_F(EventLogTest, RowsOfAReplacedHistory_AreDeletedLater_AlsoByTheNextProcess) {
  auto settings = options();
  settings.trim_ms = 3'600'000;
  {
    const auto log = good(EventLog::open(settings));
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "first"));
    put_range(*log, "a", 1, EventLog::kTrimRowsMax * 3);
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "second"));
  }
  const auto log = open();
  EXPECT_TRUE(eventually([&] { return log->figures().trimmed >= EventLog::kTrimRowsMax; }));
  EXPECT_EQ(contents(*log).channels.at("shop/a").last_offset, 0U);
}

TEST_F(EventLogTest, EndedChannel_IsForgottenWithItsEpoch) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    put_range(*log, "a", 1, 3);
    EXPECT_TRUE(log->end_channel({"shop", "a"}));
    EXPECT_TRUE(log->end_channel({"shop", "never-begun"}));
    EXPECT_EQ(put(*log, record("a", 4)), Fate::kOutOfOrder);
  }
  EXPECT_TRUE(reopened().channels.empty());
}

TEST_F(EventLogTest, Load_GivesNoRecordsOfAChannelThatIsNotWanted) {
  const auto log = open();
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_TRUE(log->begin_channel({"shop", name}, "e"));
    put_range(*log, name, 1, 2);
  }
  Contents all;
  all.unwanted = "shop/b";
  good(log->load(all));
  EXPECT_EQ(all.channels.at("shop/a").offsets(), offsets(1, 2));
  EXPECT_TRUE(all.channels.at("shop/b").records.empty());
  EXPECT_EQ(all.channels.at("shop/b").last_offset, 2U);
  EXPECT_EQ(all.channels.at("shop/c").offsets(), offsets(1, 2));
}

TEST_F(EventLogTest, Stop_CommitsWhatIsQueued_AndTakesNothingMore) {
  Fates fates;
  const auto log = open();
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  for (uint64_t offset = 1; offset <= 300; ++offset) {
    EXPECT_TRUE(log->append(record("a", offset), fates.completion(offset)));
  }
  log->stop();
  log->stop();
  for (const auto& [tag, fate] : fates.wait(300)) EXPECT_EQ(fate, Fate::kCommitted) << tag;
  EXPECT_FALSE(log->append(record("a", 301), {}));
  EXPECT_FALSE(log->begin_channel({"shop", "b"}, "e"));
  Contents all;
  EXPECT_FALSE(log->load(all));
  EXPECT_EQ(reopened().channels.at("shop/a").offsets(), offsets(1, 300));
}

TEST_F(EventLogTest, FullQueue_RefusesAtOnce_AndTakesAgainWhenItHasEmptied) {
  auto settings = options();
  settings.queue_bytes_max = 64 * 1024;
  const auto log = good(EventLog::open(settings));
  EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
  Gate gate;
  EXPECT_TRUE(log->append(record("a", 1), gate.completion()));
  gate.await_writer();
  Fates fates;
  uint64_t next = 2;
  while (next < 1'000 && log->append(record("a", next, std::string(1'000, 'x')), fates.completion(next))) ++next;
  EXPECT_GT(next, 20U);
  EXPECT_LT(next, 66U);
  EXPECT_LE(log->figures().queue_bytes, settings.queue_bytes_max);
  EXPECT_FALSE(log->begin_channel({"shop", std::string(1'000, 'b')}, "e"));
  gate.open();
  EXPECT_EQ(fates.wait(next - 2).size(), next - 2);
  EXPECT_TRUE(eventually([&] { return log->figures().queue_bytes == 0; }));
  EXPECT_EQ(put(*log, record("a", next)), Fate::kCommitted);
  EXPECT_FALSE(log->append(record("a", next + 1, std::string(65 * 1024, 'x')), {}));
}

// Random steps, held against a model that does the same in memory.
TEST_F(EventLogTest, RandomSteps_LeaveWhatTheModelHas) {
  struct Model {
    uint64_t epoch = 0;
    uint64_t first = 1;
    uint64_t last = 0;
  };
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    std::mt19937 random(seed);
    std::map<std::string, Model> model;
    auto settings = options();
    settings.trim_ms = seed % 2 == 0 ? 0 : 3'600'000;
    settings.commit_ms_max = seed % 3 == 0 ? 0 : 5;
    settings.file = file("events-" + std::to_string(seed));
    auto log = good(EventLog::open(settings));
    for (uint64_t round = 1; round <= 600; ++round) {
      const std::string name = "c" + std::to_string(random() % 5);
      const auto step = random() % 100;
      auto at = model.find(name);
      if (at == model.end() || step < 4) {
        EXPECT_TRUE(log->begin_channel({"shop", name}, std::to_string(round)));
        model[name] = {.epoch = round};
      } else if (step < 6) {
        EXPECT_TRUE(log->end_channel({"shop", name}));
        model.erase(at);
      } else if (step < 25) {
        const uint64_t up_to = std::min(at->second.first + random() % 8, at->second.last);
        log->trim({"shop", name}, up_to);
        at->second.first = std::max(at->second.first, up_to + 1);
      } else if (step < 27) {
        log.reset();
        log = good(EventLog::open(settings));
      } else {
        EXPECT_TRUE(log->append(record(name, ++at->second.last), {}));
      }
    }
    log.reset();
    log = good(EventLog::open(settings));
    const Contents all = contents(*log);
    ASSERT_EQ(all.channels.size(), model.size()) << "seed " << seed;
    for (const auto& [name, want] : model) {
      const auto& got = all.channels.at("shop/" + name);
      EXPECT_EQ(got.epoch, std::to_string(want.epoch)) << "seed " << seed << " " << name;
      EXPECT_EQ(got.last_offset, want.last) << "seed " << seed << " " << name;
      EXPECT_EQ(got.offsets(), offsets(want.first, want.last)) << "seed " << seed << " " << name;
    }
  }
}

}  // namespace
}  // namespace kilat::store
