#include <algorithm>

#include "base/result.h"
#include "store/event_log_file.h"

namespace kilat::store {
namespace {

EventRecord record_of(const StoredChannel& channel, const Statement& row) {
  EventRecord out;
  out.app = channel.app;
  out.channel = channel.channel;
  out.offset = static_cast<uint64_t>(row.number(0));
  out.unix_ms = static_cast<uint64_t>(row.number(1));
  out.from_client = row.number(2) != 0;
  out.event = row.text(3);
  out.data = row.text(4);
  out.user_id = row.text(5);
  out.packet = row.text(6);
  out.key = row.text(7);
  out.order = static_cast<uint64_t>(row.number(8));
  return out;
}

}  // namespace

Outcome<void> EventLogFile::load(HistoryVisitor& visitor) {
  TRY(Statement channels,
      file_->prepare("SELECT id, app, name, epoch, trimmed, trimmed_order FROM channel ORDER BY app, name"));
  TRY(Statement records,
      file_->prepare("SELECT offset, unix_ms, from_client, name, data, user_id, packet, key, delivery_order "
                     "FROM event WHERE channel = ? ORDER BY offset"));
  for (;;) {
    TRY(const bool more, step(channels));
    if (!more) return {};
    const int64_t id = channels.number(0);
    TRY(const Range rows, range(id));
    const uint64_t last = std::max(static_cast<uint64_t>(channels.number(4)), rows.newest);
    const StoredChannel channel{channels.text(1), channels.text(2), channels.text(3), last,
                                static_cast<uint64_t>(channels.number(5))};
    if (!visitor.on_channel(channel)) continue;
    records.reset();
    records.bind(1, id);
    for (;;) {
      TRY(const bool row, step(records));
      if (!row) break;
      visitor.on_record(record_of(channel, records));
    }
  }
}

}  // namespace kilat::store
