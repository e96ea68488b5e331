#include "store/event_log.h"

#include <new>
#include <utility>

#include "base/result.h"
#include "store/writer_thread.h"

namespace kilat::store {
namespace {

size_t text_bytes(const EventRecord& record) {
  return record.app.size() + record.channel.size() + record.event.size() + record.data.size() + record.user_id.size() +
         record.packet.size() + record.key.size();
}

}  // namespace

EventLog::EventLog(Options options, std::unique_ptr<EventLogFile> file)
    : options_(std::move(options)),
      file_(std::move(file)),
      health_(options_.file.string(), "event_log_failing", "event_log_recovered") {}

EventLog::~EventLog() {
  stop();
}

Outcome<std::unique_ptr<EventLog>> EventLog::open(Options options) {
  TRY(std::unique_ptr<EventLogFile> file, EventLogFile::open(options.file, options.busy_ms));
  std::unique_ptr<EventLog> out(new EventLog(std::move(options), std::move(file)));
  TRY_VOID(out->start());
  return out;
}

Outcome<void> EventLog::start() {
  TRY(thread_, start_writer([this] { run(); }));
  return {};
}

Outcome<void> EventLog::load(HistoryVisitor& visitor) {
  const std::lock_guard lock(file_mutex_);
  if (!file_) return std::unexpected(Fault{"it is closed", {}});
  return file_->load(visitor);
}

bool EventLog::append(EventRecord record, Completion completion) {
  Ops op;
  const size_t bytes = sizeof(Op) + text_bytes(record);
  op.push_back({.record = std::move(record), .epoch = {}, .completion = completion, .bytes = bytes});
  return enqueue(std::move(op), false);
}

bool EventLog::begin_channel(ChannelView channel, std::string_view epoch) {
  return restart(Op::Kind::kBegin, channel, epoch);
}

bool EventLog::end_channel(ChannelView channel) {
  return restart(Op::Kind::kEnd, channel, {});
}

bool EventLog::restart(Op::Kind kind, ChannelView channel, std::string_view epoch) {
  Ops op;
  op.push_back({.kind = kind, .record = {}, .epoch = std::string(epoch), .completion = {}});
  op.back().record.app = channel.app;
  op.back().record.channel = channel.channel;
  // Twice the names: they are a key of trims_ as well.
  op.back().bytes = sizeof(Op) + epoch.size() + 2 * (channel.app.size() + channel.channel.size() + sizeof(ChannelKey));
  return enqueue(std::move(op), true);
}

bool EventLog::enqueue(Ops op, bool anew) {
  const size_t bytes = op.back().bytes;
  const ChannelView channel{op.back().record.app, op.back().record.channel};
  {
    const std::lock_guard lock(mutex_);
    // The writer only ever makes it smaller.
    if (stopping_ || health_.for_good() || queue_bytes_ + bytes > options_.queue_bytes_max) return false;
    if (anew) trims_.insert_or_assign(ChannelKey(channel), Trim{.anew = true});
    queue_bytes_ += bytes;
    queue_.splice(queue_.end(), op);
  }
  wake_.notify_one();
  return true;
}

void EventLog::trim(ChannelView channel, uint64_t up_to_offset) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || health_.for_good()) return;
    auto at = trims_.find(channel);
    if (at == trims_.end()) {
      if (trims_.size() >= kTrimsMax) return;
      first = trims_.empty();
      at = trims_.emplace(ChannelKey(channel), Trim{}).first;
    }
    at->second.up_to_offset = std::max(at->second.up_to_offset, up_to_offset);
  }
  if (first) wake_.notify_one();
}

EventLog::Figures EventLog::figures() const {
  return {.commits = commits_,
          .records = records_,
          .bytes = bytes_,
          .not_committed = not_committed_,
          .failures = health_.failures(),
          .trimmed = trimmed_,
          .commit_us = commit_us_,
          .queue_bytes = queue_bytes_};
}

void EventLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

}  // namespace kilat::store
