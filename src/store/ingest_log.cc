#include "store/ingest_log.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/clock.h"
#include "base/result.h"
#include "store/writer_thread.h"

namespace kilat::store {
namespace {

// What an order counts of the queue beyond its job, until it is carried out.
uint64_t cost_of(const NewJob& job) {
  return job.data.size() + IngestFile::kJobBytes;
}

// Bytes of the queue for an order, given back when it does not come that far.
class Claim {
 public:
  Claim(std::atomic<uint64_t>& queue, uint64_t bytes) : queue_(queue), bytes_(bytes), total_(queue += bytes) {}
  ~Claim() { queue_ -= bytes_; }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  uint64_t total() const { return total_; }
  /// They are the order's now.
  void keep() { bytes_ = 0; }

 private:
  std::atomic<uint64_t>& queue_;
  uint64_t bytes_;
  const uint64_t total_;  ///< of the queue, with these
};

}  // namespace

IngestLog::IngestLog(Options options, std::unique_ptr<IngestFile> file)
    : options_(std::move(options)),
      file_(std::move(file)),
      epoch_(file_->epoch()),
      health_(options_.file.string(), "ingest_failing", "ingest_recovered") {}

IngestLog::~IngestLog() {
  stop();
}

Outcome<std::unique_ptr<IngestLog>> IngestLog::open(Options options) {
  TRY(std::unique_ptr<IngestFile> file, IngestFile::open(options.file, options.busy_ms));
  std::unique_ptr<IngestLog> out(new IngestLog(std::move(options), std::move(file)));
  TRY_VOID(out->load());
  return out;
}

Outcome<void> IngestLog::load() {
  TRY(const QueueFigures all, file_->figures({}));
  queue_bytes_ = all.bytes + all.failed_bytes;
  queue_jobs_ = all.jobs;
  failed_jobs_ = all.failed_jobs;
  TRY(const std::vector<std::string> apps, file_->waiting_apps());
  for (const std::string& app : apps) lanes_.emplace(app, Lane{});
  return {};
}

Outcome<void> IngestLog::start(HandOut hand_out) {
  hand_out_ = std::move(hand_out);
  TRY(thread_, start_writer([this] { run(); }));
  return {};
}

void IngestLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool IngestLog::push(Order order, bool bounded) {
  Orders one;
  one.push_back(std::move(order));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || health_.for_good()) return false;
    if (bounded && orders_.size() >= kOrdersMax) return false;
    if (orders_.empty()) lasting_ms_ = monotonic_ms() + kLastingMs;
    hurry_ |= !one.front().lasting || orders_.size() >= kLastingOrders;
    orders_.splice(orders_.end(), one);
  }
  wake_.notify_one();
  return true;
}

IngestLog::Taken IngestLog::accept(NewJob job, std::move_only_function<void(Outcome<AcceptedJob>)> told) {
  const uint64_t bytes = cost_of(job);
  if (bytes > options_.queue_bytes_max) return Taken::kTooLarge;
  // Several shards may come at once: whoever finds that it was too much takes it back.
  Claim claim(queue_bytes_, bytes);
  if (claim.total() > options_.queue_bytes_max) return Taken::kFull;
  struct Course {
    NewJob job;
    AcceptedJob accepted;
    std::move_only_function<void(Outcome<AcceptedJob>)> told;
  };
  auto course = std::make_shared<Course>(std::move(job), AcceptedJob{}, std::move(told));
  Order order;
  order.bytes = bytes;
  order.work = [this, course](IngestFile& file) -> Outcome<void> {
    TRY(course->accepted, file.accept(course->job));
    // Where there is room for it, it is stored and handed out with this very transaction.
    lanes_[course->job.app].more = true;
    return {};
  };
  order.told = [this, course, bytes](const Fault* fault) {
    if (fault != nullptr) return course->told(std::unexpected(*fault));
    if (course->accepted.repeated) {
      queue_bytes_ -= bytes;
    } else {
      ++queue_jobs_;
      accepted_ += course->job.readings;
    }
    course->told(course->accepted);
  };
  if (!push(std::move(order), false)) return Taken::kStopped;
  claim.keep();
  return Taken::kYes;
}

void IngestLog::finished(const IngestJob& job) {
  auto removed = std::make_shared<uint64_t>(0);
  const uint64_t bytes = job.data.size();
  Order order;
  order.lasting = true;
  order.work = [id = job.id, removed](IngestFile& file) -> Outcome<void> {
    TRY(*removed, file.remove(id));
    return {};
  };
  order.told = [this, removed, bytes, app = job.app](const Fault* fault) {
    came_back(app, bytes);
    if (fault != nullptr) return;
    queue_bytes_ -= *removed;
    --queue_jobs_;
    ++done_;
  };
  push(std::move(order), false);
}

void IngestLog::failed(const IngestJob& job, uint32_t tries, std::string error) {
  const uint64_t bytes = job.data.size();
  Order order;
  order.lasting = true;
  order.work = [id = job.id, tries, error = std::move(error)](IngestFile& file) {
    return file.fail(id, tries, error, unix_ms());
  };
  order.told = [this, bytes, app = job.app](const Fault* fault) {
    came_back(app, bytes);
    if (fault != nullptr) return;
    --queue_jobs_;
    ++failed_jobs_;
    ++given_up_;
  };
  push(std::move(order), false);
}

void IngestLog::returned(std::vector<IngestJob> jobs) {
  if (jobs.empty()) return;
  Order order;
  order.lasting = true;
  order.work = [](IngestFile&) -> Outcome<void> { return {}; };
  order.told = [this, jobs = std::move(jobs)](const Fault*) {
    const auto at = lanes_.find(jobs.front().app);
    const int64_t before = jobs.front().position - 1;
    if (at != lanes_.end()) at->second.back_to = std::min(at->second.back_to.value_or(before), before);
    for (const IngestJob& job : jobs) came_back(job.app, job.data.size());
  };
  push(std::move(order), false);
}

bool IngestLog::retry(std::string app, int64_t id, std::move_only_function<void(Outcome<uint64_t>)> told) {
  auto by = std::make_shared<IngestFile::Changed>();
  Order order;
  order.work = [app, id, by](IngestFile& file) -> Outcome<void> {
    TRY(*by, file.retry(app, id));
    return {};
  };
  order.told = [this, app = std::move(app), by, told = std::move(told)](const Fault* fault) mutable {
    if (fault != nullptr) return told(std::unexpected(*fault));
    failed_jobs_ -= by->jobs;
    queue_jobs_ += by->jobs;
    if (by->jobs > 0) lanes_[app].more = true;
    told(by->jobs);
  };
  return push(std::move(order));
}

bool IngestLog::forget(std::string app, int64_t id, std::move_only_function<void(Outcome<uint64_t>)> told) {
  auto by = std::make_shared<IngestFile::Changed>();
  Order order;
  order.work = [app = std::move(app), id, by](IngestFile& file) -> Outcome<void> {
    TRY(*by, file.forget(app, id));
    return {};
  };
  order.told = [this, by, told = std::move(told)](const Fault* fault) mutable {
    if (fault != nullptr) return told(std::unexpected(*fault));
    failed_jobs_ -= by->jobs;
    queue_bytes_ -= by->bytes;
    told(by->jobs);
  };
  return push(std::move(order));
}

bool IngestLog::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || unanswered_ >= kQuestionsMax) return false;
    questions_.push_back(std::move(question));
    ++unanswered_;
  }
  wake_.notify_one();
  return true;
}

void IngestLog::serve(std::set<std::string, std::less<>> apps) {
  auto served = std::make_shared<const std::set<std::string, std::less<>>>(std::move(apps));
  {
    const std::lock_guard lock(mutex_);
    served_ = std::move(served);
  }
  wake_.notify_one();
}

void IngestLog::keep(std::map<std::string, uint64_t> keep_ms) {
  const std::lock_guard lock(mutex_);
  keep_ms_ = std::move(keep_ms);
}

std::string IngestLog::name_of(int64_t id) const {
  char epoch[16];
  std::snprintf(epoch, sizeof epoch, "%08x-", epoch_);
  return epoch + std::to_string(id);
}

int64_t IngestLog::parse_name(std::string_view name) const {
  const size_t dash = std::min(name.find('-'), name.size());
  const std::string_view digits = name.substr(std::min(dash + 1, name.size()));
  int64_t id = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), id);
  return id > 0 && name_of(id) == name ? id : 0;
}

IngestLog::Figures IngestLog::figures() const {
  return {.queue_bytes = queue_bytes_,
          .queue_jobs = queue_jobs_,
          .failed_jobs = failed_jobs_,
          .accepted = accepted_,
          .stored = stored_,
          .done = done_,
          .given_up = given_up_,
          .commits = commits_,
          .failures = health_.failures()};
}

}  // namespace kilat::store
