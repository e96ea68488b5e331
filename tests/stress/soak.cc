// The churn soak: connections, channels and members come and go for a long time; what the server holds must not grow.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include "stress/dice.h"
#include "stress/http_client.h"
#include "stress/options.h"
#include "stress/patience.h"
#include "stress/server_process.h"
#include "stress/soak_client.h"
#include "stress/trend.h"
#include "stress/wire.h"

namespace kilat::stress {
namespace {

constexpr uint32_t kControls = 4;
constexpr uint32_t kSteady = 24;
constexpr uint32_t kRooms = 200;
constexpr uint32_t kReplacedPerSecond = 20;  // one in so many
constexpr uint64_t kTickMs = 20;
constexpr uint64_t kSampleMs = 5'000;
// A shorter run shows the heap warm up, not a leak.
constexpr uint32_t kTrendSecondsMin = 300;
constexpr double kGrowthMaxKibPerMinute = 1024;
constexpr size_t kUnansweredMax = 200;

std::string control(uint32_t index) {
  return "control-" + std::to_string(index);
}

ServerChoices soak_choices(const Options& options) {
  ServerChoices choices;
  choices.shards = options.shards;
  choices.members_max = 100'000;
  choices.activity_timeout_s = 20;
  choices.subscription_count = false;
  // The memory of a mailbox is touched for the first time as messages go round it. Small ones are round in seconds; the
  // usual ones would look like a leak for an hour.
  choices.mailbox_slots = 1024;
  return choices;
}

class Soak final : SoakHost {
 public:
  explicit Soak(const Options& options)
      : options_(options), dice_(options.seed), server_(options.binary, configuration(soak_choices(options))) {}

  int run() {
    const size_t descriptors = server_.resources().descriptors;
    publisher_ = std::make_unique<HttpClient>(poller_, server_.port());
    open_steady();
    begin_ms_ = monotonic_ms();
    std::printf("%8s %10s %8s %9s %12s %9s\n", "seconds", "RSS KiB", "fds", "channels", "connections", "churned");
    while (!failed() && monotonic_ms() < begin_ms_ + uint64_t{options_.soak_seconds} * 1000) {
      tick();
      poller_.wait(static_cast<int>(kTickMs / 2));
      bury();
    }
    if (!failed()) check_steady();
    if (!failed()) close_all(descriptors);
    return report();
  }

 private:
  bool failed() const { return !complaints_.empty(); }
  void complain(const std::string& what) override {
    if (complaints_.size() < 20) complaints_.push_back(what);
  }

  void turn() {
    poller_.wait(10);
    bury();
    if (server_.ended()) complain("the server has ended by itself");
  }
  void bury() {
    std::erase_if(churning_, [](const auto& client) { return client->ended(); });
  }

  void open_steady() {
    std::vector<std::string> channels;
    for (uint32_t i = 0; i < kControls; ++i) channels.push_back(control(i));
    for (uint32_t i = 0; i < kSteady; ++i) {
      steady_.push_back(std::make_unique<SoakClient>(poller_, server_.port(), static_cast<SoakHost&>(*this), ++serial_,
                                                     channels, kControls));
    }
    const auto joined = [](const auto& client) { return client->joined(); };
    for (Patience patience(kPatienceMs); !std::ranges::all_of(steady_, joined) && !failed(); turn()) {
      if (patience.over()) return complain("the steady clients do not get in");
    }
  }

  void add_client() {
    std::vector<std::string> channels{"room-" + std::to_string(dice_.below(kRooms)),
                                      "presence-" + std::to_string(dice_.below(kRooms)),
                                      "own-" + std::to_string(++serial_)};
    churning_.push_back(std::make_unique<SoakClient>(poller_, server_.port(), static_cast<SoakHost&>(*this), serial_,
                                                     std::move(channels), 0));
  }

  // So much churn as the time that has passed asks for, however late this comes.
  void tick() {
    const uint64_t now = monotonic_ms();
    if (now < next_tick_ms_) return;
    next_tick_ms_ = now + kTickMs;
    if (publisher_->unanswered() < kUnansweredMax) {
      const auto next = static_cast<uint32_t>(++published_ % kControls);
      publish(control(next), ++numbers_[next]);
      publish("room-" + std::to_string(dice_.below(kRooms)), 1);
    }
    owed_ += static_cast<double>(options_.clients) / kReplacedPerSecond * kTickMs / 1000;
    for (; owed_ >= 1; --owed_) {
      if (churning_.size() < options_.clients) {
        add_client();
        if (churning_.size() < options_.clients) add_client();
      } else {
        SoakClient& client = *churning_[dice_.below(churning_.size())];
        if (client.live()) client.leave(dice_.below(3));
        ++churned_;
      }
    }
    bury();
    if (now >= next_sample_ms_) {
      next_sample_ms_ = now + kSampleMs;
      sample(now);
    }
  }

  void publish(const std::string& channel, uint64_t number) {
    publisher_->request("POST", "/events", {}, event_body(std::span(&channel, 1), std::to_string(number), ""),
                        [this](int status, std::string_view body) {
                          if (status != 200) complain("a publish got " + std::to_string(status) + std::string(body));
                        });
  }

  void sample(uint64_t now) {
    const ServerResources resources = server_.resources();
    const std::optional<std::string> channels = call("/channels");
    const std::optional<std::string> connections = call("/connections");
    if (!channels || !connections) return complain("the API does not answer");
    uint64_t count = 0;
    std::from_chars(connections->data() + connections->find(':') + 1, connections->data() + connections->size(), count);
    const Sample row{.seconds = static_cast<double>(now - begin_ms_) / 1000,
                     .rss_kib = static_cast<double>(resources.rss_kib),
                     .descriptors = static_cast<double>(resources.descriptors),
                     .channels = static_cast<double>(std::ranges::count(*channels, ':') - 1),
                     .connections = static_cast<double>(count)};
    samples_.push_back(row);
    std::printf("%8.0f %10.0f %8.0f %9.0f %12.0f %9llu\n", row.seconds, row.rss_kib, row.descriptors, row.channels,
                row.connections, static_cast<unsigned long long>(churned_));
    std::fflush(stdout);
  }

  std::optional<std::string> call(std::string_view path) {
    std::optional<std::string> out;
    publisher_->request("GET", path, {}, {}, [&out](int status, std::string_view body) {
      if (status == 200) out = std::string(body);
    });
    const size_t behind = publisher_->unanswered();
    for (Patience patience(kPatienceMs); !out && behind > 0 && !patience.over() && !failed();) turn();
    if (!out) publisher_->drop();  // it must not answer into a frame that is gone
    return out;
  }

  void check_steady() {
    const auto complete = [this](const auto& client) {
      for (uint32_t i = 0; i < kControls; ++i) {
        if (client->last(i) != numbers_[i]) return false;
      }
      return true;
    };
    for (Patience patience(kPatienceMs); !std::ranges::all_of(steady_, complete) && !failed(); turn()) {
      if (patience.over()) return complain("steady clients miss the last events of the control channels");
    }
  }

  void close_all(size_t descriptors) {
    for (const auto& client : churning_) client->leave(dice_.below(3));
    for (const auto& client : steady_) client->leave(dice_.below(3));
    Patience patience(kPatienceMs);
    const auto ended = [](const auto& client) { return client->ended(); };
    while (!churning_.empty() || !std::ranges::all_of(steady_, ended)) {
      if (patience.over()) return complain("connections that were closed by their clients do not end");
      turn();
    }
    std::string left;
    do {
      if (patience.over()) return complain("all clients have gone, but the API says " + left.substr(0, 500));
      turn();
      left = call("/connections").value_or("") + call("/channels").value_or("");
    } while (left != R"({"connections":0}{"channels":{}})");
    publisher_->drop();
    while (server_.resources().descriptors > descriptors) {
      if (patience.over()) {
        return complain(std::to_string(server_.resources().descriptors) + " descriptors are left, at the start " +
                        std::to_string(descriptors));
      }
      turn();
    }
    std::printf("all closed: RSS %llu KiB, %zu fds (at the start %zu), no channels, no connections\n",
                static_cast<unsigned long long>(server_.resources().rss_kib), server_.resources().descriptors,
                descriptors);
  }

  void judge_trend() {
    const std::span<const Sample> all(samples_);
    const std::span<const Sample> late = all.subspan(all.size() / 3);
    const double growth = slope_per_minute(late, &Sample::rss_kib);
    std::printf("slopes over the last two thirds: RSS %+.0f KiB/min, fds %+.1f/min, channels %+.1f/min\n", growth,
                slope_per_minute(late, &Sample::descriptors), slope_per_minute(late, &Sample::channels));
    // Twice in a row: memory that is taken once and kept is no leak.
    const double last = slope_per_minute(all.subspan(2 * all.size() / 3), &Sample::rss_kib);
    if (options_.soak_seconds >= kTrendSecondsMin && std::min(growth, last) > kGrowthMaxKibPerMinute) {
      complain("memory grows without end");
    }
  }

  int report() {
    judge_trend();
    server_.terminate();
    if (const std::string end = server_.wait_for_end(); !end.empty()) complain(end);
    if (const std::string found = server_.complaints(); !found.empty()) complain("on the server's stderr:\n" + found);
    std::printf("== soak seed %llu: %u s, %llu connections, %llu control events to %u steady clients\n",
                static_cast<unsigned long long>(options_.seed), options_.soak_seconds,
                static_cast<unsigned long long>(serial_), static_cast<unsigned long long>(published_), kSteady);
    if (!failed()) return 0;
    for (const std::string& complaint : complaints_) std::printf("   %s\n", complaint.c_str());
    std::printf("   the server's last lines:\n%s\n== FAILED\n", server_.last_words().c_str());
    return 1;
  }

  Options options_;
  Dice dice_;
  ServerProcess server_;
  Poller poller_;
  std::vector<std::string> complaints_;
  std::unique_ptr<HttpClient> publisher_;
  std::vector<std::unique_ptr<SoakClient>> steady_;
  std::vector<std::unique_ptr<SoakClient>> churning_;
  std::vector<Sample> samples_;
  std::array<uint64_t, kControls> numbers_{};
  uint32_t serial_ = 0;
  uint64_t published_ = 0;
  uint64_t churned_ = 0;
  uint64_t begin_ms_ = 0;
  uint64_t next_tick_ms_ = 0;
  uint64_t next_sample_ms_ = 0;
  double owed_ = 0;
};

}  // namespace

int run_soak(const Options& options) {
  Options chosen = options;
  if (chosen.clients == 0) chosen.clients = 2'000;
  Soak soak(chosen);
  return soak.run();
}

}  // namespace kilat::stress
