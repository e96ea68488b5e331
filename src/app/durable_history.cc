#include "app/durable_history.h"

#include <algorithm>

#include "app/shard.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "hub/channel_set.h"

namespace kilat::app {

class DurableHistory::Desk final : public hub::DurableLog {
 public:
  Desk(Shard& shard, std::unique_ptr<store::EventLog>& log) : shard_(shard), log_(log) {}

  bool begin(hub::AppIndex app, std::string_view channel, uint32_t epoch) override {
    return log_->begin_channel({id_of(app), channel}, epoch_text(epoch));
  }
  bool append(const hub::Publication& event, uint64_t offset, uint64_t unix_ms, uint64_t tag) override {
    return log_->append({.app = id_of(event.app()),
                         .channel = std::string(event.channel()),
                         .offset = offset,
                         .unix_ms = unix_ms,
                         .event = std::string(event.event()),
                         .data = std::string(event.data()),
                         .user_id = std::string(event.user_id()),
                         .packet = std::string(event.packet()),
                         .key = std::string(event.key()),
                         .from_client = event.from_client(),
                         .order = event.order()},
                        {.told = &Desk::told, .context = this, .tag = tag});
  }
  void end(hub::AppIndex app, std::string_view channel) override { log_->end_channel({id_of(app), channel}); }
  void trim(hub::AppIndex app, std::string_view channel, uint64_t up_to) override {
    log_->trim({id_of(app), channel}, up_to);
  }

  /// The writer's thread, after each group: the shard is woken once for all.
  void deliver() {
    {
      const std::lock_guard lock(mutex_);
      if (answers_.empty() || std::exchange(posted_, true)) return;
    }
    const memory::MustSucceed telling;
    shard_.post([this] { take(); });
  }

 private:
  static void told(void* context, uint64_t tag, store::Fate fate) {
    const memory::MustSucceed telling;
    Desk& desk = *static_cast<Desk*>(context);
    const std::lock_guard lock(desk.mutex_);
    desk.answers_.emplace_back(tag, fate == store::Fate::kCommitted);
  }

  void take() {
    {
      const std::lock_guard lock(mutex_);
      taken_.swap(answers_);
      posted_ = false;
    }
    for (const auto& [tag, committed] : taken_) shard_.home().on_committed(tag, committed);
    taken_.clear();
  }

  const std::string& id_of(hub::AppIndex app) { return shard_.apps()[app].settings.id; }

  Shard& shard_;
  std::unique_ptr<store::EventLog>& log_;
  std::mutex mutex_;  ///< of the next two
  std::vector<std::pair<uint64_t, bool>> answers_;
  bool posted_ = false;
  std::vector<std::pair<uint64_t, bool>> taken_;
};

class DurableHistory::Restorer final : public store::HistoryVisitor {
 public:
  explicit Restorer(DurableHistory& history) : history_(history) {}

  bool on_channel(store::StoredChannel stored) override {
    const hub::AppTable& apps = history_.shards_.front()->apps();
    const hub::App* app = apps.by_id(stored.app);
    channel_ = nullptr;
    if (app != nullptr) {
      app_ = app->index;
      const auto shards = static_cast<hub::ShardIndex>(history_.shards_.size());
      home_ = &history_.shards_[hub::home_of(app_, stored.channel, shards)]->home();
      channel_ =
          home_->restore(app_, stored.channel, {parse_epoch(stored.epoch), stored.last_offset}, stored.trimmed_order);
      newest_order_ = std::max(newest_order_, stored.trimmed_order);
    }
    ++(channel_ != nullptr ? restored_ : unwanted_);
    return channel_ != nullptr;
  }

  void on_record(store::EventRecord record) override {
    const hub::PublicationPtr event = hub::Publication::make({.from_client = record.from_client,
                                                              .app = app_,
                                                              .channel = record.channel,
                                                              .event = record.event,
                                                              .data = record.data,
                                                              .user_id = record.user_id,
                                                              .packet = record.packet,
                                                              .key = record.key});
    event.order_as(record.order);
    newest_order_ = std::max(newest_order_, record.order);
    home_->restore_event(*channel_, event, record.offset, record.unix_ms);
  }

  uint64_t restored() const { return restored_; }
  uint64_t unwanted() const { return unwanted_; }
  uint64_t newest_order() const { return newest_order_; }

 private:
  DurableHistory& history_;
  hub::AppIndex app_ = 0;
  hub::HomeHub* home_ = nullptr;
  hub::HomeChannel* channel_ = nullptr;
  uint64_t newest_order_ = 0;
  uint64_t restored_ = 0;  ///< channels
  uint64_t unwanted_ = 0;  ///< whose app or rule is not there (any more)
};

DurableHistory::DurableHistory(std::span<const std::unique_ptr<Shard>> shards) : shards_(shards) {
  for (const auto& shard : shards) {
    desks_.push_back(std::make_unique<Desk>(*shard, log_));
    shard->home().set_durable(desks_.back().get());
  }
}

DurableHistory::~DurableHistory() {
  stop();
}

Result<std::unique_ptr<DurableHistory>> DurableHistory::open(const std::filesystem::path& file,
                                                             std::span<const std::unique_ptr<Shard>> shards) {
  std::unique_ptr<DurableHistory> history(new DurableHistory(shards));
  auto log = store::EventLog::open({.file = file, .on_answered = [&history = *history] { history.deliver(); }});
  if (!log) return fail(Reason::kDurableFileInvalid, file.string() + ": " + log.error().why);
  history->log_ = std::move(*log);
  return history;
}

Result<void> DurableHistory::restore() {
  Restorer restorer(*this);
  if (auto loaded = log_->load(restorer); !loaded) return fail(Reason::kDurableFileInvalid, loaded.error().why);
  // The clock goes on where nothing is left to see what was given before; the rest holds although it was set back.
  first_order_ = std::max(restorer.newest_order() + 1, unix_ms() * 1'000);
  for (const auto& shard : shards_) shard->home().set_first_order(first_order_);
  // What no rule wants stays where it is: a rule that was taken out by mistake may come back.
  log::event(log::Level::kInfo, "history_restored",
             {{"channels", restorer.restored()}, {"without_rule", restorer.unwanted()}});
  return {};
}

void DurableHistory::deliver() {
  for (const auto& desk : desks_) desk->deliver();
}

void DurableHistory::stop() {
  if (log_) log_->stop();
}

}  // namespace kilat::app
