// The records of sockets: what was told to be written is there after a restart, and a full disk keeps nobody waiting.
#include "store/socket_store.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "unit/store/file_size_limit.h"
#include "unit/store/scratch.h"

namespace kilat::store {
namespace {

struct SocketStoreTest : Scratch {
  SocketStore::Options options() {
    return {.file = file("sockets.db"), .busy_ms = 10, .on_written = [this](uint64_t ticket, uint64_t shards) {
              const std::lock_guard lock(mutex_);
              written_ = ticket;
              shards_ |= shards;
              changed_.notify_all();
            }};
  }
  std::unique_ptr<SocketStore> open() { return good(SocketStore::open(options())); }

  void wait_for(uint64_t ticket) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(1), [&] { return written_ >= ticket; }));
  }
  void put(SocketStore& store, const std::string& key, const std::string& record, uint32_t shard = 0) {
    const uint64_t ticket = store.put({.key = key, .shard = shard, .record = record});
    EXPECT_NE(ticket, 0U);
    wait_for(ticket);
  }
  std::map<std::string, std::string> reopened() {
    std::map<std::string, std::string> out;
    for (const SocketRow& row : good(open()->load())) out[row.key] = std::to_string(row.shard) + ":" + row.record;
    return out;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t written_ = 0;
  uint64_t shards_ = 0;
};

using Rows = std::map<std::string, std::string>;

TEST_F(SocketStoreTest, TheLastRecordOfAKey_IsThereAfterARestart_AndWhatWasErasedIsNot) {
  {
    const auto store = open();
    put(*store, "a", "1", 3);
    put(*store, "b", "1", 5);
    put(*store, "a", "2", 3);
    put(*store, "c", "1");
    store->erase("b");
    store->erase("never there");
  }
  EXPECT_EQ(reopened(), (Rows{{"a", "3:2"}, {"c", "0:1"}}));
  EXPECT_EQ(shards_, 0b101001U);
  EXPECT_EQ(mode(file("sockets.db")), 0600U);
}

TEST_F(SocketStoreTest, WhoseRecordIsErasedAtOnce_IsToldAllTheSame) {
  const auto store = open();
  for (int i = 0; i < 200; ++i) {
    {
      const std::lock_guard lock(mutex_);
      shards_ = 0;
    }
    const uint64_t ticket = store->put({.key = "k", .shard = 7, .record = "r"});
    store->erase("k");
    wait_for(ticket);
    const std::lock_guard lock(mutex_);
    ASSERT_EQ(shards_, 1U << 7) << i;
  }
}

TEST_F(SocketStoreTest, WhoseRecordAnotherShardReplaces_IsToldAllTheSame) {
  const auto store = open();
  const uint64_t first = store->put({.key = "k", .shard = 1, .record = "r"});
  const uint64_t second = store->put({.key = "k", .shard = 2, .record = "s"});
  EXPECT_LT(first, second);
  wait_for(second);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(shards_, 0b110U);
}

TEST_F(SocketStoreTest, EachRun_HasANumberAboveThoseBefore) {
  EXPECT_EQ(open()->run(), 1U);
  EXPECT_EQ(open()->run(), 2U);
  EXPECT_EQ(open()->run(), 3U);
}

TEST_F(SocketStoreTest, WhatIsPutBeforeAStop_IsWrittenByIt_AndNothingIsTakenAfterwards) {
  const auto store = open();
  for (int i = 0; i < 100; ++i) store->put({.key = std::to_string(i), .shard = 0, .record = "r"});
  store->stop();
  EXPECT_EQ(store->put({.key = "late", .shard = 0, .record = "r"}), 0U);
  store->erase("1");
  EXPECT_EQ(reopened().size(), 100U);
}

TEST_F(SocketStoreTest, FullDisk_KeepsNobodyWaiting_AndIsMadeUpForWhenItIsOver) {
  const auto store = open();
  put(*store, "a", "old");
  put(*store, "b", "old");
  {
    const FileSizeLimit limit(0);
    const uint64_t ticket = store->put({.key = "a", .shard = 0, .record = "new"});
    wait_for(ticket);
    EXPECT_TRUE(eventually([&] { return !store->health().healthy; }));
    EXPECT_TRUE(eventually([&] { return store->put({.key = "c", .shard = 0, .record = "x"}) == 0; }));
    store->erase("b");
    store->put({.key = "a", .shard = 0, .record = "newest"});
    EXPECT_GE(store->failures(), 1U);
  }
  EXPECT_TRUE(eventually([&] { return store->health().healthy; }));
  store->stop();
  EXPECT_EQ(reopened(), (Rows{{"a", "0:newest"}, {"c", "0:x"}}));
}

TEST_F(SocketStoreTest, MoreThanMayWait_GivesUpAllRecords) {
  {
    auto settings = options();
    settings.waiting_bytes_max = 10'000;
    const auto store = good(SocketStore::open(settings));
    put(*store, "old", "r");
    {
      const FileSizeLimit limit(0);
      wait_for(store->put({.key = "first", .shard = 0, .record = "r"}));
      EXPECT_TRUE(eventually([&] { return !store->health().healthy; }));
      for (int i = 0; i < 10; ++i) {
        store->put({.key = std::to_string(i), .shard = 0, .record = std::string(2'000, 'x')});
      }
    }
    EXPECT_TRUE(eventually([&] { return store->health().healthy; }));
    put(*store, "later", "r");
  }
  const Rows rows = reopened();
  EXPECT_FALSE(rows.contains("old"));
  EXPECT_FALSE(rows.contains("first"));
  EXPECT_TRUE(rows.contains("later"));
  EXPECT_LT(rows.size(), 8U);
}

TEST_F(SocketStoreTest, FileThatIsNoneOfOurs_OrInUse_IsAFault) {
  write(file("sockets.db"), std::string(10'000, 'x'));
  EXPECT_FALSE(SocketStore::open(options()));
  std::filesystem::remove(file("sockets.db"));
  const auto store = open();
  const auto other = SocketStore::open(options());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().remedies.size(), 3U);
}

}  // namespace
}  // namespace kilat::store
