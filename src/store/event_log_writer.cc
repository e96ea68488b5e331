// The writer's thread of the event log.
#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/memory_reserve.h"
#include "base/result.h"
#include "store/event_log.h"

namespace kilat::store {

void EventLog::run() {
  memory::keep_reserve();
  while (take()) {
    work();
    memory::keep_reserve();
  }
  work();
  give_up();  // what the last attempt has left
  // Here and not in stop(): closing writes as well, with the signals of this thread.
  const std::lock_guard lock(file_mutex_);
  file_.reset();
}

// False: this is the last round.
bool EventLog::take() {
  ChannelTable<Trim> trims;
  {
    std::unique_lock lock(mutex_);
    wait(lock);
    last_round_ = stopping_;
    taken_.splice(taken_.end(), queue_);
    trims.swap(trims_);
  }
  if (last_round_) tidy_at_ms_ = 0;
  merge_trims(trims);
  return !last_round_;
}

void EventLog::wait(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const bool pause = health_.failing() && !health_.for_good();
    const bool to_delete = garbage_ || !due_trims_.empty() || !trims_.empty();
    if (!queue_.empty() && !pause) return;
    if (health_.for_good() || (!pause && !to_delete)) {
      wake_.wait(lock);
      continue;
    }
    const uint64_t until_ms = pause ? health_.retry_at_ms() : tidy_at_ms_;
    const uint64_t now_ms = monotonic_ms();
    if (now_ms >= until_ms) return;
    wake_.wait_for(lock, std::chrono::milliseconds(until_ms - now_ms));
  }
}

void EventLog::merge_trims(const ChannelTable<Trim>& trims) {
  try {
    for (const auto& [channel, trim] : trims) {
      auto at = due_trims_.find(channel);
      if (at != due_trims_.end() && trim.anew) {
        due_trims_.erase(at);
        at = due_trims_.end();
      }
      if (trim.up_to_offset == 0) continue;
      if (at == due_trims_.end()) {
        if (due_trims_.size() >= kTrimsMax) continue;
        at = due_trims_.emplace(channel, Trim{}).first;
      }
      at->second.up_to_offset = std::max(at->second.up_to_offset, trim.up_to_offset);
    }
  } catch (const std::bad_alloc&) {
    due_trims_.clear();  // rather too few than those of a history that is over
  }
}

void EventLog::work() {
  const std::lock_guard lock(file_mutex_);
  if (health_.failing() && !recover()) return give_up();
  do {
    if (!taken_.empty() && !commit_group()) return;
    if (!tidy()) return;
  } while (!taken_.empty());
}

bool EventLog::recover() {
  if (file_->durable().damaged()) return false;
  // With records at hand these are the test.
  const Outcome<void> done = health_.recover(file_->durable(), taken_.empty());
  if (!done) failed(done.error());
  return done.has_value();
}

bool EventLog::commit_group() {
  const uint64_t started_us = monotonic_us();
  auto end = taken_.begin();
  const Outcome<void> done = write_group(end);
  if (!done) {
    failed(done.error());
    give_up();
    return false;
  }
  commit_us_ += monotonic_us() - started_us;
  ++commits_;
  health_.succeeded();
  answer(end);
  return true;
}

// One transaction; `end` comes behind the last op in it.
Outcome<void> EventLog::write_group(Ops::iterator& end) {
  const uint64_t until_us = monotonic_us() + uint64_t{options_.commit_ms_max} * 1'000;
  return or_out_of_memory([&]() -> Outcome<void> {
    TRY(Transaction transaction, file_->durable().begin());
    do {
      TRY_VOID(apply(*end));
      ++end;
    } while (end != taken_.end() && monotonic_us() < until_us);
    return transaction.commit();
  });
}

Outcome<void> EventLog::apply(Op& op) {
  const ChannelView channel{op.record.app, op.record.channel};
  if (op.kind == Op::Kind::kAppend) {
    TRY(const bool in_order, file_->append(op.record));
    op.fate = in_order ? Fate::kCommitted : Fate::kOutOfOrder;
    return {};
  }
  garbage_ = true;
  return op.kind == Op::Kind::kBegin ? file_->begin_channel(channel, op.epoch) : file_->end_channel(channel);
}

// Answers the ops before `end` and lets go of them.
void EventLog::answer(Ops::iterator end) {
  size_t freed = 0;
  for (auto op = taken_.begin(); op != end; ++op) {
    freed += op->bytes;
    if (op->kind != Op::Kind::kAppend) continue;
    const bool committed = op->fate == Fate::kCommitted;
    ++(committed ? records_ : not_committed_);
    if (committed) bytes_ += op->bytes - sizeof(Op);
    if (op->completion.told != nullptr) op->completion.told(op->completion.context, op->completion.tag, op->fate);
  }
  taken_.erase(taken_.begin(), end);
  queue_bytes_ -= freed;
  if (options_.on_answered) options_.on_answered();
}

// Answers all records as not committed. The rest stays for the next attempt, if there will be one.
void EventLog::give_up() {
  Ops keep;
  const bool for_good = last_round_ || !file_ || file_->durable().damaged();
  for (auto op = taken_.begin(); op != taken_.end();) {
    const auto next = std::next(op);
    op->fate = Fate::kNotCommitted;
    if (op->kind != Op::Kind::kAppend && !for_good) keep.splice(keep.end(), taken_, op);
    op = next;
  }
  if (!taken_.empty()) answer(taken_.end());
  taken_.swap(keep);
}

bool EventLog::tidy() {
  Outcome<void> done = file_->durable().checkpoint_if_due();
  // A trim may be meant for records that are still in taken_.
  const bool to_delete = taken_.empty() && (garbage_ || !due_trims_.empty());
  if (done && to_delete && monotonic_ms() >= tidy_at_ms_) done = or_out_of_memory([this] { return delete_rows(); });
  if (!done) failed(done.error());
  return done.has_value();
}

Outcome<void> EventLog::delete_rows() {
  // A channel counts as a row, since it takes at least one look-up.
  uint32_t left = kTrimRowsMax;
  uint32_t rows = 0;
  TRY(Transaction transaction, file_->durable().begin());
  auto done = due_trims_.begin();
  for (; done != due_trims_.end() && left > 0; ++done) {
    TRY(const uint32_t removed, file_->trim(done->first, done->second.up_to_offset, left));
    rows += removed;
    if (removed == left) left = 0;
    if (left == 0) break;
    left -= std::max(removed, 1U);
  }
  bool garbage = garbage_;
  if (left > 0 && garbage_) {
    TRY(const uint32_t removed, file_->collect(left));
    rows += removed;
    garbage = removed == left;
  }
  TRY_VOID(transaction.commit());
  trimmed_ += rows;
  garbage_ = garbage;
  due_trims_.erase(due_trims_.begin(), done);
  const bool more = garbage_ || !due_trims_.empty();
  tidy_at_ms_ = monotonic_ms() + (more ? 0 : options_.trim_ms);
  return {};
}

void EventLog::failed(const Fault& fault) {
  file_->on_rollback();
  health_.failed(fault, file_->durable());
}

}  // namespace kilat::store
