// The writer's thread of the ingest queue.
#include <algorithm>
#include <chrono>
#include <new>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "base/result.h"
#include "store/ingest_log.h"

namespace kilat::store {

void IngestLog::run() {
  memory::keep_reserve();
  while (take()) {
    work();
    memory::keep_reserve();
  }
  work();
  give_up();
  end_questions();
  // Here and not in stop(): closing writes as well, with the signals of this thread.
  file_.reset();
}

// False: this is the last round.
bool IngestLog::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    uint64_t until_ms = 0;
    if (due(monotonic_ms(), until_ms)) break;
    const uint64_t now_ms = monotonic_ms();
    if (until_ms > now_ms) wake_.wait_for(lock, std::chrono::milliseconds(until_ms - now_ms));
  }
  last_round_ = stopping_;
  serving_ = served_;
  taken_.splice(taken_.end(), orders_);
  hurry_ = false;
  const memory::MustSucceed taking;
  std::ranges::move(questions_, std::back_inserter(asked_));
  questions_.clear();
  return !last_round_;
}

// Whether there is something to do now; else until when to wait for that.
bool IngestLog::due(uint64_t now_ms, uint64_t& until_ms) const {
  if (stopping_ || serving_ != served_ || !questions_.empty() || !asked_.empty()) return true;
  if (health_.for_good()) {
    until_ms = now_ms + 60'000;
    return !orders_.empty();
  }
  if (health_.failing()) {
    until_ms = health_.retry_at_ms();
    return now_ms >= until_ms;
  }
  until_ms = orders_.empty() ? tidying_.due_ms : std::min(tidying_.due_ms, lasting_ms_);
  return hurry_ || !taken_.empty() || lanes_due() || now_ms >= until_ms;
}

// Whether there may be a job of the app that can be handed out.
bool IngestLog::may_go(std::string_view app, const Lane& lane) const {
  return lane.more && !lane.back_to && lane.out_jobs < kLaneJobs && lane.out_bytes < kLaneBytes &&
         (!serving_ || serving_->contains(app));
}

bool IngestLog::lanes_due() const {
  const auto goes = [this](const auto& entry) { return may_go(entry.first, entry.second); };
  return out_bytes_ < kOutBytesMax && std::ranges::any_of(lanes_, goes);
}

void IngestLog::work() {
  answer_one();
  if (health_.for_good()) return give_up();
  const bool pausing = health_.failing() && monotonic_ms() < health_.retry_at_ms() && !last_round_;
  if (pausing) return;
  if (health_.failing() && !recover()) return give_up();
  do {
    if ((!taken_.empty() || lanes_due()) && !commit_group()) return;
  } while (!taken_.empty());
  tidy();
}

bool IngestLog::recover() {
  if (file_->durable().damaged()) return false;
  // With orders at hand these are the test.
  const Outcome<void> done = health_.recover(file_->durable(), taken_.empty());
  if (!done) failed(done.error());
  return done.has_value();
}

bool IngestLog::commit_group() {
  auto end = taken_.begin();
  std::vector<IngestJob> out;
  advanced_.clear();
  lost_ = 0;
  const Outcome<void> done = write_group(end, out);
  if (!done) {
    failed(done.error());
    give_up();
    return false;
  }
  ++commits_;
  health_.succeeded();
  carried_out(end, std::move(out));
  return true;
}

// One transaction: orders, then what is next of each app's queue. `end` comes behind the last order in it.
Outcome<void> IngestLog::write_group(Orders::iterator& end, std::vector<IngestJob>& out) {
  const uint64_t until_us = monotonic_us() + uint64_t{options_.commit_ms_max} * 1'000;
  return or_out_of_memory([&]() -> Outcome<void> {
    TRY(Transaction transaction, file_->durable().begin());
    while (end != taken_.end() && (end == taken_.begin() || monotonic_us() < until_us)) {
      TRY_VOID(end->work(*file_));
      ++end;
    }
    if (!last_round_) TRY_VOID(advance(out));
    return transaction.commit();
  });
}

// Takes jobs out of the queue, and stores what is to be stored. The lanes change when that is committed.
Outcome<void> IngestLog::advance(std::vector<IngestJob>& out) {
  uint64_t bytes = 0;
  for (const auto& [app, lane] : lanes_) {
    if (out_bytes_ + bytes >= kOutBytesMax || bytes >= kStepBytes) return {};
    if (!may_go(app, lane)) continue;
    Lane next = lane;
    const size_t jobs_max = kLaneJobs - lane.out_jobs;
    const uint64_t bytes_max = std::min(kLaneBytes - lane.out_bytes, kStepBytes);
    TRY(IngestFile::Taken taken, file_->take(app, next.position, jobs_max, bytes_max));
    next.more = !taken.jobs.empty() || taken.lost > 0;
    lost_ += taken.lost;
    for (IngestJob& job : taken.jobs) {
      bytes += job.data.size();
      next.out_bytes += job.data.size();
      ++next.out_jobs;
      out.push_back(std::move(job));
    }
    advanced_.insert_or_assign(app, next);
  }
  return {};
}

void IngestLog::carried_out(Orders::iterator end, std::vector<IngestJob> out) {
  const memory::MustSucceed telling;
  for (auto& [app, lane] : advanced_) lanes_.insert_or_assign(app, lane);
  advanced_.clear();
  if (lost_ > 0) log::event(log::Level::kError, "ingest_jobs_lost", {{"jobs", lost_}});
  queue_jobs_ -= lost_;
  failed_jobs_ += lost_;
  given_up_ += lost_;
  lost_ = 0;
  for (const IngestJob& job : out) {
    out_bytes_ += job.data.size();
    if (job.stored) stored_ += job.readings;
  }
  for (auto order = taken_.begin(); order != end; ++order) order->told(nullptr);
  taken_.erase(taken_.begin(), end);
  if (!out.empty()) hand_out_(std::move(out));
}

// Tells those who wait that it was not carried out. Lasting orders stay for the next attempt, if there will be one.
void IngestLog::give_up() {
  const memory::MustSucceed telling;
  const FileHealth::State state = health_.state();
  const Fault fault{state.error.empty() ? "it is closing" : state.error, {}};
  const bool for_good = last_round_ || health_.for_good();
  for (auto order = taken_.begin(); order != taken_.end();) {
    const auto next = std::next(order);
    if (!order->lasting || for_good) {
      queue_bytes_ -= order->bytes;
      order->told(&fault);
      taken_.erase(order);
    }
    order = next;
  }
}

void IngestLog::came_back(std::string_view app, uint64_t bytes) {
  out_bytes_ -= bytes;
  const auto at = lanes_.find(app);
  if (at == lanes_.end()) return;
  Lane& lane = at->second;
  lane.out_bytes -= bytes;
  --lane.out_jobs;
  if (lane.back_to && lane.out_jobs == 0) {
    lane.position = *std::exchange(lane.back_to, std::nullopt);
    lane.more = true;
  }
  if (!lane.more && lane.out_jobs == 0) lanes_.erase(at);
}

// One slice of one question, so that no commit waits for a long one.
void IngestLog::answer_one() {
  if (asked_.empty()) return;
  Question question = std::move(asked_.front());
  asked_.pop_front();
  bool answered = true;
  try {
    answered = question(file_.get(), nullptr);
  } catch (const std::bad_alloc&) {
    const memory::MustSucceed telling;
    const Fault fault{"out of memory", {}};
    question(nullptr, &fault);
  }
  const memory::MustSucceed keeping;
  if (!answered) return asked_.push_back(std::move(question));
  const std::lock_guard lock(mutex_);
  --unanswered_;
}

void IngestLog::end_questions() {
  const memory::MustSucceed telling;
  const Fault fault{"it is closing", {}};
  for (Question& question : asked_) question(nullptr, &fault);
  asked_.clear();
}

// --- deleting

bool IngestLog::tidy() {
  Outcome<void> done = file_->durable().checkpoint_if_due();
  if (done && !last_round_ && monotonic_ms() >= tidying_.due_ms) {
    const Outcome<bool> more = or_out_of_memory([this] { return expire_some(); });
    if (!more) done = std::unexpected(more.error());
    if (more) tidying_.due_ms = monotonic_ms() + (*more ? 0 : options_.tidy_ms);
  }
  if (!done) failed(done.error());
  return done.has_value();
}

// Goes from app to app; one slice each time. True: this round is not over.
Outcome<bool> IngestLog::expire_some() {
  constexpr uint32_t kRows = 2'000;
  std::pair<std::string, uint64_t> next;
  {
    const std::lock_guard lock(mutex_);
    auto at = keep_ms_.lower_bound(tidying_.app);
    if (at != keep_ms_.end() && at->first == tidying_.app && tidying_.done) ++at;
    if (at != keep_ms_.end()) next = *at;
  }
  const uint64_t now_ms = unix_ms();
  TRY(Transaction transaction, file_->durable().begin());
  if (next.first.empty()) {
    tidying_.app.clear();
    TRY(const uint32_t keys, file_->forget_keys(now_ms - std::min(now_ms, kKeyMs), kRows));
    TRY_VOID(transaction.commit());
    return keys == kRows;
  }
  int64_t sensor = next.first == tidying_.app && !tidying_.done ? tidying_.sensor : 0;
  TRY(const uint32_t rows, file_->expire(next.first, now_ms - std::min(now_ms, next.second), sensor, kRows));
  TRY_VOID(transaction.commit());
  tidying_.app = next.first;
  tidying_.sensor = sensor;
  tidying_.done = sensor == 0 && rows < kRows;
  return true;
}

void IngestLog::failed(const Fault& fault) {
  file_->on_rollback();
  advanced_.clear();
  health_.failed(fault, file_->durable());
}

}  // namespace kilat::store
