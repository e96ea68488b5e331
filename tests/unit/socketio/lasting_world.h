// Runs of a server that share one disk: its events, and the records of its sockets. A run ends without a word, and what
// was not settled is lost. One thread; nothing reaches the disk but in LastingWorld::settle().
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/durable_log.h"
#include "socketio/comeback.h"
#include "socketio/registry.h"
#include "unit/socketio/socketio_test.h"

namespace kilat::socketio::testing {

/// What survives a run.
struct Disk {
  struct Event {
    uint64_t offset = 0;
    uint64_t order = 0;
    std::string event;
    std::string data;
  };
  struct Channel {
    uint32_t epoch = 0;
    std::vector<Event> events;
  };
  std::map<std::string, Channel> channels;
  std::map<std::string, std::pair<uint32_t, std::string>> records;  ///< by key: shard, record
  std::string full;                                                 ///< there is no room for the events of this channel
  uint64_t runs = 0;
  uint64_t unix_ms = 1'000'000;
};

class DiskLog final : public hub::DurableLog {
 public:
  explicit DiskLog(Disk& disk) : disk_(disk) {}
  bool begin(hub::AppIndex, std::string_view channel, uint32_t epoch) override {
    disk_.channels[std::string(channel)] = {epoch, {}};
    return true;
  }
  bool append(const hub::Publication& event, uint64_t offset, uint64_t, uint64_t tag) override {
    waiting_.push_back({tag,
                        std::string(event.channel()),
                        {offset, event.order(), std::string(event.event()), std::string(event.data())}});
    return true;
  }
  void end(hub::AppIndex, std::string_view channel) override { disk_.channels.erase(std::string(channel)); }
  void trim(hub::AppIndex, std::string_view, uint64_t) override {}
  bool settle(hub::HomeHub& home) {
    const bool any = !waiting_.empty();
    while (!waiting_.empty()) {
      const Waiting first = std::move(waiting_.front());
      waiting_.pop_front();
      const bool written = disk_.full != first.channel;
      if (written) disk_.channels[first.channel].events.push_back(first.event);
      home.on_committed(first.tag, written);
    }
    return any;
  }

 private:
  struct Waiting {
    uint64_t tag;
    std::string channel;
    Disk::Event event;
  };
  Disk& disk_;
  std::deque<Waiting> waiting_;
};

class DiskRegistry final : public Registry {
 public:
  DiskRegistry(Disk& disk, uint32_t shard) : disk_(disk), shard_(shard) {}
  uint64_t put(const std::string& key, std::string record) override {
    changes_.emplace_back(key, std::move(record));
    return ++ticket_;
  }
  void erase(const std::string& key) override { changes_.emplace_back(key, std::string()); }
  bool settle(Shard& shard) {
    if (changes_.empty()) return false;
    for (const auto& [key, record] : std::exchange(changes_, {})) {
      if (record.empty()) {
        disk_.records.erase(key);
      } else {
        disk_.records[key] = {shard_, record};
      }
    }
    shard.on_written(ticket_);
    return true;
  }

 private:
  Disk& disk_;
  uint32_t shard_;
  std::vector<std::pair<std::string, std::string>> changes_;
  uint64_t ticket_ = 0;
};

/// One run.
class LastingWorld {
 public:
  LastingWorld(Disk& disk, hub::ShardIndex shards, const World::Setup& setup) : disk_(disk), world(shards, setup) {
    const uint64_t first = (disk.unix_ms += 1'000) * 1'000;
    ++disk.runs;
    tick();
    for (uint32_t i = 0; i < shards; ++i) {
      logs_.push_back(std::make_unique<DiskLog>(disk));
      registries_.push_back(std::make_unique<DiskRegistry>(disk, i));
      world.shard(i).hub.home().set_durable(logs_[i].get());
      world.shard(i).hub.home().set_first_order(first);
      world.shard(i).hub.track_orders(first);
      world.shard(i).sio.set_registry(*registries_[i], disk.runs);
    }
    for (const auto& [name, channel] : disk.channels) restore(name, channel);
    for (const auto& [key, record] : disk.records) {
      if (record.first < shards) world.shard(record.first).sio.comebacks->remember(key, record.second);
    }
    for (uint32_t i = 0; i < shards; ++i) world.shard(i).sio.comebacks->start();
  }
  ~LastingWorld() {
    for (uint32_t i = 0; i < world.size(); ++i) {
      world.shard(i).sio.registry = nullptr;
      world.shard(i).hub.home().set_durable(nullptr);
    }
  }

  /// Until all that waits is on disk and told.
  void settle() {
    for (bool any = true; any;) {
      world.pump();
      any = false;
      for (uint32_t i = 0; i < world.size(); ++i) {
        any |= logs_[i]->settle(world.shard(i).hub.home());
        any |= registries_[i]->settle(world.shard(i).sio);
      }
    }
    world.pump();
  }
  void publish(std::string_view channel, std::string_view data) {
    tick();
    world.publish(channel, "m", data);
    settle();
  }
  /// The same on the home of the channel, while nothing moves between the shards.
  void publish_at_home(std::string_view channel, std::string_view data) {
    tick();
    const hub::ShardIndex home = hub::home_of(0, channel, world.size());
    hub::HomeHub& hub = world.shard(home).hub.home();
    hub.publish(hub::Publication::make({.channel = channel, .event = "m", .data = data}), {});
    logs_[home]->settle(hub);
  }
  size_t remembered() {
    size_t count = 0;
    for (uint32_t i = 0; i < world.size(); ++i) count += world.shard(i).sio.comebacks->remembered();
    return count;
  }

 private:
  void tick() {
    ++disk_.unix_ms;
    for (uint32_t i = 0; i < world.size(); ++i) world.shard(i).hub.set_now(world.now_ms(), disk_.unix_ms);
  }
  void restore(const std::string& name, const Disk::Channel& stored) {
    hub::HomeHub& home = world.shard(hub::home_of(0, name, world.size())).hub.home();
    const uint64_t last = stored.events.empty() ? 0 : stored.events.back().offset;
    hub::HomeChannel* channel = home.restore(0, name, {stored.epoch, last}, 0);
    for (const Disk::Event& event : stored.events) {
      const hub::PublicationPtr publication =
          hub::Publication::make({.channel = name, .event = event.event, .data = event.data});
      publication.order_as(event.order);
      home.restore_event(*channel, publication, event.offset, disk_.unix_ms);
    }
  }

  Disk& disk_;
  std::vector<std::unique_ptr<DiskLog>> logs_;
  std::vector<std::unique_ptr<DiskRegistry>> registries_;

 public:
  World world;
};

}  // namespace kilat::socketio::testing
