// Where somebody is in the history of a channel, and what they want of it (docs/history.md). Plain values and pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kilat {

struct Position {
  uint32_t epoch = 0;   ///< 0: the channel has no history
  uint64_t offset = 0;  ///< of the last event; 0: before the first

  bool operator==(const Position&) const = default;
};

/// As clients see an epoch: 8 hexadecimal digits.
std::string epoch_text(uint32_t epoch);
/// 0 when it is none of ours.
uint32_t parse_epoch(std::string_view text);

/// What a joiner wants of the history, beside the positions of what comes.
struct HistoryAsk {
  bool recover = false;     ///< what came after `since`
  Position since = {};      ///< epoch 0: one that this server never gave
  uint64_t seen = 0;        ///< recover: what has an order (hub::Publication::order) up to this one is known as well
  uint64_t rewind = 0;      ///< the last so many events
  uint64_t rewind_ms = 0;   ///< the events that are at most so old
  bool if_durable = false;  ///< nothing is answered where the channel is not durable

  /// Whether past events may come, and not only the position.
  bool wants_past() const { return recover || rewind > 0 || rewind_ms > 0; }
};

/// Adds {"epoch":…,"offset":…}, or null where there is no history.
void append_position(std::string& json, Position position);

/// Adds what a joiner is told to an object without its end: "position", and whether it gets what it missed.
/// `asked`: it wanted that; `refused`: id of the reason why not, or "".
void append_history(std::string& json, Position position, bool asked, std::string_view refused);

}  // namespace kilat
