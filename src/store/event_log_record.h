// What goes into the event log and comes out of it: records, channels, and how a writer hears of their fate.
// Owner: plain values; they are moved into the log and out of it. Bounds: those of EventLog::Options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/keyed_hash.h"

namespace kilat::store {

/// One event of a channel's history. All texts may hold any bytes.
struct EventRecord {
  std::string app;
  std::string channel;
  uint64_t offset = 0;   ///< 1 to 2^63 - 1; one more than that of the record before it
  uint64_t unix_ms = 0;  ///< below 2^63
  std::string event;
  std::string data;
  std::string user_id;
  std::string packet;
  std::string key;
  bool from_client = false;
  uint64_t order = 0;  ///< hub::Publication::order(), below 2^63; 0: it was written before there were orders
};

enum class Fate : uint8_t {
  kCommitted,     ///< survives a crash of the process and of the machine
  kNotCommitted,  ///< the file could not be written; nothing of it is kept
  kOutOfOrder,    ///< the channel was not begun, or the record before it is missing; nothing of it is kept
};

/// Who hears of a record's fate: exactly once, on the writer's thread, for the records of a channel in the order of
/// append(). Must be quick, must not throw, and must not call the log's load() or stop(). Without `told` nobody hears.
struct Completion {
  void (*told)(void* context, uint64_t tag, Fate fate) = nullptr;
  void* context = nullptr;
  uint64_t tag = 0;
};

/// A channel as the file has it.
struct StoredChannel {
  std::string app;
  std::string channel;
  std::string epoch;
  uint64_t last_offset = 0;    ///< of the newest record there ever was in this epoch, trimmed or not; 0: none yet
  uint64_t trimmed_order = 0;  ///< order of the newest record that was trimmed; 0: not known, or none was
};

/// What EventLog::load() calls, on the thread of the caller.
class HistoryVisitor {
 public:
  /// False: the records of this channel are not wanted.
  virtual bool on_channel(StoredChannel channel) = 0;
  /// The records of the channel of the last on_channel(), oldest first, without a gap.
  virtual void on_record(EventRecord record) = 0;

 protected:
  ~HistoryVisitor() = default;
};

/// A channel as a key of a table, and a view of one for look-ups without a copy.
struct ChannelView {
  std::string_view app;
  std::string_view channel;
};

struct ChannelKey {
  std::string app;
  std::string channel;
  explicit ChannelKey(ChannelView view) : app(view.app), channel(view.channel) {}
  operator ChannelView() const { return {app, channel}; }
};

struct ChannelHash {
  using is_transparent = void;
  size_t operator()(ChannelView view) const { return keyed_hash(view.channel, keyed_hash(view.app, kHashSeed)); }
};

struct ChannelEqual {
  using is_transparent = void;
  bool operator()(ChannelView a, ChannelView b) const { return a.channel == b.channel && a.app == b.app; }
};

template <typename T>
using ChannelTable = std::unordered_map<ChannelKey, T, ChannelHash, ChannelEqual>;

}  // namespace kilat::store
