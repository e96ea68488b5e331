#include "hub/history.h"

#include <algorithm>
#include <utility>

namespace kilat::hub {
namespace {

// About what a reader's frame takes.
uint64_t wire_bytes(const Publication& publication) {
  return 80 + publication.channel().size() + publication.event().size() + publication.data().size();
}

}  // namespace

uint64_t History::cost(const Publication& publication) {
  // The frame that readers share has the texts once more.
  return kEventOverheadBytes + publication.audience_bytes() +
         2 * (publication.channel().size() + publication.event().size() + publication.data().size() +
              publication.packet().size());
}

void History::push(const PublicationPtr& publication, uint64_t now_ms, uint64_t unix_ms, const HistoryLimits& limits) {
  events_.push_back({publication, now_ms, unix_ms});
  publication.place_at(++last_);
  bytes_ += cost(*publication);
  shrink(limits);
  expire(now_ms, limits);
}

void History::restore(const PublicationPtr& publication, uint64_t offset, uint64_t at_ms, uint64_t unix_ms,
                      const HistoryLimits& limits) {
  events_.push_back({publication, at_ms, unix_ms});
  publication.place_at(offset);
  bytes_ += cost(*publication);
  shrink(limits);
}

void History::shrink(const HistoryLimits& limits) {
  while (events_.size() > limits.size || (bytes_ > limits.bytes && events_.size() > 1)) drop_oldest();
}

void History::expire(uint64_t now_ms, const HistoryLimits& limits) {
  while (!events_.empty() && events_.front().at_ms + limits.age_ms <= now_ms) drop_oldest();
}

void History::drop_oldest() {
  bytes_ -= cost(*events_.front().publication);
  gone_order_ = known_order(events_.front().publication->order());
  events_.pop_front();
}

void History::clear() {
  if (!events_.empty()) gone_order_ = known_order(events_.back().publication->order());
  events_ = {};
  bytes_ = 0;
}

size_t History::index_after(uint64_t offset) const {
  const auto found = std::ranges::upper_bound(events_, offset, {}, &Entry::offset);
  return static_cast<size_t>(found - events_.begin());
}

uint64_t History::offset_at(uint64_t order) const {
  for (size_t i = events_.size(); i > 0; --i) {
    if (known_order(events_[i - 1].publication->order()) <= order) return events_[i - 1].offset();
  }
  return gone_order_ <= order ? gone() : 0;
}

HistoryAnswer History::answer(const HistoryAsk& ask, uint64_t now_ms, uint64_t bytes_max) const {
  HistoryAnswer answer{
      .position = position(), .asked = ask.recover, .refused = Reason::kNone, .missed = {}, .durable = false};
  size_t first = events_.size();
  if (ask.recover) {
    if (ask.since.epoch != epoch_ || ask.since.offset > last_) {
      answer.refused = Reason::kHistoryEpoch;
      return answer;
    }
    const uint64_t since = ask.seen == 0 ? ask.since.offset : std::max(ask.since.offset, offset_at(ask.seen));
    first = index_after(since);
    const uint64_t oldest = first < events_.size() ? events_[first].offset() : last_ + 1;
    if (oldest != since + 1) {
      answer.refused = Reason::kHistoryExpired;
      return answer;
    }
  } else if (ask.rewind > 0) {
    first = events_.size() - std::min<uint64_t>(ask.rewind, events_.size());
  } else if (ask.rewind_ms > 0) {
    const uint64_t since_ms = now_ms > ask.rewind_ms ? now_ms - ask.rewind_ms : 0;
    first = static_cast<size_t>(std::ranges::lower_bound(events_, since_ms, {}, &Entry::at_ms) - events_.begin());
  }
  uint64_t bytes = 0;
  for (size_t i = events_.size(); i > first; --i) {
    const uint64_t with_it = bytes + wire_bytes(*events_[i - 1].publication);
    if (with_it <= bytes_max) {
      bytes = with_it;
      continue;
    }
    // Of a rewind the newest part is as good as any; of what was missed all is wanted.
    if (ask.recover) {
      answer.refused = Reason::kHistoryTooLong;
      return answer;
    }
    first = i;
  }
  answer.bytes = bytes;
  answer.missed.reserve(events_.size() - first);
  for (size_t i = first; i < events_.size(); ++i) answer.missed.push_back(events_[i].publication);
  return answer;
}

HistoryPage History::page(const HistoryRange& range, uint64_t bytes_max) const {
  HistoryPage page{
      .position = position(), .oldest = events_.empty() ? 0 : events_.front().offset(), .more = false, .events = {}};
  uint64_t bytes = 0;
  // False: the page is full.
  const auto take = [&](const Entry& entry) {
    if (entry.unix_ms < range.from_unix_ms || entry.unix_ms >= range.to_unix_ms) return true;
    bytes += wire_bytes(*entry.publication);
    page.more = page.events.size() >= range.limit || (bytes > bytes_max && !page.events.empty());
    if (!page.more) page.events.push_back({entry.publication, entry.unix_ms});
    return !page.more;
  };
  size_t first = index_after(range.after);
  size_t last = range.before == 0 ? 0 : index_after(range.before - 1);
  if (range.backwards) {
    while (last > first && take(events_[last - 1])) --last;
  } else {
    while (first < last && take(events_[first])) ++first;
  }
  return page;
}

}  // namespace kilat::hub
