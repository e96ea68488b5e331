// What the tests of the event log share: a scratch folder, a log in it, and those who wait for its answers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/event_log.h"
#include "unit/store/scratch.h"

namespace kilat::store {

/// Collects fates in the order in which they were told.
class Fates {
 public:
  Completion completion(uint64_t tag) { return {told, this, tag}; }

  /// The first `count` of them, or fewer after a minute.
  std::vector<std::pair<uint64_t, Fate>> wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return all_.size() >= count; });
    return all_;
  }

  Fate last() {
    const std::lock_guard lock(mutex_);
    return all_.back().second;
  }

 private:
  static void told(void* self, uint64_t tag, Fate fate) {
    auto& fates = *static_cast<Fates*>(self);
    const std::lock_guard lock(fates.mutex_);
    fates.all_.emplace_back(tag, fate);
    fates.changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<uint64_t, Fate>> all_;
};

/// Holds the writer's thread in a completion until it is opened.
class Gate {
 public:
  ~Gate() { open(); }
  Completion completion() { return {pass, this, 0}; }
  void await_writer() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::minutes(1), [&] { return reached_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  static void pass(void* self, uint64_t, Fate) {
    auto& gate = *static_cast<Gate*>(self);
    std::unique_lock lock(gate.mutex_);
    gate.reached_ = true;
    gate.changed_.notify_all();
    gate.changed_.wait(lock, [&] { return gate.open_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
  bool open_ = false;
};

/// What a log holds: by "app/channel".
struct Contents final : HistoryVisitor {
  struct Channel {
    std::string epoch;
    uint64_t last_offset = 0;
    std::vector<EventRecord> records;
    std::vector<uint64_t> offsets() const {
      std::vector<uint64_t> out;
      for (const EventRecord& record : records) out.push_back(record.offset);
      return out;
    }
  };
  std::map<std::string, Channel> channels;
  std::string unwanted;  ///< this one's records are not asked for

  bool on_channel(StoredChannel channel) override {
    const std::string name = channel.app + "/" + channel.channel;
    channels[name] = {channel.epoch, channel.last_offset, {}};
    return name != unwanted;
  }
  void on_record(EventRecord record) override {
    const std::string name = record.app + "/" + record.channel;
    channels.at(name).records.push_back(std::move(record));
  }
};

inline std::vector<uint64_t> offsets(uint64_t first, uint64_t last) {
  std::vector<uint64_t> out;
  for (uint64_t offset = first; offset <= last; ++offset) out.push_back(offset);
  return out;
}

class EventLogScene : public Scratch {
 protected:
  static EventRecord record(std::string channel, uint64_t offset, std::string data = "{}") {
    EventRecord out;
    out.app = "shop";
    out.channel = std::move(channel);
    out.offset = offset;
    out.unix_ms = 1'700'000'000'000 + offset;
    out.event = "price";
    out.data = std::move(data);
    return out;
  }

  EventLog::Options options() const {
    EventLog::Options out;
    out.file = file("events.db");
    out.trim_ms = 0;
    out.busy_ms = 10;
    return out;
  }

  std::unique_ptr<EventLog> open() const { return good(EventLog::open(options())); }

  /// Appends, waits and says what became of it.
  static Fate put(EventLog& log, EventRecord record) {
    Fates fates;
    EXPECT_TRUE(log.append(std::move(record), fates.completion(0)));
    EXPECT_EQ(fates.wait(1).size(), 1U);
    return fates.last();
  }

  static void put_range(EventLog& log, const std::string& channel, uint64_t first, uint64_t last) {
    Fates fates;
    for (uint64_t offset = first; offset <= last; ++offset) {
      ASSERT_TRUE(log.append(record(channel, offset), fates.completion(offset)));
    }
    for (const auto& [tag, fate] : fates.wait(last - first + 1)) EXPECT_EQ(fate, Fate::kCommitted) << tag;
  }

  static Contents contents(EventLog& log) {
    Contents out;
    good(log.load(out));
    return out;
  }

  Contents reopened() const { return contents(*open()); }
};

}  // namespace kilat::store
