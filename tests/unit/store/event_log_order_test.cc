// The orders of events in the event log, also of a file that was written before there were any.
#include "store/database.h"
#include "store/migrations.h"
#include "unit/store/event_log_scene.h"

namespace kilat::store {
namespace {

using EventLogOrder = EventLogScene;

EventRecord with_order(EventRecord record, uint64_t order) {
  record.order = order;
  return record;
}

TEST_F(EventLogOrder, Orders_AreKept_AndThatOfTheLastTrimmedRecordAsWell) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    for (uint64_t offset = 1; offset <= 5; ++offset) {
      EXPECT_EQ(put(*log, with_order(record("a", offset), 1'000'000'000'000'000 + offset)), Fate::kCommitted);
    }
    log->trim({"shop", "a"}, 3);
    EXPECT_TRUE(eventually([&] { return log->figures().trimmed == 3; }));
  }
  const auto log = open();
  struct Orders final : HistoryVisitor {
    uint64_t trimmed = 0;
    std::vector<uint64_t> all;
    bool on_channel(StoredChannel channel) override {
      trimmed = channel.trimmed_order;
      return true;
    }
    void on_record(EventRecord record) override { all.push_back(record.order); }
  } orders;
  good(log->load(orders));
  EXPECT_EQ(orders.trimmed, 1'000'000'000'000'003U);
  EXPECT_EQ(orders.all, (std::vector<uint64_t>{1'000'000'000'000'004, 1'000'000'000'000'005}));
}

TEST_F(EventLogOrder, AFileFromBeforeThereWereOrders_IsBroughtUpToDate) {
  {
    const auto log = open();
    EXPECT_TRUE(log->begin_channel({"shop", "a"}, "e"));
    put_range(*log, "a", 1, 3);
  }
  {
    Database database = good(Database::open(file("events.db")));
    good(
        database.run("ALTER TABLE event DROP COLUMN delivery_order; ALTER TABLE channel DROP COLUMN trimmed_order;"
                     "PRAGMA user_version = 1"));
  }
  const auto log = open();
  EXPECT_EQ(put(*log, with_order(record("a", 4), 77)), Fate::kCommitted);
  const auto channel = contents(*log).channels.at("shop/a");
  EXPECT_EQ(channel.offsets(), offsets(1, 4));
  EXPECT_EQ(channel.records[2].order, 0U);
  EXPECT_EQ(channel.records[3].order, 77U);
}

}  // namespace
}  // namespace kilat::store
