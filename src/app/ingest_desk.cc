#include "app/ingest_desk.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "app/shard.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "hub/history_rules.h"
#include "ingest/body.h"

namespace kilat::app {

/// The jobs of one app.
class IngestDesk::Lane final : private Timer {
 public:
  explicit Lane(IngestDesk& desk) : Timer(&Lane::on_timer), desk_(desk) {}
  ~Lane() { desk_.waiting_.erase(request_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void add(store::IngestJob job) { jobs_.push_back(std::move(job)); }
  bool empty() const { return jobs_.empty(); }
  /// Whether it can go on by itself.
  bool ready() const { return !jobs_.empty() && request_ == 0 && !pausing_; }

  /// Publishes up to a window; returns how many readings.
  size_t step() {
    try {
      return publish_window();
    } catch (const std::bad_alloc&) {
      const memory::MustSucceed failing;
      stop_waiting();
      miss("out of memory");
      return kWindow;
    }
  }

  void on_published(const hub::PublishReply& reply) {
    settle(reply);
    if (--awaited_ > 0) return;
    stop_waiting();
    conclude();
    desk_.pump_later();
  }

 private:
  struct Item {
    hub::PublicationPtr publication;
    bool done = false;
  };

  static void on_timer(Timer& timer) {
    auto& lane = static_cast<Lane&>(timer);
    if (lane.pausing_) {
      lane.pausing_ = false;
    } else {
      lane.stop_waiting();
      lane.miss("not answered within app.ingest_timeout_s");
    }
    lane.desk_.pump_later();
  }

  const store::IngestJob& job() const { return jobs_.front(); }

  size_t publish_window() {
    const hub::App* app = desk_.shard_.apps().by_id(job().app);
    if (app == nullptr || !app->settings.enabled) {
      give_back();
      return 1;
    }
    if (app->settings.ingest.channel.empty()) return end_job();
    if (tries_ == 0) begin_job(*app);
    if (window_.empty()) fill_window(*app);
    if (window_.empty()) return end_job();
    return send_window();
  }

  size_t end_job() {
    const size_t readings = std::min<size_t>(job().readings, kWindow);
    desk_.log_.finished(job());
    next_job();
    return std::max<size_t>(readings, 1);
  }

  void begin_job(const hub::App& app) {
    tries_ = 1;
    tries_max_ = app.settings.ingest.tries;
    try_ends_ms_ = desk_.shard_.now_ms() + uint64_t{app.settings.ingest.timeout_s} * 1'000;
    batch_.emplace(job().data);
    keyed_ = desk_.durable(app.settings);
  }

  // A key for each reading only where keys survive the process: elsewhere the desk knows what was published, and keys
  // of readings would push those of other backends out of the hub's table.
  void fill_window(const hub::App& app) {
    const hub::IngestSettings& settings = app.settings.ingest;
    const std::string name = keyed_ ? desk_.log_.name_of(job().id) + "#" : std::string();
    while (window_.size() < kWindow) {
      const std::optional<store::Reading> reading = batch_->next();
      if (!reading) break;
      const std::string data = ingest::event_data(reading->unix_ms, reading->sensor, reading->data);
      window_.push_back({.publication = hub::Publication::make(
                             {.app = app.index,
                              .channel = settings.channel,
                              .event = settings.event,
                              .data = data,
                              .key = keyed_ ? name + std::to_string(published_++) : std::string()})});
    }
  }

  size_t send_window() {
    const hub::RequestId request = ++desk_.last_request_;
    desk_.waiting_.emplace(request, this);
    request_ = request;
    size_t sent = 0;
    error_ = Reason::kNone;
    // Answers that come while this goes on must not end the window.
    awaited_ = 1;
    for (uint32_t i = 0; i < window_.size(); ++i) {
      if (window_[i].done) continue;
      ++sent;
      if (const auto reply = desk_.shard_.hub().publish(window_[i].publication, request, i)) {
        settle({.refused = reply->refused, .index = i});
      } else {
        ++awaited_;
      }
      // The others would be refused as well, or overtake it.
      if (error_ != Reason::kNone) break;
    }
    if (--awaited_ > 0) {
      desk_.shard_.wheel().schedule(*this, try_ends_ms_);
      return sent;
    }
    stop_waiting();
    conclude();
    return sent;
  }

  void settle(const hub::PublishReply& reply) {
    if (reply.index < window_.size() && reply.refused == Reason::kNone) window_[reply.index].done = true;
    if (reply.refused != Reason::kNone) error_ = reply.refused;
  }

  // All answers of the window are there.
  void conclude() {
    const bool all = std::ranges::all_of(window_, [](const Item& item) { return item.done; });
    if (all) {
      window_.clear();
    } else if (error_ != Reason::kNone) {
      miss(reason_row(error_).text);
    }
  }

  void stop_waiting() {
    desk_.shard_.wheel().cancel(*this);
    desk_.waiting_.erase(request_);
    request_ = 0;
    awaited_ = 0;
  }

  // A try has failed.
  void miss(std::string_view why) {
    if (tries_ >= tries_max_) return give_up(std::string(why), tries_);
    const uint64_t pause_ms = std::min(kPauseMsMax, kPauseMs << std::min<uint32_t>(tries_ - std::min(tries_, 1U), 16));
    ++tries_;
    desk_.retries_.fetch_add(1, std::memory_order_relaxed);
    try_ends_ms_ = desk_.shard_.now_ms() + pause_ms + timeout_ms();
    pausing_ = true;
    desk_.shard_.wheel().schedule(*this, desk_.shard_.now_ms() + pause_ms);
  }

  uint64_t timeout_ms() const {
    const hub::App* app = desk_.shard_.apps().by_id(job().app);
    return app == nullptr ? 0 : uint64_t{app->settings.ingest.timeout_s} * 1'000;
  }

  void give_up(const std::string& why, uint32_t tries) {
    log::event(log::Level::kWarn, "ingest_job_failed",
               {{"app", job().app}, {"job", desk_.log_.name_of(job().id)}, {"tries", tries}, {"why", why}});
    desk_.log_.failed(job(), tries, why);
    next_job();
  }

  // The app is gone, or disabled: its jobs wait until it is there again.
  void give_back() {
    desk_.log_.returned({std::move_iterator(jobs_.begin()), std::move_iterator(jobs_.end())});
    jobs_.clear();
    begin_anew();
  }

  void next_job() {
    jobs_.pop_front();
    begin_anew();
  }

  void begin_anew() {
    window_.clear();
    batch_.reset();
    tries_ = 0;
    published_ = 0;
  }

  IngestDesk& desk_;
  std::deque<store::IngestJob> jobs_;
  // Of the first job.
  std::optional<store::BatchReader> batch_;  ///< what is not in the window yet
  std::vector<Item> window_;
  uint32_t tries_ = 0;  ///< 0: it is not begun
  uint32_t tries_max_ = 1;
  uint32_t published_ = 0;
  uint64_t try_ends_ms_ = 0;
  bool keyed_ = false;
  bool pausing_ = false;
  hub::RequestId request_ = 0;  ///< whose answers are awaited; 0: none
  uint32_t awaited_ = 0;
  Reason error_ = Reason::kNone;
};

IngestDesk::IngestDesk(Shard& shard, store::IngestLog& log, std::atomic<uint64_t>& retries)
    : shard_(shard), log_(log), retries_(retries) {}

IngestDesk::~IngestDesk() = default;

// Whether the readings of the app go to a durable channel. Its rules may be many, so they are only read when they
// change.
bool IngestDesk::durable(const hub::AppSettings& app) {
  Kept& kept = kept_[app.id];
  if (kept.rules != app.history || kept.channel != app.ingest.channel) {
    const hub::HistoryRules rules(app.history);
    const hub::HistoryLimits* limits = rules.find(app.ingest.channel);
    kept = {app.history, app.ingest.channel, limits != nullptr && limits->durable};
  }
  return kept.durable;
}

void IngestDesk::take(std::vector<store::IngestJob> jobs) {
  {
    const memory::MustSucceed taking;
    for (store::IngestJob& job : jobs) {
      std::unique_ptr<Lane>& lane = lanes_[job.app];
      if (!lane) lane = std::make_unique<Lane>(*this);
      lane->add(std::move(job));
    }
  }
  pump();
}

void IngestDesk::pump_later() {
  if (std::exchange(pumping_, true)) return;
  const memory::MustSucceed asking;
  shard_.post([this] {
    pumping_ = false;
    pump();
  });
}

// A window of each app in turn.
void IngestDesk::pump() {
  size_t left = kPerTurn;
  bool ready = true;
  while (ready && left > 0) {
    ready = false;
    for (auto at = lanes_.begin(); at != lanes_.end() && left > 0;) {
      Lane& lane = *at->second;
      if (lane.ready()) left -= std::min(left, lane.step());
      ready |= lane.ready();
      at = lane.empty() ? lanes_.erase(at) : std::next(at);
    }
  }
  if (ready) pump_later();
}

void IngestDesk::on_published(hub::RequestId request, const hub::PublishReply& reply) {
  const memory::MustSucceed telling;
  const auto at = waiting_.find(request);
  if (at != waiting_.end()) at->second->on_published(reply);
}

}  // namespace kilat::app
