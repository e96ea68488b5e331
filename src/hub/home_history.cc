// What a home keeps of the events of its channels (history.h).
#include <algorithm>

#include "hub/durable_log.h"
#include "hub/home_flow.h"
#include "hub/home_hub.h"

namespace kilat::hub {
namespace {

/// What an empty history counts, with the channel that it keeps alive.
constexpr uint64_t kKeptOverheadBytes = 1024;

}  // namespace

void HomeHub::apps_changed() {
  history_rules_.resize(apps_.size());
  flows_.resize(apps_.size());
  for (size_t index = 0; index < apps_.size(); ++index) {
    history_rules_[index] = HistoryRules(apps_[static_cast<AppIndex>(index)].settings.history);
  }
  ++rules_version_;
  for (size_t index = 0; index < apps_.size(); ++index) set_flow(static_cast<AppIndex>(index));
}

uint64_t HomeHub::kept_cost(const HomeChannel& channel) {
  return channel.kept ? kKeptOverheadBytes + 2 * channel.name.size() + channel.kept->history.bytes() : 0;
}

// The history of the channel, made now if its rule wants one and it has none; null when it keeps none.
KeptHistory* HomeHub::history_of(HomeChannel& channel) {
  if (channel.rules_seen == rules_version_) return channel.kept.get();
  const HistoryLimits* limits = channel.kind.user() ? nullptr : history_rules_[channel.app].find(channel.name);
  if (channel.kept && channel.kept->in_flight > 0) return channel.kept.get();  // they are to end as they began
  if (limits == nullptr) {
    drop_history(channel);
  } else if (channel.kept) {
    change_limits(channel, *limits);
  } else {
    const auto epoch = static_cast<uint32_t>(random_.below(UINT32_MAX) + 1);
    channel.kept = std::make_unique<KeptHistory>(&HomeHub::on_history_due, *this, channel, epoch);
    channel.kept->limits = *limits;
    try {
      channel.kept->place = histories_.insert(histories_.begin(), &channel);
    } catch (...) {
      channel.kept.reset();
      throw;
    }
    history_bytes_ += kept_cost(channel);
    channel.kept->quiet_ms = now_ms_;
    watch_history(channel);
  }
  channel.rules_seen = rules_version_;
  return channel.kept.get();
}

void HomeHub::change_limits(HomeChannel& channel, const HistoryLimits& limits) {
  KeptHistory& kept = *channel.kept;
  if (kept.begun && !limits.durable) {
    if (durable_ != nullptr) durable_->end(channel.app, channel.name);
    kept.begun = false;
  }
  // What becomes durable goes on from here: the log takes any first offset.
  kept.promised = kept.history.position().offset;
  kept.limits = limits;
}

// The channel of an event that is to be kept; otherwise what `channel` is.
HomeChannel* HomeHub::open_for_history(HomeChannel* channel, const Publication& publication) {
  if (channel != nullptr) return channel;
  const HistoryRules& rules = history_rules_[publication.app()];
  if (rules.empty() || rules.find(publication.channel()) == nullptr) return nullptr;
  return &open(publication.app(), publication.channel());
}

Care HomeHub::care_of(AppIndex app, std::string_view channel) const {
  const ChannelKind kind = kind_of(channel);
  const HistoryLimits* limits = kind.user() ? nullptr : history_rules_[app].find(channel);
  if (limits != nullptr) return limits->durable ? Care::kKeepsOnDisk : Care::kKeeps;
  if (kind.cache) return Care::kKeepsLast;
  const AppFlow* flow = flows_[app].get();
  return flow != nullptr && flow->engine.concerns(channel, bare_name(channel)) ? Care::kFolds : Care::kNone;
}

// Those to which nothing was ever published stand before all others.
void HomeHub::rank(const HomeChannel& channel) {
  const bool written = channel.kept->history.position().offset != 0;
  histories_.splice(written ? histories_.end() : histories_.begin(), histories_, channel.kept->place);
}

void HomeHub::keep(HomeChannel& channel, const PublicationPtr& publication) {
  KeptHistory& kept = *channel.kept;
  const uint64_t before = kept_cost(channel);
  kept.history.push(publication, now_ms_, unix_ms_, kept.limits);
  kept.quiet_ms = now_ms_;
  rank(channel);
  history_bytes_ = history_bytes_ - before + kept_cost(channel);
  if (!kept.expiry.armed()) watch_history(channel);
  if (kept.limits.durable) trim(channel);
  if (history_bytes_ > limits_.history_bytes_max) let_go_of_histories(channel);
}

// What has left the memory goes from the disk as well, a few at a time.
void HomeHub::trim(HomeChannel& channel) {
  constexpr uint64_t kTrimAtOnce = 64;
  KeptHistory& kept = *channel.kept;
  const uint64_t gone = kept.history.gone();
  if (durable_ == nullptr || gone < kept.trimmed + (kept.history.empty() ? 1 : kTrimAtOnce)) return;
  durable_->trim(channel.app, channel.name, gone);
  kept.trimmed = gone;
}

HomeChannel* HomeHub::restore(AppIndex app, std::string_view name, Position position, uint64_t gone_order) {
  const HistoryLimits* limits = history_rules_[app].find(name);
  if (limits == nullptr || !limits->durable || position.epoch == 0) return nullptr;
  HomeChannel& channel = open(app, name);
  KeptHistory& kept = *history_of(channel);
  kept.history = History(position.epoch);
  kept.history.skip_to(position.offset, gone_order);
  kept.promised = position.offset;
  kept.begun = true;
  rank(channel);
  return &channel;
}

void HomeHub::restore_event(HomeChannel& channel, const PublicationPtr& publication, uint64_t offset,
                            uint64_t unix_ms) {
  KeptHistory& kept = *channel.kept;
  const uint64_t before = kept_cost(channel);
  const uint64_t old_ms = unix_ms_ > unix_ms ? unix_ms_ - unix_ms : 0;
  const uint64_t at_ms = now_ms_ > old_ms ? now_ms_ - old_ms : 0;
  kept.history.restore(publication, offset, at_ms, unix_ms, kept.limits);
  history_bytes_ = history_bytes_ - before + kept_cost(channel);
  watch_history(channel);
  if (old_ms < uint64_t{apps_[channel.app].settings.idempotency_s} * 1000) {
    repeats_.note(*publication, repeat_until_ms(*publication));
    repeats_.answered(*publication, {.position = {kept.history.position().epoch, offset}});
  }
  if (history_bytes_ > limits_.history_bytes_max) let_go_of_histories(channel);
}

bool HomeHub::answers(const HomeChannel& channel, const HistoryAsk& ask) const {
  if (!ask.if_durable) return true;
  const HistoryLimits* limits = channel.kind.user() ? nullptr : history_rules_[channel.app].find(channel.name);
  return limits != nullptr && limits->durable;
}

// Asking makes a history, which is to push out nothing that was published: at most others that were only asked for.
bool HomeHub::room_for_asked() {
  constexpr int kLooksMax = 64;
  int looks = 0;
  for (auto at = histories_.begin(); at != histories_.end() && history_bytes_ > limits_.history_bytes_max;) {
    HomeChannel& asked = **at++;
    if (++looks > kLooksMax || asked.kept->history.position().offset != 0) break;
    if (asked.subscribers > 0 || asked.kept->in_flight > 0) continue;
    drop_history(asked);
    close_if_unused(asked);
  }
  return history_bytes_ <= limits_.history_bytes_max;
}

HistoryAnswer HomeHub::past_of(HomeChannel& channel, const HistoryAsk& ask) {
  KeptHistory* kept = channel.kept || room_for_asked() ? history_of(channel) : nullptr;
  HistoryAnswer answer{.position = {},
                       .asked = ask.recover,
                       .refused = ask.recover ? Reason::kHistoryOff : Reason::kNone,
                       .missed = {},
                       .durable = false};
  if (kept != nullptr) {
    answer = kept->history.answer(ask, now_ms_, limits_.answer_bytes_max);
    // What the reader is told now must still hold after a restart, also when nothing was ever published.
    answer.durable = kept->limits.durable && begin_log(channel);
  }
  HomeTally& tally = tallies_[channel.app];
  if (ask.recover) ++(answer.refused == Reason::kNone ? tally.recovered : tally.not_recovered);
  return answer;
}

// Makes the channel and its epoch known to the log. False: it takes nothing now.
bool HomeHub::begin_log(HomeChannel& channel) {
  KeptHistory& kept = *channel.kept;
  if (durable_ == nullptr || kept.failed) return false;
  if (!kept.begun) kept.begun = durable_->begin(channel.app, channel.name, kept.history.position().epoch);
  return kept.begun;
}

void HomeHub::drop_history(HomeChannel& channel) {
  if (!channel.kept) return;
  if (channel.kept->begun && durable_ != nullptr) durable_->end(channel.app, channel.name);
  history_bytes_ -= kept_cost(channel);
  histories_.erase(channel.kept->place);
  channel.kept.reset();
  channel.rules_seen = 0;
}

// Sees to it that the oldest event goes in time, and the history itself when for as long nobody has read or written.
void HomeHub::watch_history(HomeChannel& channel) {
  KeptHistory& kept = *channel.kept;
  const uint64_t since_ms = kept.history.empty() ? kept.quiet_ms : kept.history.oldest_ms();
  wheel_.schedule(kept.expiry, since_ms + kept.limits.age_ms);
}

void HomeHub::on_history_due(Timer& timer) {
  auto& due = static_cast<ChannelTimer&>(timer);
  HomeHub& hub = due.hub;
  HomeChannel& channel = due.channel;
  KeptHistory& kept = *channel.kept;
  const uint64_t before = kept_cost(channel);
  kept.history.expire(hub.now_ms_, kept.limits);
  hub.history_bytes_ = hub.history_bytes_ - before + kept_cost(channel);
  // A reader who was just cut off may come back, so the position outlives the events.
  if (kept.limits.durable) hub.trim(channel);
  const bool unread = channel.subscribers == 0 && kept.in_flight == 0;
  if (unread && kept.history.empty() && kept.quiet_ms + kept.limits.age_ms <= hub.now_ms_) {
    hub.drop_history(channel);
    hub.close_if_unused(channel);
  } else if (unread || !kept.history.empty()) {
    hub.watch_history(channel);
  }
}

// The histories whose last event is the oldest go first. One that is read, or durable and not without any event, keeps
// its position, so that its readers stay where they are.
void HomeHub::let_go_of_histories(const HomeChannel& newest) {
  for (size_t left = histories_.size(); left > 0 && history_bytes_ > limits_.history_bytes_max; --left) {
    HomeChannel& oldest = *histories_.front();
    if (&oldest == &newest) return;
    if (oldest.subscribers == 0 && oldest.kept->in_flight == 0 &&
        (!oldest.kept->begun || oldest.kept->history.position().offset == 0)) {
      drop_history(oldest);
      close_if_unused(oldest);
      continue;
    }
    const uint64_t before = kept_cost(oldest);
    oldest.kept->history.clear();
    history_bytes_ = history_bytes_ - before + kept_cost(oldest);
    histories_.splice(histories_.end(), histories_, oldest.kept->place);
  }
}

}  // namespace kilat::hub
