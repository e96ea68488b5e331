// What the durable history of channels takes, with so many records unanswered at once. The file lies in TMPDIR: on a
// disk this measures the disk's syncs, on a tmpfs what the log itself takes.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/event_log.h"

namespace kilat::bench {
namespace {

class Publishers {
 public:
  explicit Publishers(size_t outstanding_max) : outstanding_max_(outstanding_max) { sent_us_.reserve(1'000'000); }

  void publish(store::EventLog& log, store::EventRecord record) {
    std::unique_lock lock(mutex_);
    // Woken when half of them are answered, so that waking is not what is measured.
    if (sent_us_.size() - took_us_.size() >= outstanding_max_) {
      answered_.wait(lock, [&] { return sent_us_.size() - took_us_.size() <= outstanding_max_ / 2; });
    }
    sent_us_.push_back(monotonic_us());
    lock.unlock();
    const uint64_t tag = sent_us_.size() - 1;
    if (!log.append(std::move(record), {told, this, tag})) told(this, tag, store::Fate::kNotCommitted);
  }

  /// When all are answered: the time that 99 of 100 did not exceed.
  double p99_us() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return sent_us_.size() == took_us_.size(); });
    if (took_us_.empty()) return 0;
    const auto at = took_us_.begin() + static_cast<std::ptrdiff_t>(took_us_.size() * 99 / 100);
    std::nth_element(took_us_.begin(), at, took_us_.end());
    return static_cast<double>(*at);
  }

 private:
  static void told(void* self, uint64_t tag, store::Fate) {
    auto& publishers = *static_cast<Publishers*>(self);
    const std::lock_guard lock(publishers.mutex_);
    publishers.took_us_.push_back(monotonic_us() - publishers.sent_us_[tag]);
    publishers.answered_.notify_one();
  }

  size_t outstanding_max_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::vector<uint64_t> sent_us_;
  std::vector<uint64_t> took_us_;
};

// 200 bytes of data on eight channels in turn, with the trims of a history of 1,000 events.
void event_log_append(benchmark::State& state) {
  constexpr size_t kChannels = 8;
  constexpr uint64_t kKept = 1'000;
  std::string folder = (std::filesystem::temp_directory_path() / "kilat-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no folder");
  store::EventLog::Options options;
  options.file = folder + "/events.db";
  auto log = store::EventLog::open(options);
  if (!log) return state.SkipWithError(log.error().why.c_str());
  std::array<std::string, kChannels> names;
  for (size_t i = 0; i < kChannels; ++i) {
    names[i] = "sensor-" + std::to_string(i);
    (*log)->begin_channel({"shop", names[i]}, "epoch");
  }
  Publishers publishers(static_cast<size_t>(state.range(0)));
  uint64_t count = 0;
  for (auto _ : state) {
    const uint64_t offset = count / kChannels + 1;
    const std::string& name = names[count % kChannels];
    publishers.publish(**log, {.app = "shop",
                               .channel = name,
                               .offset = offset,
                               .unix_ms = 1'700'000'000'000 + count,
                               .event = "reading",
                               .data = std::string(200, 'x'),
                               .user_id = {},
                               .packet = {},
                               .key = {}});
    if (offset > kKept) (*log)->trim({"shop", name}, offset - kKept);
    ++count;
  }
  state.counters["p99_us"] = publishers.p99_us();
  const store::EventLog::Figures figures = (*log)->figures();
  state.counters["records_a_commit"] = static_cast<double>(count) / static_cast<double>(figures.commits);
  state.counters["failed"] = static_cast<double>(figures.not_committed);
  state.SetItemsProcessed(static_cast<int64_t>(count));
  log->reset();
  std::filesystem::remove_all(folder);
}
BENCHMARK(event_log_append)->Arg(8)->Arg(128)->Arg(1'024)->Arg(16'384)->UseRealTime();

}  // namespace
}  // namespace kilat::bench
