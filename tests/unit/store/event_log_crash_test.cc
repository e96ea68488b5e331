// A process with an event log is killed at random moments under load: what it has acknowledged must be there
// afterwards.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "unit/store/event_log_scene.h"

namespace kilat::store {
namespace {

constexpr size_t kChannels = 5;
constexpr uint64_t kKept = 300;  // what the child trims to

struct Ack {
  uint64_t channel;
  uint64_t offset;
};

std::string name_of(uint64_t channel) {
  return "channel-" + std::to_string(channel);
}

// Different lengths, some over many pages, and each tells its place.
std::string data_of(const std::string& epoch, uint64_t channel, uint64_t offset) {
  return epoch + ":" + std::to_string(channel) + ":" + std::to_string(offset) + std::string(offset * 37 % 900, '.') +
         std::string(offset % 97 == 0 ? 20'000 : 0, '.');
}

// One life of a server: takes up the channels where the file has them and publishes until it is killed.
class Child {
 public:
  Child(EventLog::Options options, int pipe, uint64_t round, uint32_t seed) : pipe_(pipe), random_(seed) {
    log_ = good(EventLog::open(std::move(options)));
    Contents all;
    good(log_->load(all));
    for (size_t i = 0; i < kChannels; ++i) {
      const auto at = all.channels.find("shop/" + name_of(i));
      if (at != all.channels.end()) channels_[i] = {at->second.epoch, at->second.last_offset + 1};
      if (at == all.channels.end() || i == round % kChannels) {
        channels_[i] = {"epoch-" + std::to_string(round), 1};
        log_->begin_channel({"shop", name_of(i)}, channels_[i].epoch);
      }
    }
  }

  [[noreturn]] void run() {
    for (;;) {
      const size_t burst = 1 + random_() % 40;
      for (size_t i = 0; i < burst; ++i) append(random_() % kChannels);
      if (random_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random_() % 2'000));
    }
  }

 private:
  struct Channel {
    std::string epoch;
    uint64_t next = 1;
  };

  void append(size_t channel) {
    EventRecord record;
    record.app = "shop";
    record.channel = name_of(channel);
    record.offset = channels_[channel].next;
    record.data = data_of(channels_[channel].epoch, channel, record.offset);
    const uint64_t tag = record.offset * kChannels + channel;
    while (!log_->append(record, {told, this, tag})) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++channels_[channel].next;
  }

  static void told(void* self, uint64_t tag, Fate fate) {
    auto& child = *static_cast<Child*>(self);
    const Ack ack{tag % kChannels, tag / kChannels};
    if (fate != Fate::kCommitted) ::_exit(4);
    if (::write(child.pipe_, &ack, sizeof(ack)) != sizeof(ack)) ::_exit(5);
    if (ack.offset > kKept) child.log_->trim({"shop", name_of(ack.channel)}, ack.offset - kKept);
  }

  int pipe_;
  std::mt19937 random_;
  std::unique_ptr<EventLog> log_;
  std::array<Channel, kChannels> channels_;
};

class EventLogCrash : public EventLogScene {
 protected:
  // Runs a child and kills it; returns the highest offset it has acknowledged for each channel.
  std::array<uint64_t, kChannels> one_life(uint64_t round, std::mt19937& random) {
    std::array<uint64_t, kChannels> acked{};
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    auto settings = options();
    settings.trim_ms = 5;
    settings.queue_bytes_max = 4 * 1024 * 1024;
    const auto seed = static_cast<uint32_t>(random());
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      Child(settings, ends[1], round, seed).run();
    }
    ::close(ends[1]);
    // The first acknowledgement tells that it is at work.
    const auto lifetime = std::chrono::microseconds(random() % 60'000);
    std::jthread killer;
    Ack ack{};
    while (::read(ends[0], &ack, sizeof(ack)) == sizeof(ack)) {
      EXPECT_EQ(ack.offset, acked[ack.channel] == 0 ? ack.offset : acked[ack.channel] + 1);
      acked[ack.channel] = ack.offset;
      if (!killer.joinable()) {
        killer = std::jthread([child, lifetime] {
          std::this_thread::sleep_for(lifetime);
          ::kill(child, SIGKILL);
        });
      }
    }
    ::close(ends[0]);
    if (killer.joinable()) killer.join();
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << status;
    return acked;
  }
};

TEST_F(EventLogCrash, KilledAtRandomMoments_NothingAcknowledgedIsMissing_AndNothingIsTwice) {
  constexpr uint64_t kLives = 40;
  std::mt19937 random(20'260'707);
  uint64_t total = 0;
  for (uint64_t round = 1; round <= kLives && !HasFailure(); ++round) {
    SCOPED_TRACE("life " + std::to_string(round));
    const auto acked = one_life(round, random);
    const Contents all = reopened();
    for (size_t i = 0; i < kChannels; ++i) {
      if (acked[i] == 0) continue;
      ++total;
      const auto at = all.channels.find("shop/" + name_of(i));
      ASSERT_NE(at, all.channels.end());
      const Contents::Channel& channel = at->second;
      EXPECT_EQ(channel.epoch, i == round % kChannels ? "epoch-" + std::to_string(round) : channel.epoch);
      ASSERT_FALSE(channel.records.empty());
      const uint64_t first = channel.records.front().offset;
      EXPECT_GE(channel.last_offset, acked[i]);
      EXPECT_LE(first, acked[i] > kKept ? acked[i] - kKept + 1 : 1);
      EXPECT_EQ(channel.offsets(), offsets(first, channel.last_offset));
      for (const EventRecord& record : channel.records) {
        ASSERT_EQ(record.data, data_of(channel.epoch, i, record.offset)) << record.offset;
      }
    }
  }
  EXPECT_GE(total, kLives);
}

}  // namespace
}  // namespace kilat::store
