// History: the last events of one channel and the position of each, so that who was away gets exactly what it missed.
// A position is (epoch, offset): offsets count the channel's events from 1 without a gap, and the epoch changes exactly
// when continuity is lost, so that two positions with one epoch tell what lies between them.
// Owner: the channel's home shard. Bounds: HistoryLimits of the channel's rule, and the shard's budget (HomeHub).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/history_ask.h"
#include "base/reason.h"
#include "hub/history_rules.h"
#include "hub/publication.h"

namespace kilat::hub {

/// What a joiner gets of it.
struct HistoryAnswer {
  Position position;               ///< where the reader is after `missed`
  bool asked = false;              ///< to recover
  Reason refused = Reason::kNone;  ///< why it can't be recovered
  std::vector<PublicationPtr> missed;
  uint64_t bytes = 0;    ///< of `missed`, about, as frames
  bool durable = false;  ///< the position holds over a restart

  /// Id of `refused`; "" when it is none.
  std::string_view why() const { return refused == Reason::kNone ? std::string_view() : reason_row(refused).id; }
};

/// A stretch of a history, for the HTTP API.
struct HistoryRange {
  uint64_t after = 0;                ///< offsets above it
  uint64_t before = UINT64_MAX;      ///< offsets below it
  uint64_t from_unix_ms = 0;         ///< taken at that time or later
  uint64_t to_unix_ms = UINT64_MAX;  ///< taken before it
  uint32_t limit = 100;
  bool backwards = false;    ///< the newest first
  bool epoch_asked = false;  ///< the offsets are of `epoch`
  uint32_t epoch = 0;
};

struct PastEvent {
  PublicationPtr publication;
  uint64_t unix_ms = 0;
};

struct HistoryPage {
  Position position;    ///< of the newest event of the channel
  uint64_t oldest = 0;  ///< offset of the oldest event that is kept; 0: none is
  bool more = false;    ///< the range holds more than `events`
  std::vector<PastEvent> events;
};

class History {
 public:
  /// What an event counts against budgets, besides its texts.
  static constexpr uint64_t kEventOverheadBytes = 256;
  static uint64_t cost(const Publication& publication);

  /// `epoch`: never 0.
  explicit History(uint32_t epoch) : epoch_(epoch) {}

  Position position() const { return {epoch_, last_}; }
  uint64_t bytes() const { return bytes_; }
  size_t size() const { return events_.size(); }
  bool empty() const { return events_.empty(); }
  /// Events up to and with this offset are not here any more.
  uint64_t gone() const { return events_.empty() ? last_ : events_.front().offset() - 1; }
  /// Of the oldest event; there is one.
  uint64_t oldest_ms() const { return events_.front().at_ms; }

  /// Takes the next event, which gets the next offset, and lets go of the oldest as the limits say. std::bad_alloc:
  /// nothing has changed.
  void push(const PublicationPtr& publication, uint64_t now_ms, uint64_t unix_ms, const HistoryLimits& limits);
  /// Takes back what was stored before a restart, the oldest first; the offsets are below or at the last one, which
  /// skip_to() has said.
  void restore(const PublicationPtr& publication, uint64_t offset, uint64_t at_ms, uint64_t unix_ms,
               const HistoryLimits& limits);
  /// Goes on after this offset although its events are gone; `gone_order`: of the last of those that restore() will not
  /// bring back, 0 when it is not known.
  void skip_to(uint64_t offset, uint64_t gone_order) {
    last_ = offset;
    gone_order_ = known_order(gone_order);
  }
  /// Lets go of what is older than the limits allow.
  void expire(uint64_t now_ms, const HistoryLimits& limits);
  /// Lets go of all events. The position stays.
  void clear();

  /// What a joiner gets; `bytes_max`: more than that in one answer is refused.
  HistoryAnswer answer(const HistoryAsk& ask, uint64_t now_ms, uint64_t bytes_max) const;
  /// The events of a range; at most `bytes_max` of them, but one at least.
  HistoryPage page(const HistoryRange& range, uint64_t bytes_max) const;

 private:
  struct Entry {
    PublicationPtr publication;
    uint64_t at_ms;
    uint64_t unix_ms;
    uint64_t offset() const { return publication->number(); }
  };
  void drop_oldest();
  void shrink(const HistoryLimits& limits);
  /// The index of the first event with an offset above `offset`.
  size_t index_after(uint64_t offset) const;
  /// The offset up to which all events have an order of at most `order`; 0 when that can't be said.
  uint64_t offset_at(uint64_t order) const;
  /// One without an order was never on disk: it may be newer than any order that somebody has seen.
  static uint64_t known_order(uint64_t order) { return order == 0 ? UINT64_MAX : order; }

  std::deque<Entry> events_;  ///< oldest first; offsets without gaps, unless restored
  uint64_t bytes_ = 0;
  uint64_t last_ = 0;
  uint64_t gone_order_ = 0;  ///< known_order() of the event at gone()
  uint32_t epoch_;
};

}  // namespace kilat::hub
