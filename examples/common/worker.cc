#include "common/worker.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

namespace examples {
namespace {

template <typename Function>
void guarded(Function& function) {
  try {
    function();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "task failed: %s\n", error.what());
  }
}

}  // namespace

bool Worker::post(Task task) {
  const std::scoped_lock lock(mutex_);
  if (stopped_ || tasks_.size() >= kTasksMax) return false;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void Worker::every(std::chrono::milliseconds interval, std::function<void()> function) {
  const std::scoped_lock lock(mutex_);
  periodic_.push_back({interval, Clock::now() + interval, std::move(function)});
  changed_.notify_one();
}

void Worker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

Worker::Periodic* Worker::due(Clock::time_point now) {
  const auto next = std::ranges::min_element(periodic_, {}, &Periodic::due);
  if (next == periodic_.end() || next->due > now) return nullptr;
  next->due = std::max(next->due + next->interval, now);
  return &*next;
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      guarded(task);
      lock.lock();
      continue;
    }
    if (stopped_) return;
    if (Periodic* periodic = due(Clock::now())) {
      lock.unlock();
      guarded(periodic->function);
      lock.lock();
    } else if (periodic_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, std::ranges::min_element(periodic_, {}, &Periodic::due)->due);
    }
  }
}

}  // namespace examples
